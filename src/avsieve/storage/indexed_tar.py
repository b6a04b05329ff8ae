"""Tars with an index: uncompressed, in WebDataset naming, with a Parquet table beside them for random access.

``NAME.tar`` holds the members, ``NAME.parquet`` one row per member: ``name``, ``utterance``, ``offset`` and ``size``
(bytes of the content in the tar) and ``crc32`` of the content. Times, owners and modes are constant, so equal content
gives equal bytes. Stages name a member after its utterance: ``UTTERANCE.wav``, ``UTTERANCE/0010.jpg``. Names that the
plain format has no room for stand in a header of their own (POSIX.1-2001, "pax"), which every tar reads. A member is
read through ``mmap``: no open per file, no copy until the caller wants one. Its checksum is compared on the way
(`benchmarks/checksums.py` tells what that costs).
"""

from __future__ import annotations

import io
import mmap
import os
import tarfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self

import numpy as np
import pandas as pd
import pyarrow as pa

from avsieve.errors import TarError
from avsieve.storage.atomic import commit
from avsieve.storage.lock import open_locked
from avsieve.storage.remedies import make_anew
from avsieve.storage.tables import read_table, write_table
from avsieve.storage.tar_index import TarIndex, padded

INDEX_COLUMNS = ["name", "utterance", "offset", "size", "crc32"]
_INDEX_SCHEMA = pa.schema(
    [
        ("name", pa.string()),
        ("utterance", pa.string()),
        ("offset", pa.int64()),
        ("size", pa.int64()),
        ("crc32", pa.uint32()),
    ]
)
_LONGEST_HEADER = 64 * tarfile.BLOCKSIZE
"""Bytes that the headers of a member take at most, its long name with them."""


class Place(NamedTuple):
    """Where a tar has a member: its name, its row in the index, and begin and end of its content in bytes."""

    name: str
    row: int
    start: int
    end: int


class Member(NamedTuple):
    """A row of a tar's index."""

    name: str
    utterance: str
    offset: int
    size: int
    crc32: int


def header_of(name: str, size: int) -> bytes:
    """Return what stands before a member's content: one block, and two more before it where the name is long."""
    info = tarfile.TarInfo(name)
    info.size = size
    try:
        return info.tobuf(tarfile.USTAR_FORMAT)
    except ValueError:  # more than the 100 characters, or 255 with folders, of the old format
        return info.tobuf(tarfile.PAX_FORMAT)


def partial_path(tar: str | Path) -> Path:
    """Return the name that a tar has while it is written."""
    tar = Path(tar)
    return tar.with_name(tar.name + ".partial")


def intact(tar: str | Path, members: Sequence[Member]) -> int:
    """Return how many of ``members``, from the first on, an unfinished tar holds as they were written."""
    partial = partial_path(tar)
    if not partial.exists():
        return 0
    end = 0
    with partial.open("rb") as file:
        for n, member in enumerate(members):
            head = header_of(member.name, member.size)
            found, content = file.read(len(head)), file.read(padded(member.size))
            end += len(head)
            whole = len(content) == padded(member.size) and not any(content[member.size :])
            if found != head or end != member.offset or not whole or zlib.crc32(content[: member.size]) != member.crc32:
                return n
            end += len(content)
    return len(members)


def index_path(tar: str | Path) -> Path:
    """Return the path of a tar's index: ``x/000.tar`` -> ``x/000.parquet``."""
    return Path(tar).with_suffix(".parquet")


