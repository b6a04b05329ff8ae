"""What tells the content of a file: its bytes and a SHA-256; of a tar with an index that of the index.

The index holds a checksum of every member, and what stands between the members follows from it: it tells the content of
gigabytes, and is read in a moment. Imports nothing but the standard library.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

Digest = dict[str, int | str]
"""``bytes`` and ``sha256``, ``index_sha256`` or, of a very large file of the user's, ``mtime_ns``."""
LARGE = 2 * 2**30
"""Bytes up to which a file of the user's is told by its content; a larger one by its time."""


def sha256_of(path: str | Path) -> str:
    """Return the SHA-256 of a file as hexadecimal digits."""
    with Path(path).open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def index_of(path: Path) -> Path | None:
    """Return the index of a tar; None for any other file."""
    index = path.with_suffix(".parquet")
    return index if path.suffix == ".tar" and index.is_file() else None


def digest_of(path: Path, *, own: bool = True) -> Digest:
    """Return what tells the content of a file.

    Parameters
    ----------
    own
        Whether it is a file of the results: of the user's, tars have no index, and what is very large is not read.

    Raises
    ------
    OSError
        If it cannot be read.
    """
    stat = os.stat(path)  # noqa: PTH116 - a path as the user gave it
    if not own:
        if stat.st_size > LARGE:
            return {"bytes": stat.st_size, "mtime_ns": stat.st_mtime_ns}
    elif (index := index_of(path)) is not None:
        return {"bytes": stat.st_size, "index_sha256": sha256_of(index)}
    return {"bytes": stat.st_size, "sha256": sha256_of(path)}
