"""Speakers drawn anew: what a figure would be with other speakers, for several rounds at a time.

Wrong labels of a speaker share their causes, so speakers are drawn and not utterances. Rounds are compared on the same
draws, which makes their differences paired. With fewer than some twenty speakers the intervals are too narrow.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from avsieve.evaluation.bootstrap import draw_speakers, interval


class Draws:
    """How often each utterance counts in each draw; the first of the (1 + R,) has each once.

    Parameters
    ----------
    speakers
        (n,) names.
    replicates, seed
        Draws, and their seed.
    """

    def __init__(self, speakers: Sequence[Any], replicates: int, seed: int) -> None:
        names, self._code = np.unique(np.asarray(speakers, dtype=object).astype(str), return_inverse=True)
        drawn = draw_speakers(len(names), replicates, seed) if len(names) else np.zeros((replicates, 0))
        self._times = np.concatenate([np.ones((1, len(names))), drawn])

    def sums(self, values: np.ndarray) -> np.ndarray:
        """Return the sum of ``values`` (n,) in each draw, (1 + R,)."""
        per_speaker = np.bincount(self._code, weights=values.astype(float), minlength=self._times.shape[1])
        return np.asarray(self._times @ per_speaker)

    def share(self, values: np.ndarray, of: np.ndarray) -> np.ndarray:
        """Return the mean of ``values`` (n,) over the rows ``of`` (n,) bool, (1 + R,); NaN where there are none."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return self.sums(np.where(of, values, 0)) / self.sums(of)

    def area(self, scores: np.ndarray, wrong: np.ndarray, right: np.ndarray) -> np.ndarray:
        """Return the share of pairs of a wrong and a right row whose wrong one has the higher score, (1 + R,).

        Ties count half. It is the area under the ROC, and NaN without such pairs.
        """
        _, place = np.unique(scores, return_inverse=True)
        found = np.empty(len(self._times))
        for at, times in enumerate(self._times):
            weight = times[self._code]
            rights = np.bincount(place, weights=weight * right)
            wrongs = np.bincount(place, weights=weight * wrong)
            below = np.cumsum(rights) - rights / 2
            total = rights.sum() * wrongs.sum()
            found[at] = (wrongs * below).sum() / total if total else np.nan
        return found


def figure(values: np.ndarray) -> dict[str, float | None]:
    """Return the value and the bounds of 95 % of what was drawn, the first undrawn; None where there is nothing."""
    low, high = interval(values[1:])
    named = {"value": float(values[0]), "low": low, "high": high}
    return {name: None if np.isnan(number) else number for name, number in named.items()}


def flattened(prefix: str, found: Mapping[str, Any]) -> dict[str, Any]:
    """Return a `figure` as columns of a table: ``prefix``, ``prefix_low``, ``prefix_high``."""
    return {prefix: found["value"], f"{prefix}_low": found["low"], f"{prefix}_high": found["high"]}
