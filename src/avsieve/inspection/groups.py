"""Speakers and videos: how much of each is flagged, and which are the worst.

A speaker with one utterance, flagged, has a share of 1 and says little. Groups are therefore ordered by the lower end
of the 95 % score interval of their share (Wilson 1927; recommended by Brown, Cai and DasGupta, Statistical Science
16(2), 2001): 1 of 1 reaches 0.21, 10 of 12 reaches 0.55.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np

from avsieve.cleansing.score_interval import score_interval
from avsieve.inspection.decided import KINDS, Decided

What = Literal["speaker", "video"]


@dataclass(frozen=True)
class Group:
    """One speaker or video.

    Attributes
    ----------
    name
        ``speaker`` or ``speaker/video``.
    utterances, judged, flagged, clean, incomplete
        Counts. Only what is judged can be flagged.
    videos, videos_flagged
        Of a speaker: its videos, and those of which every judged clip is flagged. Of a video: 1, and 0 or 1.
    kinds
        Flagged utterances by kind, those that occur.
    share, low, high
        Flagged of the judged, with the 95 % score interval.
    expected_wrong
        Sum of the probabilities that a label is wrong.
    """

    name: str
    utterances: int
    judged: int
    flagged: int
    clean: int
    incomplete: int
    videos: int
    videos_flagged: int
    kinds: dict[str, int]
    share: float
    low: float
    high: float
    expected_wrong: float

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON takes it, shares with four decimals."""
        found = asdict(self)
        return found | {k: round(found[k], 4) for k in ("share", "low", "high", "expected_wrong")}


class Groups:
    """All speakers, or all videos, of a run: columns of `Group`, (k,) each."""

    def __init__(self, decided: Decided, what: What) -> None:
        coded = getattr(decided, what)
        self.what, self.name, code = what, coded.names, coded.code
        size = len(coded.names)

        def count(rows: np.ndarray) -> np.ndarray:
            return np.bincount(code[rows], minlength=size)

        flagged, judged = decided.flagged, decided.judged
        self.utterances = np.bincount(code, minlength=size)
        self.judged, self.flagged = count(judged), count(flagged)
        self.clean, self.incomplete = count(decided.decision.is_("clean")), count(decided.decision.is_("incomplete"))
        self.kinds = {kind: count(flagged & decided.kind.is_(kind)) for kind in KINDS}
        self.expected_wrong = np.bincount(code, weights=np.nan_to_num(decided.p_wrong), minlength=size)
        self.videos, self.videos_flagged = self._videos(decided, code)
        self.share = self.flagged / np.maximum(self.judged, 1)
        self.low, self.high = score_interval(self.flagged, self.judged)

    def _videos(self, decided: Decided, code: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        video, size = decided.video, len(self.name)
        count = len(video.names)
        flagged = np.bincount(video.code[decided.flagged], minlength=count)
        judged = np.bincount(video.code[decided.judged], minlength=count)
        whole = (flagged > 0) & (flagged == judged)
        owner = np.zeros(count, np.int64)
        owner[video.code] = code
        return np.bincount(owner, minlength=size), np.bincount(owner[whole], minlength=size)

    def __len__(self) -> int:
        return len(self.name)

    def find(self, name: str) -> int:
        """Return the row of a name, -1 where there is none."""
        found = np.flatnonzero(self.name == name)
        return int(found[0]) if len(found) else -1

    def worst(self, most: int, least: int = 1) -> list[Group]:
        """Return the ``most`` with the highest lower ends, of those with a flagged one and ``least`` judged ones."""
        rows = np.flatnonzero((self.flagged > 0) & (self.judged >= least))
        order = np.lexsort((self.name[rows].astype(str), -self.flagged[rows], -self.low[rows]))
        return [self.group(row) for row in rows[order[:most]].tolist()]

    def group(self, row: int) -> Group:
        """Return one of them."""
        whole = ("utterances", "judged", "flagged", "clean", "incomplete", "videos", "videos_flagged")
        parts = ("share", "low", "high", "expected_wrong")
        values: dict[str, Any] = {key: int(getattr(self, key)[row]) for key in whole}
        values |= {key: float(getattr(self, key)[row]) for key in parts}
        return Group(
            name=str(self.name[row]),
            kinds={kind: int(n[row]) for kind, n in self.kinds.items() if n[row]},
            **values,
        )

    def left_with_fewer(self, than: int) -> np.ndarray:
        """Return the rows of those that lose utterances to flags and keep fewer than ``than``, (m,) int64."""
        return np.flatnonzero((self.flagged > 0) & (self.clean < than))
