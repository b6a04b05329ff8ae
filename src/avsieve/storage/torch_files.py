"""Files that ``torch.save`` wrote, of which nothing but data is read: no code in them runs, and no bomb unpacks.

Torch is loaded when a file is: stages that read embeddings may run in an environment without it.
"""

from __future__ import annotations

import errno
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

from avsieve.storage.unpacked_size import check_zip


@contextmanager
def _within() -> Iterator[None]:
    """Take a place outside of the file, which a damaged directory names, for damage and not for a fault of the disk."""
    try:
        yield
    except OSError as error:
        if error.errno != errno.EINVAL:
            raise
        raise ValueError("its directory names places outside of it") from error


def load_torch(path: str | Path) -> Any:
    """Read a file on the CPU, with ``weights_only=True``.

    Raises
    ------
    Exception
        What torch raises at a damaged file or at one that holds more than data, of many kinds
        (`avsieve.encoders.checkpoint.DAMAGED`).
    ValueError
        If it claims to be a thousand times as large, or names places outside of itself.
    OSError
        If the system cannot read it.
    """
    torch = import_module("torch")
    with _within():
        if zipfile.is_zipfile(path):
            check_zip(path)
        return torch.load(path, map_location="cpu", weights_only=True)


def unsafe_globals(path: str | Path) -> list[str]:
    """Return the names in a file for which ``weights_only=True`` refuses it; raises as `load_torch` does."""
    torch = import_module("torch")
    with _within():
        return list(torch.serialization.get_unsafe_globals_in_checkpoint(path))
