"""Tell whether a file is still the one that was indexed.

A *stamp* is what the system says of a file: ``size:mtime_ns``; of a folder of images ``count:digest`` over the names,
sizes and times. A *mark* is what the bytes say: ``at:length:crc32`` of a range that is counted from where the content
begins. A member of an archive has marks for the header that names it (before its content, so ``at`` is negative) and,
where a zip has its checksum behind the content, for that; so an archive that was repacked can never be read at the
places of the old one. Both are texts, as the media index has them; several are joined by ``|``.

This module is imported when a run is planned: nothing heavier than the standard library.
"""

from __future__ import annotations

import hashlib
import os
import zlib
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from avsieve.storage.file_names import IMAGE_ENDINGS

SEPARATOR = "|"


class ChangedError(Exception):
    """What lies there is not what was indexed; the message goes into a row."""


class Mark(NamedTuple):
    """Bytes that must be there."""

    at: int
    """Where they begin, counted from the beginning of the content."""
    length: int
    crc32: int

    @classmethod
    def of(cls, at: int, content: bytes) -> Mark:
        """Return the mark of bytes."""
        return cls(at, len(content), zlib.crc32(content))

    @classmethod
    def from_text(cls, text: str) -> Mark:
        """Read a mark as `__str__` writes it."""
        at, length, crc = text.split(":")
        return cls(int(at), int(length), int(crc, 16))

    def __str__(self) -> str:
        return f"{self.at}:{self.length}:{self.crc32:08x}"


def stamp_of(stat: os.stat_result) -> str:
    """Return the stamp of a file."""
    return f"{stat.st_size}:{stat.st_mtime_ns}"


def _is_image(name: str) -> bool:
    return name.lower().endswith(IMAGE_ENDINGS) and not name.startswith(".")


def image_files(folder: str | Path) -> list[os.DirEntry[str]]:
    """Return the images of a folder, sorted by name; none where there is no folder."""
    try:
        with os.scandir(folder) as entries:
            found = [e for e in entries if _is_image(e.name) and e.is_file()]
    except (FileNotFoundError, NotADirectoryError):
        return []
    return sorted(found, key=lambda entry: entry.name)


def images_stamp(images: Iterable[tuple[str, os.stat_result]]) -> str:
    """Return the stamp of images, of which names and what the system says are given in the order of the names."""
    digest, count = hashlib.blake2b(digest_size=8), 0
    for name, stat in images:
        digest.update(f"{name}\0{stamp_of(stat)}\n".encode(errors="surrogateescape"))
        count += 1
    return f"{count}:{digest.hexdigest()}"


def _words(stamp: str) -> tuple[str, str]:
    size, _, mtime_ns = stamp.partition(":")
    time = datetime.fromtimestamp(int(mtime_ns) / 1e9, UTC).isoformat(" ", "milliseconds").removesuffix("+00:00")
    return f"{int(size):,} bytes", f"of {time} UTC"


def check_stamp(name: str, found: str, wanted: str) -> None:
    """Compare the stamp of a file with that of the index.

    Raises
    ------
    ChangedError
        If they differ.
    """
    if found == wanted:
        return
    (size, time), (size_then, time_then) = _words(found), _words(wanted)
    now, then = (size, size_then) if size != size_then else (time, time_then)
    if now == then:  # within a millisecond
        now, then = f"of {found.partition(':')[2]} ns", f"of {wanted.partition(':')[2]} ns"
    raise ChangedError(f"{name}: {now}, it was {then} when it was indexed")


def check_images(name: str, found: str, wanted: str) -> None:
    """Compare the stamp of a folder of images with that of the index.

    Raises
    ------
    ChangedError
        If they differ.
    """
    if found != wanted:
        now, then = found.partition(":")[0], wanted.partition(":")[0]
        what = f"{now} images, it had {then}" if now != then else "an image is another than"
        raise ChangedError(f"{name}: {what} when it was indexed")
