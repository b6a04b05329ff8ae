"""Point to the clips in archives: they stay there, and the media index tells which bytes they are."""

from __future__ import annotations

import math
from contextlib import closing
from typing import TYPE_CHECKING

import pandas as pd

from avsieve.media.index import IndexedClip, Place, media_table, slice_of
from avsieve.media.isolated import probe_duration_s
from avsieve.runtime.progress import progress
from avsieve.sources.archive.locate import BadMemberError, Locator, verify
from avsieve.sources.archive.members import Member
from avsieve.sources.archive.parts import find_archives
from avsieve.sources.archive.plan import places_from_text
from avsieve.sources.containers import missing_part
from avsieve.sources.plan import TEST, TRAIN
from avsieve.storage.reasons import Reason
from avsieve.storage.status import StatusTable

if TYPE_CHECKING:
    from avsieve.sources.archive.contract import Archive


class _Finder:
    """Finds the places of utterances and notes what is wrong with each."""

    def __init__(self, locator: Locator, apart: dict[str, bool], *, check: bool) -> None:
        self._locator = locator
        self._apart = apart
        self._check = check
        self.status = StatusTable("fetch_media")

    def _place(self, member: Member | None, utterance: str, wrong: list[BadMemberError]) -> Place | None:
        if member is None:
            return None
        try:
            place = self._locator.place(member, utterance)
            if self._check:
                verify(member, slice_of(place))
        except BadMemberError as error:
            wrong.append(error)
            return None
        return place

    def find(self, utterance: str, subset: str, path: str, seconds: str) -> IndexedClip:
        """Return an utterance's row of the index."""
        members = places_from_text(path)
        wrong: list[BadMemberError] = []
        clip, sound = (self._place(m, utterance, wrong) for m in members)
        if wrong:
            self.status.add(utterance, wrong[0].reason, "; ".join(map(str, wrong)))
        else:
            code = missing_part(clip is not None, sound is not None, self._apart[subset])
            self.status.add(utterance, code, "" if code is Reason.OK else f"no {utterance} in the archives")
        duration_s = float(seconds) if seconds else math.nan
        listed = not math.isnan(duration_s)
        if not listed and (known := clip or sound):
            duration_s = probe_duration_s(slice_of(known))
        return IndexedClip(utterance, subset, clip or Place(utterance), sound, duration_s, listed)


def fetch(rows: pd.DataFrame, settings: Archive) -> tuple[pd.DataFrame, StatusTable]:
    """Find the bytes of a shard's clips, and read the lengths that no list gives from their headers.

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
        If an archive is no longer there.
    """
    archives = [
        a
        for p in (settings.video, settings.audio, settings.test_video, settings.test_audio)
        if p
        for a in find_archives(p)
    ]
    apart = {TRAIN: bool(settings.audio), TEST: bool(settings.test_audio)}
    with closing(Locator(archives)) as locator:
        finder = _Finder(locator, apart, check=settings.verify)
        found = [
            finder.find(row.utterance, row.subset, row.path, row.seconds)
            for row in progress(list(rows.itertuples()), "clips")
        ]
    return media_table(found), finder.status
