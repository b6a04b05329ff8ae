"""Find the clips of a folder: they stay where they are, and the media index points to them."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from avsieve.media.index import IndexedClip, Place, file_place, media_table, slice_of
from avsieve.media.isolated import probe_duration_s
from avsieve.runtime.progress import progress
from avsieve.sources.containers import TwiceError, missing_part
from avsieve.sources.plan import TEST, TRAIN
from avsieve.sources.tree.scan import Finder, Found
from avsieve.storage.file_names import path_from_text, path_to_text, shown
from avsieve.storage.reasons import Reason
from avsieve.storage.status import StatusTable

if TYPE_CHECKING:
    from avsieve.sources.tree.contract import Tree


def known_duration_s(seconds: str) -> float:
    """Return the length that the list gives, NaN where it gives none."""
    return float(seconds) if seconds else math.nan


def fetch(rows: pd.DataFrame, settings: Tree) -> tuple[pd.DataFrame, StatusTable]:
    """Find the clips of a shard, and read the lengths that no list gives from their headers.

    Parameters
    ----------
    rows
        The shard's part of the plan.

    Returns
    -------
    tuple
        The media index, one row per row of the plan, and the status.
    """
    status = StatusTable("fetch_media")
    clips = {
        s: Finder(Path(root), exact=exact)
        # The paths of a table may be whole, or start where Snakemake runs.
        for s, root, exact in (
            (TRAIN, settings.root or ".", settings.table is not None),
            (TEST, settings.test_root, False),
        )
        if root is not None
    }
    sounds = {
        s: Finder(Path(r), sound=True) for s, r in ((TRAIN, settings.audio_root), (TEST, settings.test_audio_root)) if r
    }
    found = []
    for row in progress(list(rows.itertuples()), "clips"):
        finder, apart = clips[row.subset], sounds.get(row.subset)
        try:
            clip = _place(finder, finder.find(row.path, row.utterance))
            sound = _place(apart, apart.find(_stem(row.path, finder), row.utterance)) if apart else None
            code, detail = _judge(row.path, clip, sound, finder, apart)
        except TwiceError as error:
            clip = sound = None
            code, detail = Reason.CLIP_TWICE, " and ".join(map(shown, error.names))
        status.add(row.utterance, code, detail)
        duration_s = known_duration_s(row.seconds)
        listed = not math.isnan(duration_s)
        if not listed:
            at, place = (apart, sound) if clip is None else (finder, clip)
            if at and place and place.size:
                duration_s = probe_duration_s(slice_of(place, at.root))
        place = clip or Place(row.path.partition("\n")[0])
        found.append(IndexedClip(row.utterance, row.subset, place, sound, duration_s, listed))
    return media_table(found), status


def _place(finder: Finder, found: Found | None) -> Place | None:
    return None if found is None else file_place(finder.root, found.name)


def _stem(path: str, finder: Finder) -> str:
    """Return the path that sound lying apart is looked for at: without the ending that a table gives."""
    return path_to_text(str(Path(path_from_text(path)).with_suffix(""))) if finder.exact else path


def _judge(
    path: str, clip: Place | None, sound: Place | None, finder: Finder, apart: Finder | None
) -> tuple[Reason, str]:
    code = missing_part(clip is not None, sound is not None, apart is not None)
    if code is not Reason.OK:
        at, of = (apart, _stem(path, finder)) if apart is not None and clip is not None else (finder, path)
        better, detail = at.why_missing(of)
        return better or code, detail
    if empty := next((f for f in (clip, sound) if f is not None and f.size == 0), None):
        return Reason.MEDIA_EMPTY, f"{shown(path_from_text(empty.path))}: 0 bytes"
    return Reason.OK, ""
