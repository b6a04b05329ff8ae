"""Score trials by matrix work: rows are gathered in blocks and multiplied, never one trial at a time.

Trials whose scores are equal are accepted together (`avsieve.evaluation.metrics`), so an error rate depends on which
scores are equal, and embeddings of few levels (binary, quantised, one file under several names) have many that are.
Rounding must not tear them apart: lengths, products and means are held in float64, whose error is below 1e-14, and each
score is brought to a grid last (`settle`).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from avsieve.errors import AvsieveError

BLOCK = 256  # two blocks of rows stay in the processor's second cache
STEPS = 1 << 20  # of the grid that scores lie on, in 1: below 1e-6, above the error that float32 embeddings come with
# Where a step of the grid ends, as a share of it. An irrational share: no fraction, however small, lies on a border,
# from where rounding would throw it to either side, as it would 1 / 2 ** 21 with a half.
_BORDER = (3 - math.sqrt(5)) / 2


@dataclass(frozen=True)
class Part:
    """One view of U utterances: vectors whose products are scores, and which utterances have one.

    Attributes
    ----------
    vectors
        (U, D) float64: of length 1, so that products are cosines, or a mean of such (`avsieve.evaluation.segments`);
        zero where absent.
    present
        (U,) bool.
    """

    vectors: np.ndarray
    present: np.ndarray

    @classmethod
    def of(cls, vectors: np.ndarray, present: np.ndarray | None = None) -> Part:
        """Normalise ``vectors`` (U, D); rows of length 0 or marked absent are absent."""
        unit = np.array(vectors, dtype=np.float64)  # a copy: it is scaled in place
        lengths = np.sqrt(np.einsum("ij,ij->i", unit, unit))
        there = lengths > 0 if present is None else present & (lengths > 0)
        scale = np.divide(1.0, lengths, out=np.zeros_like(lengths), where=there)
        unit *= scale[:, None]
        return cls(unit, there)

    def followed_by(self, other: Part) -> Part:
        """Return the rows of both, those of ``other`` behind its own."""
        return Part(np.concatenate([self.vectors, other.vectors]), np.concatenate([self.present, other.present]))


def align(utterances: Sequence[str], known: Sequence[str], embeddings: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Bring ``embeddings`` (N, D) of the utterances ``known`` into the order of ``utterances`` (U).

    Returns
    -------
    (U, D) float32, zero where an utterance has no embedding, and (U,) bool, where it has one.
    """
    found = pc.index_in(pa.array(utterances, pa.string()), value_set=pa.array(known, pa.string()))
    rows = found.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64)
    present = rows >= 0
    if not len(known):
        return np.zeros((len(rows), embeddings.shape[1]), dtype=np.float32), present
    out = embeddings[np.maximum(rows, 0)].astype(np.float32, copy=False)
    out[~present] = 0.0
    return out, present


def settle(scores: np.ndarray) -> np.ndarray:
    """Bring scores (float64) to the grid of `STEPS`, so that those that are equal but for rounding are equal.

    Returns
    -------
    float32; within 1 the grid's values are exact in it, NaN stays.
    """
    return (np.floor(scores * STEPS + (1 - _BORDER)) / STEPS).astype(np.float32)


def cosines(part: Part, enrol: np.ndarray, test: np.ndarray) -> np.ndarray:
    """Return the cosine of each trial's two sides: (T,) float64, not settled, NaN where a side is absent."""
    scores = np.empty(len(enrol), dtype=np.float64)
    left = np.empty((BLOCK, part.vectors.shape[1]), dtype=np.float64)
    right = np.empty_like(left)
    for start in range(0, len(enrol), BLOCK):
        block = slice(start, start + BLOCK)
        n = len(enrol[block])
        np.take(part.vectors, enrol[block], axis=0, out=left[:n], mode="clip")  # clip: writes to out without a copy
        np.take(part.vectors, test[block], axis=0, out=right[:n], mode="clip")
        np.einsum("ij,ij->i", left[:n], right[:n], out=scores[block])
    scores[~(part.present[enrol] & part.present[test])] = np.nan
    return scores


def mean_of_cosines(parts: Sequence[Part], enrol: np.ndarray, test: np.ndarray) -> np.ndarray:
    """Average the cosines of the parts that both sides of a trial have.

    A trial that lacks one modality is scored by the other; one that lacks all is NaN, for the caller to count and name.

    Returns
    -------
    (T,) float32.

    Raises
    ------
    AvsieveError
        If there are no parts.
    """
    return mean_of_present([cosines(part, enrol, test) for part in parts])


def mean_of_present(scores: Sequence[np.ndarray]) -> np.ndarray:
    """Average the scores (T,) of several parts, each trial over those that are not NaN, and `settle` the mean.

    Returns
    -------
    (T,) float32, NaN where all are.

    Raises
    ------
    AvsieveError
        If there are no parts.
    """
    if not scores:
        raise AvsieveError("nothing to score with; give the embeddings of at least one modality")
    total, count = np.zeros(len(scores[0])), np.zeros(len(scores[0]))
    for values in scores:
        there = ~np.isnan(values)
        total[there] += values[there]
        count += there
    return settle(np.divide(total, count, out=np.full(len(total), np.nan), where=count > 0))
