"""Where the wrong labels lie: speakers and videos, the worst first."""

from __future__ import annotations

from dataclasses import dataclass

from avsieve.inspection.decided import Decided
from avsieve.inspection.groups import Group, Groups

MOST = 15
"""Speakers, and videos, in the table."""


@dataclass(frozen=True)
class Worst:
    """Speakers and videos, by the lower end of the interval of their flagged share.

    Attributes
    ----------
    speakers, videos
        The first `MOST` with a flagged utterance.
    with_flags, of
        How many speakers have one, and how many there are.
    whole
        How many videos of two judged clips or more are flagged whole.
    """

    speakers: list[Group]
    videos: list[Group]
    with_flags: int
    of: int
    whole: int


def worst_groups(decided: Decided, most: int = MOST) -> Worst:
    """Return where the flags lie."""
    speakers, videos = Groups(decided, "speaker"), Groups(decided, "video")
    whole = (videos.videos_flagged > 0) & (videos.judged >= 2)
    return Worst(
        speakers.worst(most), videos.worst(most), int((speakers.flagged > 0).sum()), len(speakers), int(whole.sum())
    )
