"""Sequences whose embeddings lie packed in one file, the rows of an utterance in one piece: reading it is one read.

The file has no name and is no part of this process's memory, as mapped pages would be; the system keeps in its cache
what fits there. Few rows are kept in memory. `avsieve.fusion.sequence_files` fills it from the tables of the shards.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from avsieve.fusion.sequences import SequenceBatch, Sequences
from avsieve.storage.packed_rows import PackedRows

_AT_ONCE = 1 << 16  # rows that are read together, beside those of one long piece: 64 MiB of faces


class Facts(NamedTuple):
    """What is known of N rows: (N,) float32 each, or (1,) where it is the same of all."""

    start_s: np.ndarray
    length_s: np.ndarray
    quality: np.ndarray


class PackedSequences(Sequences):
    """Sequences whose embeddings are `PackedRows`; times and qualities lie in memory.

    Parameters
    ----------
    rows, facts
        The embeddings, and what is known of each, in the same order.
    begins, counts
        (U,) int64, where the piece of each utterance begins, and how many rows it has.
    """

    def __init__(self, rows: PackedRows, facts: Facts, begins: np.ndarray, counts: np.ndarray) -> None:
        self.dim, self.counts = rows.dim, counts
        self._rows, self._facts, self._begins = rows, facts, begins

    def read(self, rows: np.ndarray) -> SequenceBatch:
        """Return the sequences of ``rows`` (B,)."""
        counts = self.counts[rows]
        longest = int(counts.max(initial=0))
        steps = np.arange(longest)[None, :]
        return self.read_at(rows, np.broadcast_to(steps, (len(rows), longest)), steps < counts[:, None])

    def read_at(self, rows: np.ndarray, places: np.ndarray, mask: np.ndarray) -> SequenceBatch:
        """Return the items at ``places`` (B, K) of each row; nothing else is padded, however long a sequence is."""
        distinct, back = np.unique(rows, return_inverse=True)
        order = np.argsort(self._begins[distinct], kind="stable")
        begins, counts = self._begins[distinct[order]], self.counts[distinct[order]]
        before = np.cumsum(counts) - counts
        stretch = before // _AT_ONCE  # pieces that are read together: a few items of long ones need not lie in memory
        vectors = np.zeros((*mask.shape, self.dim), np.float32)
        within, number = np.empty((2, len(distinct)), np.int64)
        within[order], number[order] = before, stretch
        for own in np.unique(stretch).tolist():
            first, last = np.searchsorted(stretch, [own, own + 1])
            packed = self._rows.read(begins[first:last], counts[first:last])
            mine = mask & (number[back] == own)[:, None]
            vectors[mine] = packed[(within[back][:, None] - before[first] + places)[mine]]
        items = (self._begins[rows][:, None] + places)[mask]
        known = []
        for values in self._facts:
            array = np.full(mask.shape, np.nan, np.float32)
            array[mask] = values[0] if len(values) == 1 else values[items]
            known.append(array)
        return SequenceBatch(vectors, mask, *known)
