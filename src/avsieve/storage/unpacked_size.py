"""Files that are small on the disk and endless in memory: their directories tell, before anything is unpacked.

Embeddings hardly compress, and weights neither. A table of ids and of few different values does, by some hundred times.
What claims more than a thousand is no file that anybody keeps.
"""

from __future__ import annotations

import os
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow.parquet as pq

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


def check_parquet(file: pq.ParquetFile, size: int) -> None:
    """Refuse a Parquet file that claims a thousand times more values than it has bytes.

    Raises
    ------
    ValueError
        With both numbers.
    """
    meta = file.metadata
    most = max(_HARMLESS_VALUES, _TIMES * size)
    claimed = meta.num_rows
    for group in range(meta.num_row_groups):
        row_group = meta.row_group(group)
        claimed = max(claimed, *(row_group.column(i).num_values for i in range(row_group.num_columns)), 0)
    if claimed > most:
        raise ValueError(f"{size} bytes that claim to hold {claimed} values")
