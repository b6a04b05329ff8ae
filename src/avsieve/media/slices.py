"""Byte ranges of files: a clip that lies inside an archive is read in place, as if it were a file.

Whatever is opened is compared with what the media index says of it, on the open file: another file than the one that
was indexed is never read.
"""

from __future__ import annotations

import io
import os
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import accumulate
from pathlib import Path
from typing import Any, NamedTuple

from avsieve.media.file_identity import SEPARATOR, ChangedError, Mark, check_stamp, stamp_of

FORMATS = (
    "mov", "matroska", "avi", "flv", "live_flv", "asf", "asf_o", "ogg", "nut", "rm", "ivr", "swf", "wtv", "mxf", "dv",
    "amv", "mpeg", "mpegts", "mpegvideo", "h264", "hevc", "m4v", "vc1", "ivf", "obu",
    "wav", "w64", "aiff", "caf", "au", "nistsphere", "ircam", "voc", "wv", "tta", "mp3", "aac", "ac3", "eac3", "dts",
    "dtshd", "amr", "amrnb", "amrwb", "gsm", "flac", "ape", "loas",
)  # fmt: skip
"""FFmpeg's names of the containers that are opened: those of `avsieve.sources.containers`, all of which hold their
content themselves. Playlists, lists of files, session descriptions and the like (``hls``, ``concat``, ``dash``,
``sdp``, ``image2``, ``lavfi``) name other files and addresses, and are refused before they are read."""
LOCAL_ONLY = {"protocol_whitelist": "file", "format_whitelist": ",".join(FORMATS)}
"""Options for whatever opens a clip. It may be a download, and name what it likes: nothing else is opened for it."""
MOST_STREAMS = 64
"""A clip has two or three. FFmpeg sets up a decoder for each, and probes it."""
_PIECE = 1 << 20
UNPACKED_LIMIT = 2**31
"""A packed member is unpacked in memory, so a small one that would fill it is refused."""


class MediaSlice(NamedTuple):
    """``size`` bytes from ``offset`` on of files that are read as one; ``size`` None reaches to the end."""

    paths: tuple[Path, ...]
    offset: int = 0
    size: int | None = None
    packing: str = ""
    """``''`` for bytes as they are, ``deflate`` for a packed member of a zip, ``images`` for a folder of images."""
    stamps: str = ""
    """Stamps of the files or of the folder, see `avsieve.media.file_identity`; empty where nothing was indexed."""
    marks: str = ""
    """Marks of the content."""
    listed_s: float = float("nan")
    """Length in seconds that the user's list gives; NaN where it gives none."""

    @property
    def name(self) -> str:
        """Name for messages."""
        return self.paths[0].name

    @property
    def length(self) -> int:
        """Number of bytes, packed where they are packed."""
        return sum(p.stat().st_size for p in self.paths) - self.offset if self.size is None else self.size


class FileSlice(io.RawIOBase):
    """Read-only, seekable view of ``size`` bytes from ``offset`` on, of one file or of several joined.

    Parameters
    ----------
    stamps, marks
        As a `MediaSlice` has them.

    Raises
    ------
    ChangedError
        If the files are not those that the stamps and marks were taken of.
    """

    def __init__(
        self, paths: Path | tuple[Path, ...], offset: int, size: int, *, stamps: str = "", marks: str = ""
    ) -> None:
        self._paths = paths if isinstance(paths, tuple) else (Path(paths),)
        self._files: list[io.BufferedReader] = []
        self._position = 0
        try:
            self._files += [p.open("rb") for p in self._paths]
            stats = [os.fstat(file.fileno()) for file in self._files]
            self.stamps = [stamp_of(stat) for stat in stats]
            """Stamps of the files as they were when they were opened."""
            self.ends = list(accumulate(stat.st_size for stat in stats))
            """Where each of them ends, counted from the first one's beginning."""
            wanted = stamps.split(SEPARATOR) if stamps else []
            for path, stamp, then in zip(self._paths, self.stamps, wanted, strict=bool(wanted)):
                check_stamp(path.name, stamp, then)
            self._check_marks(offset, marks)
        except BaseException:
            self.close()
            raise
        self._offset = offset
        self._size = size

    def _check_marks(self, offset: int, marks: str) -> None:
        for mark in map(Mark.from_text, marks.split(SEPARATOR) if marks else []):
            self._offset, self._size, self._position = offset + mark.at, mark.length, 0
            if self._offset < 0 or Mark.of(mark.at, self.readall()) != mark:
                where = f"byte {self._offset} of {self._paths[0].name}"
                raise ChangedError(f"{where}: other bytes than were indexed; the archive was repacked")
        self._position = 0

    @property
    def is_whole(self) -> bool:
        """Tell whether the view is of one file, from its beginning to its end."""
        return len(self._files) == 1 and self._offset == 0 and self._size == self.ends[0]

    def is_still(self, path: Path) -> bool:
        """Tell whether a name is still that of the file that is open, and the file as it was when it was opened."""
        try:
            now, here = path.stat(), os.fstat(self._files[0].fileno())
        except OSError:
            return False
        same = (now.st_dev, now.st_ino, now.st_mtime_ns) == (here.st_dev, here.st_ino, here.st_mtime_ns)
        return same and here.st_size == self.ends[0]

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
        which = next((i for i, end in enumerate(self.ends) if at < end), len(self.ends) - 1)
        start = self.ends[which - 1] if which else 0
        n = min(len(buffer), self._size - self._position, max(self.ends[which] - at, 0))
        self._files[which].seek(at - start)
        got = self._files[which].readinto(memoryview(buffer)[:n])
        self._position += got
        return got

    def close(self) -> None:
        """Close the files below."""
        for file in self._files:
            file.close()
        super().close()


