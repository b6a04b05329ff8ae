"""How long a file says that it is, where the demuxer does not tell: it makes the length of a cut-off file its own.

A RIFF (wav, avi), a Wave64, a CAF and an ASF (wma, wmv) say how many bytes they have, an avi how many frames. Ogg says
no length, but its pages say theirs, so that a file that ends inside a page was cut off. Others (ADTS, MPEG program and
transport streams, mp3 without a Xing header) say nothing: only the user's list knows.

Layouts: Multimedia Programming Interface and Data Specifications 1.0 (RIFF) and the AVI RIFF file reference; Sony's
Wave64; Apple's Core Audio Format 1.0; Microsoft's ASF specification 1.20.03, sections 2 and 3.2; RFC 3533, section 6.
"""

from __future__ import annotations

import math
import os
import struct
from typing import IO, NamedTuple

_PLACEHOLDER = 0x7FFF_0000
"""From here on a 32-bit size is what tools write that cannot go back to fill it in (0x7FFFF000, 0xFFFFFFFF, …)."""
_CHUNKS = 200
_ASF_FILE = bytes.fromhex("a1dcab8c47a9cf118ee400c00c205365")
_ASF_HEADER = bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c")
_W64_DATA = b"data\xf3\xac\xd3\x11\x8c\xd1\x00\xc0\x4f\x8e\xdb\x8a"
_LARGEST_PAGE = 27 + 255 + 255 * 255
_LENGTHLESS = {"aac", "ac3", "eac3", "mp3", "mpeg", "mpegts", "mpegvideo", "ogg", "amr", "h264", "hevc", "m4v"}
"""Containers in which no header gives a length, or not each time."""


class Claim(NamedTuple):
    """What a file says of its length."""

    there: int = 0
    said: int = 0
    """Bytes that it has, and says that it has; 0 where it does not say."""
    seconds: float = math.nan
    """Length in seconds that it says, NaN where only the bytes tell."""
    is_cut: bool = False
    """It ends where it cannot end, and does not say how much is missing."""
    is_known: bool = True
    """Whether it says anything: else the list's length counts."""

    def said_s(self, got_s: float) -> float:
        """Return the length that a cut-off file says that it has, of which ``got_s`` seconds are there; 0 without."""
        if not 0 < self.there < self.said:
            return 0.0
        return got_s * self.said / self.there if math.isnan(self.seconds) else self.seconds


def claim_of(file: IO[bytes], format_name: str) -> Claim:
    """Return what a file says, of which the demuxer has told the format.

    Parameters
    ----------
    file
        The file, or what lies in place of one; it is moved about in.
    format_name
        FFmpeg's name of the container.
    """
    file.seek(0, os.SEEK_END)
    size = file.tell()
    known = {"wav": _riff, "avi": _riff, "w64": _wave64, "caf": _caf, "asf": _asf, "ogg": _ogg}
    for name, read in known.items():
        if name in format_name.split(","):
            file.seek(0)
            try:
                return read(file, size)
            except (struct.error, OSError, ValueError, OverflowError):
                # It ends inside its header, or a length in it leads out of the file; what could be decoded has been.
                return Claim(is_known=False)
    return Claim(is_known=not _LENGTHLESS & set(format_name.split(",")))


def _take(file: IO[bytes], layout: str) -> tuple[int, ...]:
    return struct.unpack(layout, file.read(struct.calcsize(layout)))


def _of_bytes(start: int, length: int, size: int) -> Claim:
    return Claim(max(size - start, 0), length) if length > 0 else Claim(is_known=False)


def _riff(file: IO[bytes], size: int) -> Claim:
    """Wav and RF64: the size of the chunk ``data``; avi: that of the file, and the frames that its header counts."""
    magic, whole, kind = file.read(4), *_take(file, "<I"), file.read(4)
    if magic not in (b"RIFF", b"RF64"):
        return Claim(is_known=False)
    if kind == b"AVI ":
        claim = _of_bytes(8, 0 if whole >= _PLACEHOLDER else whole, size)
        file.seek(24)
        if file.read(4) != b"avih":
            return claim
        _, step_us, _, _, _, frames = _take(file, "<6I")
        is_said = 0 < frames < _PLACEHOLDER and step_us > 0
        return claim._replace(seconds=frames * step_us / 1e6) if is_said else claim
    large = 0
    for _ in range(_CHUNKS):
        name, length = file.read(4), *_take(file, "<I")
        if name == b"ds64":
            _, large = _take(file, "<2Q")
            file.seek(length - 16, os.SEEK_CUR)
        elif name == b"data":
            if length >= _PLACEHOLDER:
                length = large
            return _of_bytes(file.tell(), length, size)
        else:
            file.seek(length + length % 2, os.SEEK_CUR)
    return Claim(is_known=False)


def _wave64(file: IO[bytes], size: int) -> Claim:
    file.seek(40)
    for _ in range(_CHUNKS):
        name, (length,) = file.read(16), _take(file, "<Q")
        if name == _W64_DATA:
            return _of_bytes(file.tell(), length - 24 if length < 1 << 62 else 0, size)
        file.seek(-(-length // 8) * 8 - 24, os.SEEK_CUR)
    return Claim(is_known=False)


def _caf(file: IO[bytes], size: int) -> Claim:
    file.seek(8)
    for _ in range(_CHUNKS):
        name, (length,) = file.read(4), _take(file, ">q")
        if name == b"data":
            return _of_bytes(file.tell(), length, size)
        file.seek(max(length, 0), os.SEEK_CUR)
    return Claim(is_known=False)


def _asf(file: IO[bytes], size: int) -> Claim:
    """The file's size stands in the object of its properties; a live broadcast has none."""
    if file.read(16) != _ASF_HEADER:
        return Claim(is_known=False)
    file.seek(30)
    for _ in range(_CHUNKS):
        name, (length,) = file.read(16), _take(file, "<Q")
        if name == _ASF_FILE:
            file.seek(16, os.SEEK_CUR)
            whole, _, _, play, _, preroll_ms, marks = _take(file, "<6QI")
            if marks & 1:
                return Claim(is_known=False)
            return _of_bytes(0, whole, size)._replace(seconds=play / 1e7 - preroll_ms / 1e3)
        file.seek(max(length - 24, 0), os.SEEK_CUR)
    return Claim(is_known=False)


def _ogg(file: IO[bytes], size: int) -> Claim:
    """Look at the last page: a file that ends inside it was cut off. Live recordings may lack the mark of the end."""
    start = max(size - _LARGEST_PAGE - 27, 0)
    file.seek(start)
    tail = file.read()
    at = tail.rfind(b"OggS")
    if at < 0:
        return Claim(is_known=False, is_cut=size > _LARGEST_PAGE)
    page = tail[at:]
    segments = page[26] if len(page) > 26 else 0
    is_whole = len(page) >= 27 + segments + sum(page[27 : 27 + segments])
    return Claim(is_known=False, is_cut=not is_whole)
