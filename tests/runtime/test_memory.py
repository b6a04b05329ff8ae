from __future__ import annotations

import ctypes
import subprocess
import sys

import pytest

PIECES = """
import numpy as np
from avsieve.runtime.memory import release_memory

def resident():
    with open("/proc/self/statm") as handle:
        return int(handle.read().split()[1]) * 4096 / 1e6

np.ones(4_000_000).sum()  # once this is freed, smaller arrays come from the heap
pieces = [np.ones(500_000) for _ in range(60)]
del pieces[:-1]  # the last one lies above the others
before = resident()
release_memory()
print(before - resident())
"""


@pytest.mark.skipif(
    sys.platform != "linux" or not hasattr(ctypes.CDLL(None), "malloc_trim"), reason="needs the C library of GNU"
)
def test_what_was_freed_below_what_is_in_use_goes_back_to_the_system() -> None:
    done = subprocess.run([sys.executable, "-c", PIECES], capture_output=True, text=True, check=True)
    assert float(done.stdout) > 150  # of 236 MB
