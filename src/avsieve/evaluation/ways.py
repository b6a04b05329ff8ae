"""Score a system in every way that is reported: raw, and with a cohort normalised (AS-norm)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from avsieve.evaluation.as_norm import Cohort, mean_of_as_norms
from avsieve.evaluation.scoring import Part, mean_of_cosines
from avsieve.evaluation.trials import Trials

RAW, AS_NORM = "raw", "as_norm"


@dataclass(frozen=True)
class Embedded:
    """A part of a system: what it makes of the utterances of the trials, and of the cohort's where there is one."""

    trials: Part
    cohort: Part | None = None


Scorer = Callable[[Sequence[Part], np.ndarray, np.ndarray], np.ndarray]


def score(
    embedded: Sequence[Embedded], trials: Trials, cohort: Cohort | None = None, scorer: Scorer = mean_of_cosines
) -> dict[str, np.ndarray]:
    """Score each trial, by the mean over the parts of a system that both of its sides have unless told otherwise.

    Parameters
    ----------
    embedded
        The system's parts, in the order of ``trials.utterances`` and ``cohort.utterances``.
    trials, cohort
        The list, and the cohort of the AS-norm; without one, or where a part has none, there are raw scores only.
    scorer
        What the raw scores of parts, and rows of them, are; the AS-norm is of cosines.

    Returns
    -------
    ``raw`` and ``as_norm`` -> (T,) float32, NaN where a trial cannot be scored.

    Raises
    ------
    AvsieveError
        If there are no parts, or the cohort does not suffice.
    """
    parts = [part.trials for part in embedded]
    scores = {RAW: scorer(parts, trials.enrol, trials.test)}
    others = [part.cohort for part in embedded if part.cohort is not None]
    if cohort is not None and len(others) == len(parts):
        scores[AS_NORM] = mean_of_as_norms(parts, others, cohort, trials.enrol, trials.test)
    return scores
