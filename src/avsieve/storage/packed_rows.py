"""Rows of half-precision embeddings in a file without a name: written once, in any order, then read anywhere."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import BinaryIO

import numpy as np

from avsieve.errors import AvsieveError
from avsieve.runtime.scratch import scratch_folder

HELD_BYTES = 256 * 2**20
"""Embeddings that take no more are held in memory."""


class PackedRows:
    """Rows of half-precision embeddings, one behind the other: written once, then read anywhere.

    Rows that nobody writes are zero. A sum of each row is held in memory and compared when it is read from the file.

    Parameters
    ----------
    rows, dim
        How many, and the length of each.
    scratch
        The folder of the file that holds them, where they take more than `HELD_BYTES` and `$TMPDIR` has no room
        (`avsieve.runtime.scratch`): no file system in memory. The file has no name, so that nothing is left behind,
        however the process ends.
    """

    def __init__(self, rows: int, dim: int, scratch: Path) -> None:
        self.dim, self.rows = dim, rows
        self._row_bytes, self._scratch = 2 * dim, scratch
        self._held: np.ndarray | None = None
        self._file: BinaryIO | None = None
        self._sums: np.ndarray | None = None
        if rows * self._row_bytes <= HELD_BYTES:
            self._held = np.zeros((rows, dim), np.float16)
        else:
            self._scratch = scratch = scratch_folder(scratch, rows * self._row_bytes)
            self._file = tempfile.TemporaryFile(dir=scratch, buffering=0)
            os.ftruncate(self._file.fileno(), rows * self._row_bytes)
            self._sums = np.zeros(rows, np.uint64)

    def write(self, at: int, vectors: np.ndarray) -> None:
        """Write (n, dim) float16 from row ``at`` on.

        Raises
        ------
        AvsieveError
            If the disk is full.
        """
        if self._held is not None:
            self._held[at : at + len(vectors)] = vectors
            return
        assert self._file is not None  # one of both
        assert self._sums is not None
        vectors = np.ascontiguousarray(vectors)
        self._sums[at : at + len(vectors)] = _sums(vectors)
        left, offset = vectors.reshape(-1).view(np.uint8).data, at * self._row_bytes
        try:
            while left:
                done = os.pwrite(self._file.fileno(), left, offset)
                left, offset = left[done:], offset + done
        except OSError as error:
            raise AvsieveError(
                f"{self._scratch}: {error.strerror} while embeddings were put into a scratch file of "
                f"{self.rows * self._row_bytes / 1e9:.1f} GB there; make room, or set TMPDIR to a folder with more"
            ) from error

    def read(self, begins: np.ndarray, counts: np.ndarray) -> np.ndarray:
        """Return the rows of some pieces, one behind the other, (sum of counts, dim) float16; safe from any thread.

        Raises
        ------
        AvsieveError
            If the file was cut off, or a row is not what was written.
        """
        ends = np.cumsum(counts)
        total = int(ends[-1]) if len(ends) else 0
        rows = np.repeat(begins, counts) + np.arange(total) - np.repeat(ends - counts, counts)
        if self._held is not None:
            return self._held[rows]
        if not total:
            return np.empty((0, self.dim), np.float16)
        assert self._file is not None  # one of both
        assert self._sums is not None
        out = np.empty((total, self.dim), np.float16)
        buffer, handle = out.reshape(-1).view(np.uint8).data, self._file.fileno()
        # Pieces that follow each other in the file are one read.
        joins = np.flatnonzero(np.r_[True, begins[1:] != begins[:-1] + counts[:-1]])
        stops = [*joins[1:].tolist(), len(begins)]
        pieces = [
            (int(begins[first]), int(ends[first] - counts[first]), int(ends[last - 1]))
            for first, last in zip(joins.tolist(), stops, strict=True)
        ]
        self._announce(handle, pieces)
        for begin, place, stop in pieces:
            offset, place, stop = (number * self._row_bytes for number in (begin, place, stop))
            while place < stop:
                done = os.preadv(handle, [buffer[place:stop]], offset)
                if not done:
                    raise AvsieveError(f"{self._scratch}: the scratch file there is shorter than what was written")
                place, offset = place + done, offset + done
        if len(wrong := np.flatnonzero(_sums(out) != self._sums[rows])):
            raise AvsieveError(
                f"{self._scratch}: row {rows[wrong[0]]} of the scratch file there is not what was written "
                f"({len(wrong)} of {total} rows); its disk or the memory is at fault: write the output elsewhere, and "
                "run it again"
            )
        return out

    def _announce(self, handle: int, pieces: list[tuple[int, int, int]]) -> None:
        """Have the system fetch all pieces at once: one after the other, a disk is asked for one at a time."""
        if len(pieces) > 1 and hasattr(os, "posix_fadvise"):
            for begin, place, stop in pieces:
                size = (stop - place) * self._row_bytes
                os.posix_fadvise(handle, begin * self._row_bytes, size, os.POSIX_FADV_WILLNEED)


def _sums(rows: np.ndarray) -> np.ndarray:
    """Return a sum of each row of (n, dim) float16, (n,) uint64: no single damaged word leaves it as it was."""
    words = np.uint64 if rows.shape[1] % 4 == 0 else np.uint16  # four numbers at a time where they fill whole words
    sums: np.ndarray = rows.view(words).sum(axis=1, dtype=np.uint64)
    return sums
