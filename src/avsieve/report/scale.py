"""A similarity beside those of the same speaker's other utterances: a number alone says nothing."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd


@dataclass(frozen=True)
class Scale:
    """Where a similarity lies.

    Attributes
    ----------
    value
        The utterance's own.
    low, middle, high
        5, 50 and 95 % of the others.
    below, of
        How many of the others are lower, and how many there are.
    """

    value: float
    low: float
    middle: float
    high: float
    below: int
    of: int

    def at(self, value: float) -> float:
        """Return where a value lies on a bar from the lowest to the highest, in per cent."""
        ends = min(self.value, self.low), max(self.value, self.high)
        wide = ends[1] - ends[0]
        return 50.0 if wide <= 0 else round(100 * (value - ends[0]) / wide, 1)

    @property
    def words(self) -> str:
        """Say it."""
        if not self.below:
            return f"lower than all {self.of:,} others of this speaker"
        return f"higher than {self.below:,} of this speaker's {self.of:,} others"


class Scales:
    """The similarities of all utterances, by speaker."""

    def __init__(self, decisions: pd.DataFrame) -> None:
        self._of = {
            modality: decisions.groupby("speaker", sort=False, observed=True)[f"{modality}_similarity"]
            for modality in ("audio", "visual")
        }

    def of(self, speaker: str, modality: str, value: float | None) -> Scale | None:
        """Return where ``value`` lies among the speaker's other utterances; None where there are none to compare."""
        if value is None:
            return None
        others = self._of[modality].get_group(speaker).to_numpy(float)
        others = others[~np.isnan(others)]
        # The utterance itself is one of them.
        at = np.flatnonzero(others == np.float64(value))
        others = np.delete(others, at[:1])
        if not len(others):
            return None
        low, middle, high = np.quantile(others, (0.05, 0.5, 0.95)).tolist()
        return Scale(value, low, middle, high, int((others < value).sum()), len(others))
