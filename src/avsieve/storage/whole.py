"""Whether files are what was written, by the checksums in them: what `avsieve verify` asks of each."""

from __future__ import annotations

import mmap
import zlib
from pathlib import Path

import numpy as np

from avsieve.errors import AvsieveError
from avsieve.storage.file_digest import Digest, digest_of, index_of
from avsieve.storage.indexed_tar import INDEX_COLUMNS, header_of
from avsieve.storage.tables import open_table
from avsieve.storage.tar_index import padded


def trouble_of(path: Path, expected: Digest | None = None) -> str:
    """Return what is wrong with a file of the results, in words; empty where it is what was written.

    Parameters
    ----------
    expected
        What its record says of it. Without one, tars and tables are checked by the checksums in them, and no other file
        can be told.
    """
    try:
        if expected is not None:
            found = digest_of(path)
            if found["bytes"] != expected["bytes"]:
                return f"{found['bytes']:,} bytes, expected {expected['bytes']:,}"
            if "index_sha256" in expected and "index_sha256" not in found:
                return "its index is gone"
            if found != expected:
                return ("its index" if "index_sha256" in found else "its content") + " is not what was written"
        if index_of(path) is not None:
            return _tar_trouble(path)
        return _table_trouble(path) if expected is None and path.suffix == ".parquet" else ""
    except AvsieveError as error:
        return str(error).removeprefix(f"{path}: ").partition("; remove it")[0]
    except OSError as error:
        return f"cannot be read ({error.strerror})"


def _table_trouble(path: Path) -> str:
    with open_table(path) as file:
        for _ in file.iter_batches(use_threads=False):
            pass
    return ""


def _tar_trouble(path: Path) -> str:
    """Compare headers, contents and padding of every member with the index."""
    with open_table(path.with_suffix(".parquet"), INDEX_COLUMNS) as file:
        index = file.read(columns=INDEX_COLUMNS, use_threads=False)  # each process has a core of its own
    names = index["name"]
    offsets, sizes, crcs = (index[column].to_numpy() for column in ("offset", "size", "crc32"))
    size = path.stat().st_size
    if len(index) and int((offsets + sizes).max()) > size:
        return f"its index reaches to byte {int((offsets + sizes).max()):,}, it has {size:,}"
    if not size:
        return "it is empty"
    bad, end = [], 0
    with path.open("rb") as handle, mmap.mmap(handle.fileno(), 0, access=mmap.ACCESS_READ) as content:
        if hasattr(content, "madvise"):
            content.madvise(mmap.MADV_SEQUENTIAL)
        for row in range(len(index)):
            name, begin, length = names[row].as_py(), int(offsets[row]), int(sizes[row])
            stop = begin + padded(length)
            if (
                content[end:begin] != header_of(name, length)
                or any(content[begin + length : stop])
                or zlib.crc32(memoryview(content)[begin : begin + length]) != crcs[row]
            ):
                bad.append(name)
            end = stop
        rest = content[end:]
    if bad:
        return f"{len(bad)} of {len(index)} members are not what was written, the first {bad[0]}"
    return "" if not np.frombuffer(rest, np.uint8).any() else "bytes behind its last member"
