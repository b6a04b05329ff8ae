"""Sequences as a damage would leave them where there is no signal: what `avsieve.fusion.damage.stand_in` makes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from avsieve.fusion.sequences import SequenceBatch, Sequences

_ONLY_ROUNDING = 1e-6


class MovedSequences(Sequences):
    """Sequences whose items are moved, all those of an utterance in one direction, or of which one item is left.

    With x an item at length 1, the moved one is ``c x + sqrt(1 - c^2) r``, at the length that it had: r is what is
    orthogonal to x in the utterance's direction, at length 1. A noise or a blur is the same in all of a recording, so
    it does not average out over its items.

    Parameters
    ----------
    source
        Sequences of U utterances.
    similarity, directions
        (U,) the cosine c, and (U, D) of length 1; a zero direction moves nothing.
    only
        (U,) int64, the place of the one item that is left, as it was; -1 where all are.
    """

    def __init__(self, source: Sequences, similarity: np.ndarray, directions: np.ndarray, only: np.ndarray) -> None:
        self._source, self._only = source, only
        self._similarity, self._directions = similarity.astype(np.float32), directions.astype(np.float32)
        self.dim = source.dim
        self.counts = np.where(only >= 0, np.minimum(source.counts, 1), source.counts)

    def read(self, rows: np.ndarray) -> SequenceBatch:
        """Return the sequences of ``rows`` (B,)."""
        counts = self.counts[rows]
        steps = np.broadcast_to(np.arange(int(counts.max(initial=0))), (len(rows), int(counts.max(initial=0))))
        return self.read_at(rows, steps, steps < counts[:, None])

    def read_at(self, rows: np.ndarray, places: np.ndarray, mask: np.ndarray) -> SequenceBatch:
        """Return the items at ``places`` (B, K) of each of ``rows``, those of them that ``mask`` (B, K) says exist."""
        only = self._only[rows][:, None]
        batch = self._source.read_at(
            rows, np.where(only >= 0, only, places), mask & (places < self.counts[rows][:, None])
        )
        return replace(batch, vectors=np.where(only[..., None] >= 0, batch.vectors, self._moved(batch.vectors, rows)))

    def _moved(self, vectors: np.ndarray, rows: np.ndarray) -> np.ndarray:
        lengths = np.linalg.norm(vectors, axis=2, keepdims=True)
        x = vectors / np.where(lengths > 0, lengths, 1)
        direction = self._directions[rows][:, None]
        rest = direction - (direction * x).sum(axis=2, keepdims=True) * x
        size = np.linalg.norm(rest, axis=2, keepdims=True)
        c = self._similarity[rows][:, None, None]
        moved = (c * x + np.sqrt(1 - c**2) * rest / np.where(size > 0, size, 1)) * lengths
        return np.where(size > _ONLY_ROUNDING, moved, vectors)
