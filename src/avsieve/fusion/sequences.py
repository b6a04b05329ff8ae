"""Sequences of embeddings, as models are given them: the segments or faces of utterances, a batch at a time.

The faces of VoxCeleb2 are some 40 GB as one array. So a stream holds something that reads rows of it
(`Sequences`), and only batches are ever whole.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields

import numpy as np

from avsieve.errors import AvsieveError
from avsieve.storage.sequence_names import FRAMES

__all__ = [
    "FRAMES", "HeldSequences", "Reading", "Rows", "SequenceBatch", "Sequences", "empty_batch", "places_of",
]  # fmt: skip


@dataclass(frozen=True)
class SequenceBatch:
    """The segments or faces of B utterances in the order of time, padded to the longest.

    Attributes
    ----------
    vectors
        (B, T, D) float32, as the encoder returned them; zero where there is none.
    mask
        (B, T) bool, which exist: from the first on, without gaps.
    start_s, length_s
        (B, T) float32, seconds: when each begins and how long it is; NaN where that is not known. A face has length 0.
    quality
        (B, T) float32, NaN where it is not known.
    """

    vectors: np.ndarray
    mask: np.ndarray
    start_s: np.ndarray
    length_s: np.ndarray
    quality: np.ndarray

    def __post_init__(self) -> None:
        shape = self.vectors.shape[:2]
        for name in ("mask", "start_s", "length_s", "quality"):
            if getattr(self, name).shape != shape:
                raise AvsieveError(f"{name} of shape {getattr(self, name).shape} for a sequence of shape {shape}")

    def take(self, places: np.ndarray, mask: np.ndarray) -> SequenceBatch:
        """Return the items at ``places`` (B, K) of each row, those of them that ``mask`` (B, K) says exist."""
        if not self.mask.shape[1]:  # nobody has any
            return empty_batch(len(places), places.shape[1], self.vectors.shape[2])
        rows = np.arange(len(places))[:, None]
        there = mask & self.mask[rows, places]
        taken = {f.name: getattr(self, f.name)[rows, places] for f in fields(self)}
        taken["vectors"] = np.where(there[..., None], taken["vectors"], np.float32(0))
        for name in ("start_s", "length_s", "quality"):
            taken[name] = np.where(there, taken[name], np.float32(np.nan))
        return SequenceBatch(**taken | {"mask": there})


def empty_batch(rows: int, longest: int, dim: int) -> SequenceBatch:
    """Return a batch in which nobody has anything."""
    unknown = np.full((rows, longest), np.nan, np.float32)
    return SequenceBatch(
        np.zeros((rows, longest, dim), np.float32), np.zeros((rows, longest), bool), unknown, unknown, unknown
    )


class Sequences(ABC):
    """The segments or faces of U utterances, read on demand.

    Attributes
    ----------
    dim
        Length of an embedding.
    counts
        (U,) int64, how many each utterance has.
    """

    dim: int
    counts: np.ndarray

    @abstractmethod
    def read(self, rows: np.ndarray) -> SequenceBatch:
        """Return the sequences of ``rows`` (B,), which may repeat. Reading is safe from several threads."""

    def read_at(self, rows: np.ndarray, places: np.ndarray, mask: np.ndarray) -> SequenceBatch:
        """Return the items at ``places`` (B, K) of each of ``rows``, those of them that ``mask`` (B, K) says exist."""
        return self.read(rows).take(places, mask)

    def without(self, missing: np.ndarray) -> Sequences:
        """Return the same with nothing where ``missing`` (U,) is set."""
        return Rows([self], np.zeros(len(missing), np.int64), np.where(missing, -1, np.arange(len(missing))))

    def of(self, rows: np.ndarray) -> Sequences:
        """Return those of ``rows``, in that order."""
        return Rows([self], np.zeros(len(rows), np.int64), np.asarray(rows))


class HeldSequences(Sequences):
    """Sequences that are held in memory, padded: for small sets.

    Parameters
    ----------
    vectors, mask
        (U, T, D) float32 and (U, T) bool, what exists of each row from the first on.
    start_s, length_s, quality
        (U, T) float32 each, NaN where nothing is given.
    """

    def __init__(
        self,
        vectors: np.ndarray,
        mask: np.ndarray,
        start_s: np.ndarray | None = None,
        length_s: np.ndarray | None = None,
        quality: np.ndarray | None = None,
    ) -> None:
        if vectors.ndim != 3 or vectors.shape[:2] != mask.shape:
            raise AvsieveError(f"a sequence of shape {vectors.shape} with a mask of shape {mask.shape}")
        self.counts = mask.sum(axis=1)
        if not np.array_equal(mask, np.arange(mask.shape[1])[None] < self.counts[:, None]):
            raise AvsieveError("a sequence has gaps; expected what exists of a row from its first place on")
        self.dim = int(vectors.shape[2])
        unknown = np.full(mask.shape, np.nan, np.float32)
        self._all = SequenceBatch(
            np.where(mask[..., None], vectors, 0).astype(np.float32),
            mask,
            *(unknown if given is None else given.astype(np.float32) for given in (start_s, length_s, quality)),
        )

    def read(self, rows: np.ndarray) -> SequenceBatch:
        """Return the sequences of ``rows``."""
        longest = int(self.counts[rows].max(initial=0))
        return SequenceBatch(*(getattr(self._all, f.name)[rows, :longest] for f in fields(SequenceBatch)))


class Rows(Sequences):
    """Rows of other sequences: some of them, in another order, of several, or nothing.

    Parameters
    ----------
    sources
        Sequences of one ``dim``.
    source, row
        (U,) int64: which of them each row comes from, and where it stands there; -1 where it has nothing.
    """

    def __init__(self, sources: list[Sequences], source: np.ndarray, row: np.ndarray) -> None:
        dims = {s.dim for s in sources}
        if len(dims) != 1:
            raise AvsieveError(f"sequences of embeddings of lengths {sorted(dims)}; expected one length")
        self.dim = dims.pop()
        self._sources, self._source, self._row = sources, source, row
        self.counts = np.zeros(len(row), np.int64)
        for number, own in enumerate(sources):
            mine = (source == number) & (row >= 0)
            self.counts[mine] = own.counts[row[mine]]

    def read(self, rows: np.ndarray) -> SequenceBatch:
        """Return the sequences of ``rows``."""
        longest = int(self.counts[rows].max(initial=0))
        return self._gathered(rows, longest, lambda own, mine: own.read(self._row[rows[mine]]))

    def read_at(self, rows: np.ndarray, places: np.ndarray, mask: np.ndarray) -> SequenceBatch:
        """Return the items at ``places`` (B, K) of each row."""
        return self._gathered(
            rows, places.shape[1], lambda own, mine: own.read_at(self._row[rows[mine]], places[mine], mask[mine])
        )

    def _gathered(
        self, rows: np.ndarray, longest: int, read: Callable[[Sequences, np.ndarray], SequenceBatch]
    ) -> SequenceBatch:
        """Put together what ``read`` returns of each source, for the positions of ``rows`` that come from it."""
        out = empty_batch(len(rows), longest, self.dim)
        arrays = {f.name: getattr(out, f.name).copy() for f in fields(out)}
        for number, own in enumerate(self._sources):
            mine = np.flatnonzero((self._source[rows] == number) & (self._row[rows] >= 0))
            if len(mine):
                batch = read(own, mine)
                for name, array in arrays.items():
                    values = getattr(batch, name)
                    array[mine, : values.shape[1]] = values
        return SequenceBatch(**arrays)


@dataclass(frozen=True)
class Reading:
    """What a model reads of a modality's sequences.

    Attributes
    ----------
    sequence
        Which: `FRAMES`, or the name of a segmentation (`audio.segments`).
    count
        As many items, spread evenly over those that there are; 0 for all.
    """

    sequence: str
    count: int = 0

    def read(
        self, sequences: Mapping[str, Sequences], rows: np.ndarray, rng: np.random.Generator | None
    ) -> SequenceBatch:
        """Read the sequences of ``rows``: the same items each time, or others with an ``rng`` (`places_of`)."""
        own = sequences[self.sequence]
        if not self.count:
            return own.read(rows)
        return own.read_at(rows, *places_of(own.counts[rows], self.count, rng))


def places_of(counts: np.ndarray, wanted: int, rng: np.random.Generator | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Choose ``wanted`` items of each sequence, one from each of as many equal parts, in the order of time.

    Where a sequence has fewer, each of its items is there once and the rest is masked: nothing is repeated.

    Parameters
    ----------
    counts
        (B,) int64.
    wanted
        How many.
    rng
        Draws an item of each part, as RJCA does in training (Praveen and Alam, FG 2024); without it the one in the
        middle is taken.

    Returns
    -------
    (B, wanted) int64 places, and (B, wanted) bool, which of them exist.
    """
    n = np.asarray(counts, np.int64)[:, None]
    k = np.arange(wanted)[None, :]
    begin, end = k * n // wanted, (k + 1) * n // wanted
    within = np.full(begin.shape, 0.5) if rng is None else rng.random(begin.shape)
    spread = begin + np.minimum((within * (end - begin)).astype(np.int64), np.maximum(end - begin - 1, 0))
    few = n < wanted
    return np.where(few, np.minimum(k, np.maximum(n - 1, 0)), spread), np.where(few, k < n, True)
