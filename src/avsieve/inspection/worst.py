"""The worst speakers, videos or utterances of a run."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

from avsieve.inspection.decided import Decided
from avsieve.inspection.details import Clip, worst_clips
from avsieve.inspection.groups import Group, Groups
from avsieve.inspection.overview import FORMAT

By = Literal["speaker", "video", "utterance"]


@dataclass(frozen=True)
class Worst:
    """The worst of a kind: ``groups`` of speakers or videos, or ``clips``; the other is empty."""

    by: By
    groups: list[Group]
    clips: list[Clip]

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON takes it; `docs/formats.md` describes the structure."""
        clips = [asdict(clip) for clip in self.clips]
        return {
            "format": FORMAT,
            "of": "worst",
            "by": self.by,
            "groups": [g.as_json() for g in self.groups],
            "clips": clips,
        }


def worst_of(decided: Decided, by: By, most: int) -> Worst:
    """Return the ``most`` worst: groups by the lower end of the interval of their share, clips by probability."""
    if by == "utterance":
        return Worst(by, [], worst_clips(decided, most))
    return Worst(by, Groups(decided, by).worst(most), [])
