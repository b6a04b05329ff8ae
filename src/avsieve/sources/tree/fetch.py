"""Find the clips of a folder: they stay where they are, and the media index points to them."""

from __future__ import annotations

import argparse
import math
from pathlib import Path

import pandas as pd

from avsieve.media.decode import probe_duration_s
from avsieve.media.index import IndexedClip, Place, file_place, media_table, slice_of
from avsieve.progress import progress
from avsieve.reasons import Reason
from avsieve.sources.base import TEST, TRAIN
from avsieve.sources.containers import missing_part
from avsieve.sources.tree.scan import Finder
from avsieve.status import StatusTable


def add_options(ap: argparse.ArgumentParser) -> None:
    """Add the options of this source."""
    ap.add_argument("--root", type=Path, required=True, help="folder of the training clips")
    ap.add_argument("--audio-root", type=Path, help="folder of their sound, where it lies apart")
    ap.add_argument("--test-root", type=Path, help="folder of the test clips")
    ap.add_argument("--test-audio-root", type=Path, help="folder of their sound, where it lies apart")


def known_duration_s(seconds: str) -> float:
    """Return the length that the list gives, NaN where it gives none."""
    return float(seconds) if seconds else math.nan


def fetch(rows: pd.DataFrame, args: argparse.Namespace) -> tuple[pd.DataFrame, StatusTable]:
    """Find the clips of a shard, and read the lengths that no list gives from their headers.

    Parameters
    ----------
    rows
        The shard's part of the plan.

    Returns
    -------
    tuple
        The media index, one row per row of the plan, and the status.

    Raises
    ------
    AvsieveError
        If an utterance is there as two videos.
    """
    status = StatusTable("fetch_media")
    clips = {s: _Places(root) for s, root in ((TRAIN, args.root), (TEST, args.test_root)) if root}
    sounds = {
        s: _Places(root, sound=True) for s, root in ((TRAIN, args.audio_root), (TEST, args.test_audio_root)) if root
    }
    found = []
    for row in progress(list(rows.itertuples()), "clips"):
        clip = clips[row.subset].find(row.path)
        apart = sounds.get(row.subset)
        sound = apart.find(row.path) if apart else None
        code, detail = _judge(row.path, clip, sound, apart is not None)
        status.add(row.utterance, code, detail)
        duration_s = known_duration_s(row.seconds)
        listed = not math.isnan(duration_s)
        if not listed:
            finder, place = (apart, sound) if clip is None else (clips[row.subset], clip)
            if finder and place and place.size:
                duration_s = probe_duration_s(slice_of(place, finder.root))
        found.append(IndexedClip(row.utterance, row.subset, clip or Place(row.path), sound, duration_s, listed))
    return media_table(found), status


class _Places:
    """The places of utterances below one root."""

    def __init__(self, root: Path, *, sound: bool = False) -> None:
        self.root = root
        self._finder = Finder(root, sound=sound)

    def find(self, path: str) -> Place | None:
        found = self._finder.find(path)
        return None if found is None else file_place(self.root, found.name)


def _judge(utterance: str, clip: Place | None, sound: Place | None, apart: bool) -> tuple[Reason, str]:
    code = missing_part(clip is not None, sound is not None, apart)
    if code is not Reason.OK:
        return code, Finder.wanted(utterance)
    if empty := next((f for f in (clip, sound) if f is not None and f.size == 0), None):
        return Reason.MEDIA_EMPTY, f"{empty.path}: 0 bytes"
    return Reason.OK, ""
