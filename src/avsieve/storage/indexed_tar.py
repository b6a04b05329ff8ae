"""Tars with an index: uncompressed, in WebDataset naming, with a Parquet table beside them for random access.

``NAME.tar`` holds the members, ``NAME.parquet`` one row per member: ``name``, ``utterance``, ``offset`` and ``size``
(bytes of the content in the tar) and ``crc32`` of the content. Times, owners and modes are constant, so equal content
gives equal bytes. Names that the plain format has no room for stand in a header of their own (POSIX.1-2001, "pax"),
which every tar reads. A member is read through ``mmap``: no open per file, no copy until the caller wants one. Its
checksum is compared on the way (`benchmarks/checksums.py` tells what that costs).
"""

from __future__ import annotations

import mmap
import os
import tarfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self

import pandas as pd
import pyarrow as pa

from avsieve.errors import TarError
from avsieve.storage.atomic import commit
from avsieve.storage.lock import open_locked
from avsieve.storage.remedies import make_anew
from avsieve.storage.tables import read_table, write_table

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


class Member(NamedTuple):
    """A row of a tar's index."""

    name: str
    utterance: str
    offset: int
    size: int
    crc32: int


def padded(size: int) -> int:
    """Return the bytes that content takes: whole blocks of 512."""
    return -(-size // tarfile.BLOCKSIZE) * tarfile.BLOCKSIZE


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
        self.index = read_table(index_path(self.path), INDEX_COLUMNS)
        size = self.path.stat().st_size
        end = int((self.index["offset"] + self.index["size"]).max()) if len(self.index) else 0
        if end > size or not size:
            raise TarError(f"{self.path}: the index reaches to byte {end}, the file has {size}; {make_anew(self.path)}")
        self._file = self.path.open("rb")
        self._map = mmap.mmap(self._file.fileno(), 0, access=mmap.ACCESS_READ)
        self._by_name = {n: i for i, n in enumerate(self.index["name"])}
        self._by_utterance: dict[str, list[int]] = {}
        for i, utterance in enumerate(self.index["utterance"]):
            self._by_utterance.setdefault(utterance, []).append(i)
        self._offsets = self.index["offset"].to_numpy()
        self._sizes = self.index["size"].to_numpy()
        self._crcs = self.index["crc32"].to_numpy()
        self._names: list[str] = self.index["name"].tolist()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: Any) -> None:
        self._map.close()
        self._file.close()

    def __contains__(self, name: str) -> bool:
        return name in self._by_name

    def __len__(self) -> int:
        return len(self._names)

    @property
    def utterances(self) -> list[str]:
        """Ids of the utterances that have a member, in the order of the tar."""
        return list(self._by_utterance)

    def _content(self, row: int) -> bytes:
        start = int(self._offsets[row])
        return self._map[start : start + int(self._sizes[row])]

    def _checked(self, row: int) -> bytes:
        content = self._content(row)
        if (found := zlib.crc32(content)) != self._crcs[row]:
            raise TarError(
                f"{self.path}: {self._names[row]} is not what was written (checksum {found:08x}, expected "
                f"{int(self._crcs[row]):08x}): damaged on the disk or in a copy; {make_anew(self.path)}"
            )
        return content

    def read(self, name: str) -> bytes:
        """Return the content of one member.

        Raises
        ------
        TarError
            If there is no such member, or it is not what was written.
        """
        if name not in self._by_name:
            raise TarError(f"{self.path}: no member {name} among {len(self)}; is the index of another run?")
        return self._checked(self._by_name[name])

    def of(self, utterance: str) -> Iterator[tuple[str, bytes]]:
        """Yield name and content of the members of ``utterance`` in the order of the tar; none is no error."""
        for row in self._by_utterance.get(utterance, []):
            yield self._names[row], self._checked(row)

    def verify(self) -> pd.DataFrame:
        """Return the rows of the index whose content does not have the recorded checksum."""
        bad = [i for i, crc in enumerate(self.index["crc32"]) if zlib.crc32(self._content(i)) != int(crc)]
        return self.index.iloc[bad]
