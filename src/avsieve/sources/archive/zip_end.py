"""Read the directory at the end of a zip, and tell what is wrong with the parts that it lies in."""

from __future__ import annotations

import struct
import zipfile
from itertools import accumulate
from pathlib import Path
from typing import IO

from avsieve.errors import AvsieveError
from avsieve.sources.archive.parts import END_OF_ZIP, END_SIGNATURE, Archive

# Layouts of PKWARE's APPNOTE.TXT 6.3.10, sections 4.3.7, 4.3.14 and 4.3.15.
_LOCATOR, _END64 = struct.Struct("<4sLQL"), struct.Struct("<4sQ2H2L4Q")
_COMMENT = 1 << 16
LOCAL_HEADER = struct.Struct("<4s5H3L2H")
LOCAL_SIGNATURE = b"PK\x03\x04"


def _parts_of(archive: Archive) -> str:
    return ", ".join(f"{Path(p).name} ({Path(p).stat().st_size} bytes)" for p in archive.parts)


def entries_of(archive: Archive, view: IO[bytes]) -> int:
    """Return how many members a zip says that it has; read from its last bytes alone.

    Raises
    ------
    AvsieveError
        If its end is missing or it was written by ``zip -s``.
    """
    size = archive.size
    start = max(size - _COMMENT - END_OF_ZIP.size, 0)
    view.seek(start)
    tail = view.read()
    at = tail.rfind(END_SIGNATURE)
    if at < 0 or len(tail) - at < END_OF_ZIP.size:
        raise AvsieveError(
            f"source.archive: {archive.name} has no directory at its end, so its last part is missing or incomplete; "
            f"it has {_parts_of(archive)}: compare the sizes with those of the place that it came from"
        )
    _, disk, _, _, entries, *_ = END_OF_ZIP.unpack_from(tail, at)
    if disk not in (0, 0xFFFF):
        raise AvsieveError(
            f"source.archive: {archive.name} is the last segment of a zip that `zip -s` wrote; join the segments "
            f"first: zip -s 0 {archive.name} --out {Path(archive.name).with_suffix('')}-whole.zip"
        )
    if entries == 0xFFFF and at >= _LOCATOR.size:
        signature, _, where, _ = _LOCATOR.unpack_from(tail, at - _LOCATOR.size)
        if signature == b"PK\x06\x07" and where + _END64.size <= size:
            view.seek(where)
            record = _END64.unpack(view.read(_END64.size))
            if record[0] == b"PK\x06\x06":
                return int(record[7])
    return int(entries)


def check_whole(archive: Archive, view: IO[bytes]) -> list[zipfile.ZipInfo]:
    """Return the members of a zip, once it is sure that its parts are all there and in order.

    Raises
    ------
    AvsieveError
        If the directory cannot be read, or members do not begin where it says.
    """
    entries_of(archive, view)
    try:
        with zipfile.ZipFile(view) as opened:
            infos = opened.infolist()
    except (zipfile.BadZipFile, NotImplementedError, ValueError, OverflowError, EOFError, struct.error) as error:
        raise AvsieveError(
            f"source.archive: the directory of {archive.name} cannot be read ({error}): a part is missing, damaged or "
            f"incomplete; it has {_parts_of(archive)}"
        ) from error
    first = min((i.header_offset for i in infos), default=0)
    if first < 0:
        raise AvsieveError(
            f"source.archive: {archive.name} lacks {-first} bytes that its directory counts on: a part is missing or "
            f"incomplete; it has {_parts_of(archive)}"
        )
    if first > 0 and len(archive.parts) > 1:
        raise AvsieveError(
            f"source.archive: {archive.name} has {first} bytes before its first member, so its parts are not all of "
            f"one archive; it has {_parts_of(archive)}: give each archive a name of its own"
        )
    for info in _first_of_each_part(archive, infos):
        view.seek(info.header_offset)
        if view.read(4) != LOCAL_SIGNATURE:
            raise AvsieveError(
                f"source.archive: {archive.name} has no member at byte {info.header_offset}, where its directory has "
                f"{info.filename}: a part is missing, damaged or in the wrong place; it has {_parts_of(archive)}"
            )
    return infos


def _first_of_each_part(archive: Archive, infos: list[zipfile.ZipInfo]) -> list[zipfile.ZipInfo]:
    starts = [0, *accumulate(Path(p).stat().st_size for p in archive.parts)][:-1]
    found = []
    for start in starts:
        beyond = [i for i in infos if i.header_offset >= start] if len(starts) > 1 else infos
        if beyond:
            found.append(min(beyond, key=lambda i: i.header_offset))
    return found