def _view(media: MediaSlice) -> FileSlice:
    return FileSlice(media.paths, media.offset, media.length, stamps=media.stamps, marks=media.marks)


def read_slice(media: MediaSlice, most: int | None = None) -> bytes:
    """Return the content, unpacked; at most its first ``most`` bytes.

    Raises
    ------
    zlib.error
        If packed bytes are damaged, incomplete, or more than ``UNPACKED_LIMIT`` when unpacked.
    ChangedError
        If the files are not those that were indexed.
    """
    with _view(media) as view:
        if media.packing != "deflate":
            return io.BufferedReader(view).read(-1 if most is None else most)
        unpacker = zlib.decompressobj(-zlib.MAX_WBITS)
        content = unpacker.decompress(io.BufferedReader(view).read(), most or UNPACKED_LIMIT)
        if most is None and not unpacker.eof:
            raise zlib.error(f"{media.name}: packed bytes are incomplete, or make more than {UNPACKED_LIMIT} bytes")
        return content


def checksum(media: MediaSlice) -> int:
    """Return the CRC-32 of the content, unpacked a piece at a time: a member that grows without end fills no memory.

    Raises
    ------
    zlib.error
        As `read_slice`.
    ChangedError
        If the files are not those that were indexed.
    """
    crc = done = 0
    unpacker = zlib.decompressobj(-zlib.MAX_WBITS) if media.packing == "deflate" else None
    with _view(media) as view:
        while piece := view.read(_PIECE):
            while piece:
                content = unpacker.decompress(piece, _PIECE) if unpacker else piece
                piece = unpacker.unconsumed_tail if unpacker else b""
                crc, done = zlib.crc32(content, crc), done + len(content)
                if unpacker and (done > UNPACKED_LIMIT or not (content or piece)):
                    break
            if unpacker and (unpacker.eof or done > UNPACKED_LIMIT):
                break
    if unpacker and (not unpacker.eof or done > UNPACKED_LIMIT):
        raise zlib.error(f"{media.name}: packed bytes are incomplete, or make more than {UNPACKED_LIMIT} bytes")
    return crc


@contextmanager
def open_slice(media: MediaSlice) -> Iterator[str | io.IOBase]:
    """Yield what a decoder can open: a path for a whole file, else an object that it can read.

    A packed member is unpacked into memory.

    Raises
    ------
    ChangedError
        If the files are not those that were indexed; also at the end, if a whole file was replaced meanwhile.
    """
    if media.packing == "deflate":
        yield io.BytesIO(read_slice(media))
        return
    with _view(media) as view:
        if not view.is_whole:
            yield view
            return
        # The decoder reads a file faster by its name. What was looked at is the open file: the name must still be its.
        path = media.paths[0]
        try:
            yield str(path) if path.is_absolute() else f"./{path}"  # else `a:b.mp4` has a protocol `a`
        finally:
            if media.stamps and not view.is_still(path):
                raise ChangedError(f"{path.name}: it was replaced while it was read")
