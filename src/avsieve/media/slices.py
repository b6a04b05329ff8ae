"""Byte ranges of files: a clip that lies inside an archive is read in place, as if it were a file."""

from __future__ import annotations

import io
import zlib
from itertools import accumulate
from pathlib import Path
from typing import Any, NamedTuple

LOCAL_ONLY = {"protocol_whitelist": "file"}
"""Options for whatever opens a clip. It may be a download: a playlist or a list of files, say, which would make the
decoder open other addresses."""
UNPACKED_LIMIT = 2**31
"""A packed member is unpacked in memory, so a small one that would fill it is refused."""


class MediaSlice(NamedTuple):
    """``size`` bytes from ``offset`` on of files that are read as one; ``size`` None reaches to the end."""

    paths: tuple[Path, ...]
    offset: int = 0
    size: int | None = None
    packing: str = ""
    """``''`` for bytes as they are, ``deflate`` for a packed member of a zip, ``images`` for a folder of images."""

    @property
    def name(self) -> str:
        """Name for messages."""
        return self.paths[0].name

    @property
    def length(self) -> int:
        """Number of bytes, packed where they are packed."""
        return sum(p.stat().st_size for p in self.paths) - self.offset if self.size is None else self.size

    @property
    def is_whole_file(self) -> bool:
        """Tell whether this is one plain file from its beginning to its end."""
        return (
            len(self.paths) == 1
            and not self.packing
            and self.offset == 0
            and self.size in (None, self.paths[0].stat().st_size)
        )


class FileSlice(io.RawIOBase):
    """Read-only, seekable view of ``size`` bytes from ``offset`` on, of one file or of several joined."""

    def __init__(self, paths: Path | tuple[Path, ...], offset: int, size: int) -> None:
        self._paths = paths if isinstance(paths, tuple) else (Path(paths),)
        self._files = [p.open("rb") for p in self._paths]
        self._ends = list(accumulate(p.stat().st_size for p in self._paths))
        self._offset = offset
        self._size = size
        self._position = 0

    def readable(self) -> bool:
        """Tell that the view can be read."""
        return True

    def seekable(self) -> bool:
        """Tell that the view can be moved in."""
        return True

    def tell(self) -> int:
        """Return the position inside the view, in bytes."""
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Move to a position inside the view; positions outside it are brought to its ends."""
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._size}[whence]
        self._position = min(max(base + offset, 0), self._size)
        return self._position

    def readinto(self, buffer: Any) -> int:
        """Fill ``buffer`` with what is left of the view, or of the file that it has come to; return the bytes."""
        at = self._offset + self._position
        which = next((i for i, end in enumerate(self._ends) if at < end), len(self._ends) - 1)
        start = self._ends[which - 1] if which else 0
        n = min(len(buffer), self._size - self._position, max(self._ends[which] - at, 0))
        self._files[which].seek(at - start)
        got = self._files[which].readinto(memoryview(buffer)[:n])
        self._position += got
        return got

    def close(self) -> None:
        """Close the files below."""
        for file in self._files:
            file.close()
        super().close()


def read_slice(media: MediaSlice, most: int | None = None) -> bytes:
    """Return the content, unpacked; at most its first ``most`` bytes.

    Raises
    ------
    zlib.error
        If packed bytes are damaged, incomplete, or more than ``UNPACKED_LIMIT`` when unpacked.
    """
    with FileSlice(media.paths, media.offset, media.length) as view:
        if media.packing != "deflate":
            return io.BufferedReader(view).read(-1 if most is None else most)
        unpacker = zlib.decompressobj(-zlib.MAX_WBITS)
        content = unpacker.decompress(io.BufferedReader(view).read(), most or UNPACKED_LIMIT)
        if most is None and not unpacker.eof:
            raise zlib.error(f"{media.name}: packed bytes are incomplete, or make more than {UNPACKED_LIMIT} bytes")
        return content


def open_slice(media: MediaSlice) -> str | io.IOBase:
    """Return what a decoder can open: a path for a whole file, else an object that is read and must be closed.

    A packed member is unpacked into memory.
    """
    if media.is_whole_file:
        path = str(media.paths[0])
        return path if media.paths[0].is_absolute() else f"./{path}"  # else `a:b.mp4` has a protocol `a`
    if media.packing == "deflate":
        return io.BytesIO(read_slice(media))
    return FileSlice(media.paths, media.offset, media.length)
