"""Byte ranges of files: a clip that lies inside a tar is read in place, as if it were a file."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any


class FileSlice(io.RawIOBase):
    """Read-only, seekable view of ``size`` bytes of a file from ``offset`` on."""

    def __init__(self, path: str | Path, offset: int, size: int) -> None:
        self._file = Path(path).open("rb")
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
        """Fill ``buffer`` with what is left of the view, and return the number of bytes."""
        n = min(len(buffer), self._size - self._position)
        self._file.seek(self._offset + self._position)
        got = self._file.readinto(memoryview(buffer)[:n])
        self._position += got
        return got

    def close(self) -> None:
        """Close the file below."""
        self._file.close()
        super().close()


def head_of(path: str | Path, offset: int, n: int = 4096) -> bytes:
    """Return the first bytes of a byte range."""
    with Path(path).open("rb") as handle:
        handle.seek(offset)
        return handle.read(n)
