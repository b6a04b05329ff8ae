"""Memory that was freed but is still held: allocators keep it, and what comes next may not fit into its pieces."""

from __future__ import annotations

import ctypes
import sys


def release_memory() -> None:
    """Give what Arrow and the C library hold without use back to the system, as far as they offer it."""
    import pyarrow as pa

    pa.default_memory_pool().release_unused()
    # What is no C library of GNU's does not have it.
    if sys.platform == "linux" and (trim := getattr(ctypes.CDLL(None), "malloc_trim", None)):
        trim(0)
