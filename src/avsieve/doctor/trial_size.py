"""How many trials there will be, and how many utterances stand on their sides."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from avsieve.doctor.formatting import two_digits

if TYPE_CHECKING:
    from avsieve.evaluation.trials import Trials


@dataclass(frozen=True)
class TrialSize:
    """Trials of all lists together, and the different utterances on their sides."""

    trials: int
    enrol: float
    test: float
    both: float
    """On either side: fewer than both sides together, since an utterance may stand on each."""
    counted: bool = False
    """Whether they were counted in lists, or guessed."""

    @classmethod
    def of(cls, lists: Sequence[Trials]) -> TrialSize:
        """Count those of lists."""
        import numpy as np

        found: dict[str, set[str]] = {"enrol": set(), "test": set()}
        for trials in lists:
            names = np.array(trials.utterances, dtype=object)
            for side, rows in (("enrol", trials.enrol), ("test", trials.test)):
                found[side].update(names[np.unique(rows)])
        either = len(found["enrol"] | found["test"])
        return cls(sum(map(len, lists)), len(found["enrol"]), len(found["test"]), either, counted=True)

    @classmethod
    def made(cls, trials: int, utterances: int) -> TrialSize:
        """Guess those of trials that are drawn among some utterances."""

        def drawn(times: int) -> float:
            return utterances * -math.expm1(-times / utterances) if utterances else 0.0

        return cls(trials, drawn(trials), drawn(trials), drawn(2 * trials))

    def on(self, side: str) -> float:
        """Return the utterances on a side: ``enrol``, ``test`` or ``both``."""
        return {"enrol": self.enrol, "test": self.test, "both": self.both}[side]

    def __str__(self) -> str:
        return f"{self.trials:,} trials" if self.counted else f"about {two_digits(self.trials)} trials"
