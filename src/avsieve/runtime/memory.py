"""Memory that was freed but is still held: allocators keep it, and what comes next may not fit into its pieces."""

from __future__ import annotations

import ctypes
import sys

MORE_MEMORY = (
    "run fewer jobs or threads at a time (snakemake --cores), give the job more memory (mem_mb of its rule on a "
    "cluster), or have more shards, which are smaller (shards in the configuration)"
)
"""The remedy for a process that ran out of memory."""


def release_memory() -> None:
    """Give what Arrow and the C library hold without use back to the system, as far as they offer it."""
    import pyarrow as pa

    pa.default_memory_pool().release_unused()
    # What is no C library of GNU's does not have it.
    if sys.platform == "linux" and (trim := getattr(ctypes.CDLL(None), "malloc_trim", None)):
        trim(0)
