"""How many cores there are to compute on, and BLAS kept to one of them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from threadpoolctl import threadpool_limits


def granted_cores() -> int:
    """Return how many cores this process may use: those of its affinity, or fewer where the environment says so.

    ``OMP_NUM_THREADS`` and ``OPENBLAS_NUM_THREADS`` are what a scheduler sets.
    """
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    told = (os.environ.get(name, "") for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"))
    return min([cores, *(int(count) for count in told if count.isdecimal() and int(count))])


@contextmanager
def one_core_for_blas(with_scipy: bool = False) -> Iterator[None]:
    """Keep BLAS and OpenMP to one thread; ``with_scipy``: SciPy's too, where it is loaded in here.

    Threads of BLAS wait for each other by turning in circles. On matrices as small as those of one speaker that takes
    more than the product, and many times more where other programs hold a core.
    """
    # Only libraries that are loaded can be told; numpy and scipy each bring a BLAS of their own.
    import numpy  # noqa: F401

    if with_scipy:
        import scipy.linalg  # noqa: F401

    with threadpool_limits(limits=1):
        yield