class TarWriter:
    """Write a tar and its index; both appear under their names only when the ``with`` block ends well.

    The tar is renamed before its index, and readers open the index first.

    Parameters
    ----------
    tar
        The tar to write.
    kept
        Members that an unfinished tar holds and that writing goes on behind; what follows them is cut off. If given,
        be it empty, the unfinished tar is kept when the block ends with an error. They are believed: see `intact`.
    """

    def __init__(self, tar: str | Path, kept: Sequence[Member] | None = None) -> None:
        self.path = Path(tar)
        self._partial = partial_path(tar)
        self._keeps = kept is not None
        self.members: list[Member] = list(kept or ())
        self._seen = {member.name for member in self.members}

    def __enter__(self) -> Self:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._file = os.fdopen(open_locked(self._partial, self.path), "r+b")
        self._end = self.members[-1].offset + padded(self.members[-1].size) if self.members else 0
        self._file.seek(self._end)
        self._file.truncate()
        return self

    def add(self, utterance: str, name: str, content: bytes | memoryview) -> None:
        """Append a member, for example ``id1/vid/00001/0010.jpg`` of utterance ``id1/vid/00001``.

        Raises
        ------
        TarError
            If ``name`` was added before.
        """
        if name in self._seen:
            raise TarError(f"{self.path}: member {name} was written before; member names must be unique")
        self._seen.add(name)
        head = header_of(name, len(content))
        # Not `TarFile.addfile`, which takes three times as long: there are as many members as frames.
        self._file.writelines([head, content, bytes(padded(len(content)) - len(content))])
        self.members.append(Member(name, utterance, self._end + len(head), len(content), zlib.crc32(content)))
        self._end += len(head) + padded(len(content))

    def flush(self) -> None:
        """Hand what was written to the system: a kill of this process loses none of it."""
        self._file.flush()

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                self._finish()
        except OSError as error:
            value = error
            raise
        finally:
            if isinstance(value, OSError) and value.filename is None:
                value.filename = str(self.path)
            with suppress(OSError):  # a full disk, which was told when it was written to
                self._file.close()
            if value is not None and not self._keeps:
                self._partial.unlink(missing_ok=True)

    def _finish(self) -> None:
        end = self._end + 2 * tarfile.BLOCKSIZE  # a tar ends with two empty blocks, and fills whole records
        self._file.write(bytes(-(-end // tarfile.RECORDSIZE) * tarfile.RECORDSIZE - self._end))
        self._file.flush()
        commit(self._partial, self.path)
        columns = list(zip(*self.members, strict=True)) or [()] * len(INDEX_COLUMNS)
        write_table(index_path(self.path), pa.table([list(c) for c in columns], schema=_INDEX_SCHEMA))


class TarReader:
    """Read members of a tar by name or by utterance.

    Raises
    ------
    TarError
        If the index reaches past the end of the tar, or a member that is read is not what was written.
    """

    def __init__(self, tar: str | Path) -> None:
        self.path = Path(tar)
        self._index = TarIndex(index_path(self.path))
        size = self.path.stat().st_size
        if self._index.end > size or not size:
            raise TarError(
                f"{self.path}: the index reaches to byte {self._index.end}, the file has {size}; {make_anew(self.path)}"
            )
        with self.path.open("rb") as file:  # the map has a descriptor of its own: hundreds of shards are open at once
            self._map = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the tar."""
        self._map.close()

    def __contains__(self, name: str) -> bool:
        return self._find(name) is not None

    def __len__(self) -> int:
        return len(self._index)

    @property
    def utterances(self) -> list[str]:
        """Ids of the utterances that have a member, in the order of the tar; read anew."""
        return self._index.utterances

    @property
    def keys(self) -> np.ndarray:
        """What stands for the utterances that have a member, sorted: (n,) uint64 (`avsieve.storage.utterance_keys`)."""
        return self._index.keys

    @property
    def index(self) -> pd.DataFrame:
        """The table of members, read anew."""
        return read_table(index_path(self.path), INDEX_COLUMNS)

    def members(self, utterance: str) -> Iterator[Place]:
        """Yield the members of ``utterance`` in the order of the tar, of which no content is read; none is no error.

        Raises
        ------
        TarError
            If the tar has members of another utterance where the index has this one's.
        """
        for begin, row, count in self._index.runs(utterance):
            at = begin
            for k in range(row, row + count):
                name, start, size = self._header(at)
                if not name.startswith(utterance):
                    raise TarError(
                        f"{self.path}: {name} stands where the index has a member of {utterance}; "
                        f"{make_anew(self.path)}"
                    )
                yield Place(name, k, start, start + size)
                at = start + padded(size)

    def measure(self, utterance: str) -> tuple[int, int, int]:
        """Return how many members an utterance has, their bytes, and a checksum over theirs; the tar is not read."""
        return self._index.measure(utterance)

    def checksum(self, member: Place) -> int:
        """Return the CRC-32 of a member's content, as it was written."""
        return int(self._index.crc32[member.row])

    def _header(self, at: int) -> tuple[str, int, int]:
        """Return name, begin and size of the member whose header begins at a byte."""
        block = self._map[at : at + tarfile.BLOCKSIZE]
        try:
            if block[156:157] == b"0" and not block[345:346].strip(b"\0"):  # a short name, as nearly all are
                return block[:100].rstrip(b"\0").decode(), at + tarfile.BLOCKSIZE, int(block[124:135], 8)
            # Of a copy: several threads read, and a file has one position.
            with tarfile.open(fileobj=io.BytesIO(self._map[at : at + _LONGEST_HEADER]), encoding="utf-8") as tar:
                info = tar.next()
        except (ValueError, tarfile.TarError):
            info = None
        if info is None:
            raise TarError(
                f"{self.path}: no member begins at byte {at}, where the index has one; {make_anew(self.path)}"
            )
        return info.name, at + info.offset_data, info.size

    def _find(self, name: str) -> Place | None:
        for utterance in (name.rpartition("/")[0], name.rpartition(".")[0]):
            for member in self.members(utterance):
                if member.name == name:
                    return member
        return None

    def content(self, member: Place) -> bytes:
        """Return the content of a member.

        Raises
        ------
        TarError
            If it is not what was written.
        """
        name, _, start, end = member
        content = self._map[start:end]
        expected = self.checksum(member)
        if (found := zlib.crc32(content)) != expected:
            raise TarError(
                f"{self.path}: {name} is not what was written (checksum {found:08x}, expected {expected:08x}): damaged "
                f"on the disk or in a copy; {make_anew(self.path)}"
            )
        return content

    def read(self, name: str) -> bytes:
        """Return the content of one member, whose name begins with its utterance's id and ``/`` or ``.``.

        Raises
        ------
        TarError
            If there is no such member, or it is not what was written.
        """
        member = self._find(name)
        if member is None:
            raise TarError(f"{self.path}: no member {name} among {len(self)}; is the index of another run?")
        return self.content(member)

    def of(self, utterance: str) -> Iterator[tuple[str, bytes]]:
        """Yield name and content of the members of ``utterance`` in the order of the tar; none is no error."""
        for member in self.members(utterance):
            yield member.name, self.content(member)

    def verify(self) -> pd.DataFrame:
        """Return the rows of the index whose content does not have the recorded checksum."""
        index = self.index
        crcs = [
            zlib.crc32(self._map[start : start + size])
            for start, size in zip(index["offset"].tolist(), index["size"].tolist(), strict=True)
        ]
        return index[index["crc32"].to_numpy() != np.array(crcs, np.uint32)]
