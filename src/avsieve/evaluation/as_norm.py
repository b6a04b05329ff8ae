"""Adaptive symmetric score normalisation with a cohort that is the same for every system.

Each side of a trial is scored against the centres of a cohort of other speakers, and the mean and the deviation of its
``top`` highest of these scores tell how high a stranger may score with it. The trial's score becomes

    s' = ((s - mean_enrol) / deviation_enrol + (s - mean_test) / deviation_test) / 2

(Matějka et al.: "Analysis of Score Normalization in Multilingual Speaker Recognition", Interspeech 2017; adaptive
S-norm, each side with its own nearest cohort). The cohort is a list of utterances, written once: comparing a model
before and after the cleansing of its training list means the same cohort speakers and utterances for both, only
embedded by the model in question. A system of several parts (voice and face) has each part normalised by itself, then
averaged.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from avsieve.errors import AvsieveError
from avsieve.evaluation.scoring import Part, cosines, mean_of_present
from avsieve.evaluation.trials import Trials

BLOCK_SCORES = 1 << 21  # scores of utterances against the cohort that are held at a time: 16 MB


@dataclass(frozen=True)
class Cohort:
    """The utterances of a cohort and their speakers, whatever they are embedded with.

    Attributes
    ----------
    utterances
        C ids.
    top
        How many of the highest cohort scores count.
    """

    utterances: list[str]
    top: int

    @property
    def speakers(self) -> list[str]:
        """The speaker of each utterance."""
        return [u.split("/", 1)[0] for u in self.utterances]

    def check(self, trials: Trials) -> None:
        """Refuse a cohort that shares speakers with the trials, or that is too small.

        Raises
        ------
        AvsieveError
            Naming how many and an example.
        """
        speakers = set(self.speakers)
        if shared := sorted(speakers & set(trials.speakers()[0])):
            raise AvsieveError(
                f"{len(shared)} of {len(speakers)} cohort speakers are in the trials (for example {shared[0]}); "
                "a cohort must contain other people: remove them from the list"
            )
        if not 2 <= self.top <= len(speakers):
            raise AvsieveError(
                f"the top {self.top} of a cohort of {len(speakers)} speakers; expected from 2 to {len(speakers)}: "
                "lower top, or name a larger cohort"
            )


def cohort_centres(part: Part, speakers: Sequence[str]) -> np.ndarray:
    """Return the mean vector of each speaker, brought to length 1: (K, D) float64, speakers without a vector left out.

    Parameters
    ----------
    part
        The cohort's C utterances.
    speakers
        The speaker of each, (C,).
    """
    _, codes = np.unique(np.asarray(speakers), return_inverse=True)
    rows = np.flatnonzero(part.present)
    rows = rows[np.argsort(codes[rows], kind="stable")]
    if not len(rows):
        return np.zeros((0, part.vectors.shape[1]))
    begins = np.flatnonzero(np.r_[True, np.diff(codes[rows]) > 0])
    sums = np.add.reduceat(part.vectors[rows], begins, axis=0)
    return Part.of(sums).vectors


def top_statistics(vectors: np.ndarray, centres: np.ndarray, top: int) -> tuple[np.ndarray, np.ndarray]:
    """Return mean and standard deviation of the ``top`` highest scores of each vector against the cohort.

    Works in blocks of vectors, so the memory does not grow with their number.

    Parameters
    ----------
    vectors
        (U, D) float64.
    centres
        (K, D) float64, K at least ``top``.

    Returns
    -------
    Two (U,) float64.
    """
    n, k = len(vectors), len(centres)
    mean, deviation = np.empty(n), np.empty(n)
    step = max(1, BLOCK_SCORES // k)
    for start in range(0, n, step):
        scores = vectors[start : start + step] @ centres.T
        if top < k:
            scores.partition(k - top, axis=1)
            scores = scores[:, k - top :]
        mean[start : start + step] = scores.mean(axis=1)
        deviation[start : start + step] = scores.std(axis=1)
    return mean, deviation


def as_norm(part: Part, centres: np.ndarray, top: int, enrol: np.ndarray, test: np.ndarray) -> np.ndarray:
    """Return the normalised scores (T,) float64 of one part, not settled; NaN where a side is absent.

    Raises
    ------
    AvsieveError
        If fewer than ``top`` speakers of the cohort have a vector, or an utterance's cohort scores are all alike.
    """
    if len(centres) < top:
        raise AvsieveError(
            f"{len(centres)} speakers of the cohort have an embedding, top is {top}; "
            "provide their embeddings too, or lower top"
        )
    mean, deviation = top_statistics(part.vectors, centres, top)
    if (part.present & (deviation < 1e-6)).any():
        raise AvsieveError(
            "an utterance has equal scores with all its nearest cohort speakers; is one speaker listed under several "
            "names?"
        )
    raw = cosines(part, enrol, test)
    deviation = np.where(part.present, deviation, 1.0)
    return ((raw - mean[enrol]) / deviation[enrol] + (raw - mean[test]) / deviation[test]) / 2


def mean_of_as_norms(
    parts: Sequence[Part], cohort_parts: Sequence[Part], cohort: Cohort, enrol: np.ndarray, test: np.ndarray
) -> np.ndarray:
    """Normalise each part by its own cohort scores and average what both sides of a trial have: (T,) float32.

    Parameters
    ----------
    parts, cohort_parts
        What a system makes of the trials' utterances and of the cohort's, in the same order.
    """
    speakers = cohort.speakers
    return mean_of_present(
        [
            as_norm(part, cohort_centres(other, speakers), cohort.top, enrol, test)
            for part, other in zip(parts, cohort_parts, strict=True)
        ]
    )
