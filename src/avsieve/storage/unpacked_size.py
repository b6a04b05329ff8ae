"""Files that are small on the disk and endless in memory: their directories tell, before anything is unpacked.

Embeddings hardly compress, and weights neither. A table of ids and of few different values does, by some hundred times.
What claims more than a thousand is no file that anybody keeps.
"""

from __future__ import annotations

import os
import zipfile
from pathlib import Path

from avsieve.storage.parquet_footer import Claim, claim_of

_TIMES = 1000
_HARMLESS = 256 << 20
"""Bytes that may come of any file."""
_HARMLESS_VALUES = _HARMLESS // 8


def check_zip(path: str | Path) -> None:
    """Refuse a zip (an npz, a file of torch) whose members would be a thousand times its size.

    Readers stop at the size that the directory claims of a member, so what it claims is what can come of it.

    Raises
    ------
    ValueError
        With both sizes.
    zipfile.BadZipFile
        If it is no zip.
    """
    size = os.stat(path).st_size  # noqa: PTH116 - also of an open path
    with zipfile.ZipFile(path) as archive:
        claimed = sum(info.file_size for info in archive.infolist())
    if claimed > max(_HARMLESS, _TIMES * size):
        raise ValueError(f"{size} bytes that claim to hold {claimed}")


def check_parquet(path: str | Path) -> Claim:
    """Refuse a Parquet file that claims a thousand times more values than it has bytes, before Arrow opens it.

    Returns
    -------
    Claim
        What its footer claims.

    Raises
    ------
    ValueError
        With both numbers; or as `avsieve.storage.parquet_footer.claim_of`.
    OSError
        If the file cannot be read.
    """
    size = os.stat(path).st_size  # noqa: PTH116 - also of an open path
    claim = claim_of(path)
    claimed = max(claim)
    if claimed > max(_HARMLESS_VALUES, _TIMES * size):
        raise ValueError(f"{size} bytes that claim to hold {claimed} values")
    return claim
