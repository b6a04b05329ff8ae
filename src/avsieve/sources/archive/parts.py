"""Which files make which archive: patterns, and the parts that an archive was cut into."""

from __future__ import annotations

import io
import re
import struct
from glob import glob
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from avsieve.errors import AvsieveError
from avsieve.media.file_identity import SEPARATOR as PART_SEPARATOR
from avsieve.media.slices import FileSlice
from avsieve.storage.file_names import path_to_text

# End of a zip's directory: PKWARE's APPNOTE.TXT 6.3.10, section 4.3.16.
END_OF_ZIP, END_SIGNATURE = struct.Struct("<4s4H2LH"), b"PK\x05\x06"
_WHOLE = re.compile(r"\.(zip|tar)$", re.IGNORECASE)
_SPANNED = re.compile(r"\.z\d\d+$", re.IGNORECASE)
# What `split` appends: two letters or more after another sign, or digits.
_PART = re.compile(r"^(?P<stem>.*?)(?P<number>[a-z]{2}|\d+)$")
# First bytes of what cannot be read in place -> what it is, and what to do.
_UNPACK = "unpack it and use source.kind: tree, or repack it as {}.tar without compression"
_FOREIGN = {
    b"\x1f\x8b": "compressed by gzip",
    b"\xfd7zXZ": "compressed by xz",
    b"BZh": "compressed by bzip2",
    b"\x28\xb5\x2f\xfd": "compressed by zstd",
    b"7z\xbc\xaf": "a 7z archive",
    b"Rar!": "a rar archive",
}


class Archive(NamedTuple):
    """An archive and the files that hold it."""

    parts: tuple[str, ...]
    """Paths as the user gave them, in order."""
    is_zip: bool

    @property
    def name(self) -> str:
        """Path of the first part, which stands for the archive."""
        return self.parts[0]

    @property
    def size(self) -> int:
        """Bytes of all parts."""
        return sum(Path(p).stat().st_size for p in self.parts)


def joined(archive: Archive) -> io.BufferedReader:
    """Open the parts of an archive as one file."""
    return io.BufferedReader(FileSlice(tuple(Path(p) for p in archive.parts), 0, archive.size))


def _naturally(path: str) -> list[int | str]:
    return [int(t) if t.isdecimal() else t for t in re.split(r"(\d+)", path)]


def _expand(patterns: list[str]) -> list[str]:
    found: dict[str, None] = {}
    for pattern in patterns:
        # A name with brackets in it may be meant as it stands.
        paths = [pattern] if Path(pattern).is_file() else [p for p in glob(pattern) if Path(p).is_file()]  # noqa: PTH207
        if not paths:
            raise AvsieveError(f"source.archive: no file matches {pattern}; fix the name, or bring the archive there")
        found |= dict.fromkeys(sorted(paths, key=_naturally))
    for path in found:
        if _SPANNED.search(path):
            raise _spanned(path)
        if path_to_text(path) != path:  # the plan holds the name as it is, and puts the parts' names together
            raise AvsieveError(
                f"source.archive: {path!r}: a name with {PART_SEPARATOR!r}, or no text, cannot be used; rename it"
            )
    return list(found)


def _spanned(path: str) -> AvsieveError:
    whole = re.sub(r"\.z(\d+|ip)$", "", path, flags=re.IGNORECASE)
    return AvsieveError(
        f"source.archive: {path} is a segment of a zip that `zip -s` wrote; join the segments first: "
        f"zip -s 0 {whole}.zip --out {whole}-whole.zip"
    )


def _number(text: str) -> int:
    """Return the place of a part: 0 for ``aa``, 27 for ``bb``; the number itself for digits."""
    return int(text) if text.isdigit() else 26 * (ord(text[0]) - 97) + ord(text[1]) - 97


def _group(paths: list[str]) -> list[list[str]]:
    """Put the parts of an archive together: names that differ in their last two letters or their number alone."""
    groups: dict[str, list[tuple[int, str]]] = {}
    for path in paths:
        match = None if _WHOLE.search(path) else _PART.match(path)
        if match:
            groups.setdefault(match["stem"], []).append((_number(match["number"]), path))
        else:
            groups[path] = [(0, path)]
    for parts in groups.values():
        parts.sort()
        for (before, first), (after, second) in pairwise(parts):
            if after != before + 1:
                raise AvsieveError(
                    f"source.archive: {second} follows {first}, so a part between them is missing; put it there"
                )
    return [[path for _, path in parts] for parts in groups.values()]


def _kind(parts: list[str]) -> bool:
    """Tell whether an archive is a zip; False for a tar.

    Raises
    ------
    AvsieveError
        If it is neither.
    """
    path = parts[0]
    with Path(path).open("rb") as handle:
        head = handle.read(512)
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return True
    if head.startswith((b"PK\x07\x08", b"PK00")):
        raise _spanned(path)
    if head[257:262] == b"ustar" or _is_old_tar(head):
        return False
    for magic, what in _FOREIGN.items():
        if head.startswith(magic):
            stem = re.sub(r"\.(tar\.\w+|tgz|txz|tbz2?|\w+)$", "", path)
            raise AvsieveError(f"source.archive: {path} is {what} and cannot be read in place; {_UNPACK.format(stem)}")
    raise AvsieveError(
        f"source.archive: {path} begins neither as a zip nor as a tar"
        + (" does: it is a later part, and the first is missing; put it there" if _PART.match(path) else " does")
        + "; archives are named by source.archive.video and .audio"
    )


def _is_old_tar(head: bytes) -> bool:
    """Tell whether a block is a header from before ``ustar``: its checksum is right."""
    field = head[148:156].strip(b" \0")
    told = int(field, 8) if re.fullmatch(rb"[0-7]+", field) else -1
    return len(head) == 512 and sum(head) - sum(head[148:156]) + 8 * 32 == told


def _is_whole_zip(path: Path) -> bool:
    """Tell whether a zip ends where its file ends, and counts its bytes from the file's beginning."""
    size = path.stat().st_size
    with path.open("rb") as handle:
        handle.seek(max(size - END_OF_ZIP.size, 0))
        tail = handle.read()
    if len(tail) < END_OF_ZIP.size or not tail.startswith(END_SIGNATURE):
        return False
    *_, directory_size, directory_start, comment = END_OF_ZIP.unpack(tail)
    ends_here: bool = directory_start == 0xFFFFFFFF or directory_start + directory_size == size - END_OF_ZIP.size
    return ends_here and comment == 0


def find_archives(patterns: list[str]) -> list[Archive]:
    """Return the archives that patterns name, each with its parts in order.

    Parts are files whose names differ in their last two letters or in their number, as ``split`` writes them
    (``x_partaa``, ``x_partab``; ``x.zip.001``, ``x.zip.002``); a name that ends with ``.zip`` or ``.tar`` is whole, and
    so are files of which the first is a whole zip.

    Raises
    ------
    AvsieveError
        If a pattern matches nothing, a part is missing, or a file is no archive that can be read in place.
    """
    archives = []
    for parts in _group(_expand(patterns)):
        is_zip = _kind(parts)
        alone = is_zip and len(parts) > 1 and _is_whole_zip(Path(parts[0]))
        archives += [Archive((p,), _kind([p])) for p in parts] if alone else [Archive(tuple(parts), is_zip)]
    return archives
