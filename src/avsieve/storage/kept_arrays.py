"""Arrays that a process keeps for as long as it runs, among many that it soon lets go."""

from __future__ import annotations

import mmap

import numpy as np


def kept(*arrays: np.ndarray) -> list[np.ndarray]:
    """Return copies of flat arrays, in memory of their own.

    Among what was read to make them they would keep the rest of the heap from going back to the system, and a worker
    process that Python's counters write to would have copies of its own. Give those of the widest numbers first.
    """
    memory, at, copies = mmap.mmap(-1, max(sum(array.nbytes for array in arrays), 1)), 0, []
    for array in arrays:
        copies.append(np.frombuffer(memory, array.dtype, len(array), at))
        copies[-1][:] = array
        at += array.nbytes
    return copies
