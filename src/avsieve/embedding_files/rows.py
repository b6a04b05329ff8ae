"""Judge the rows of a matrix, and take the bad ones out without a second copy of it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

_BLOCK = 1 << 14
# Squares of larger or smaller numbers leave single precision: a cosine could not be taken.
_LARGE, _SMALL = 1e15, 1e-15

NOT_A_NUMBER, INFINITE, ZERO = "NaN among its numbers", "infinity among its numbers", "all its numbers are zero"


def as_floats(matrix: np.ndarray) -> np.ndarray:
    """Return (N, D) in half or single precision and the machine's byte order; a copy only where that differs."""
    if matrix.dtype.itemsize > 4:
        with np.errstate(over="ignore", invalid="ignore"):  # too large: judged as infinite
            return matrix.astype(np.float32)
    return matrix if matrix.dtype.isnative else matrix.astype(matrix.dtype.newbyteorder("="))


def judge(matrix: np.ndarray) -> tuple[np.ndarray, dict[int, str]]:
    """Find the rows of (N, D) that are no embeddings: row -> why.

    Rows whose numbers are so large or small that their length cannot be computed are scaled, which changes no cosine:
    the matrix that is returned is then another where the one given cannot be written to.
    """
    bad: dict[int, str] = {}
    for start in range(0, len(matrix), _BLOCK):
        block = matrix[start : start + _BLOCK]
        largest = _largest(block) if block.shape[1] else np.zeros(len(block))
        for i in np.flatnonzero(~np.isfinite(largest) | (largest == 0)).tolist():
            bad[start + i] = NOT_A_NUMBER if np.isnan(largest[i]) else INFINITE if largest[i] else ZERO
        if matrix.dtype != np.float16:
            far = np.flatnonzero(np.isfinite(largest) & (largest > 0) & ((largest > _LARGE) | (largest < _SMALL)))
            if len(far):
                if not matrix.flags.writeable:
                    matrix = matrix.copy()
                rows = start + far
                matrix[rows] = (matrix[rows].astype(np.float64) / largest[far, None].astype(np.float64)).astype(
                    np.float32
                )
    return matrix, bad


def _largest(block: np.ndarray) -> np.ndarray:
    """Return the largest magnitude of each row, (N,); NaN where a row has one."""
    if block.dtype == np.float16:  # numpy compares halves one by one; without their sign their bits are in order
        return (block.view(np.uint16) & 0x7FFF).max(axis=1).view(np.float16)
    return np.maximum(block.max(axis=1), -block.min(axis=1))


def without(matrix: np.ndarray, bad: Sequence[int]) -> np.ndarray:
    """Return the rows of (N, D) that are not ``bad`` (sorted), moved together in place where it can be written to."""
    if not bad:
        return matrix
    if not matrix.flags.writeable:
        return np.delete(matrix, list(bad), axis=0)
    to = bad[0]
    for begin, end in zip(bad, [*bad[1:], len(matrix)], strict=True):
        for start in range(begin + 1, end, _BLOCK):
            stop = min(start + _BLOCK, end)
            matrix[to : to + stop - start] = matrix[start:stop]
            to += stop - start
    return matrix[:to]
