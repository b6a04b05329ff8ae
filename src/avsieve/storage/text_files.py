"""Text that users bring: lists and tables as any tool saves them, decoded in one place.

UTF-8 with and without a mark, and UTF-16 (PowerShell, Excel) are read; lines may end as Windows, Unix or old Macs end
them. Whatever is no text in one of these is told in one line: a single-byte encoding cannot be told from another, so
none is guessed.
"""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterator
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import Any

from avsieve.errors import ListError

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# First bytes of what is often given in place of a list.
_NO_TEXT = (
    (b"\x1f\x8b", "compressed by gzip: unpack it first (gzip -d)"),
    (b"PK\x03\x04", "a zip, or a spreadsheet: save it as plain text (CSV)"),
    (b"\xfd7zXZ", "compressed by xz: unpack it first (xz -d)"),
    (b"\x28\xb5\x2f\xfd", "compressed by zstd: unpack it first (zstd -d)"),
    (b"PAR1", "a Parquet table: expected lines of text"),
    (b"\x93NUMPY", "a NumPy array: expected lines of text"),
)
_PAGE = re.compile(r"\s*<(!doctype|html|head|\?xml)", re.IGNORECASE)
_SAMPLE, _HEAD = 4096, 1 << 18
LONGEST_TEXT = 1 << 30
"""Bytes of a text: VoxCeleb2's list has 60 million. Devices such as ``/dev/zero`` never end."""


def whole_number(text: str) -> int | None:
    """Return a number that is written in ASCII digits, 18 of them at most; None for any other text."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= 18 else None


def read_text(path: str | Path, what: str = "list") -> str:
    r"""Return a file's text with ``\n`` at the ends of its lines.

    Parameters
    ----------
    what
        What the file should be, for the message when it is not there.

    Raises
    ------
    ListError
        If the file is absent, a folder, may not be read, or is not text in UTF-8 or UTF-16; the message names the line.
    """
    path = Path(path)
    try:
        with path.open("rb") as handle:
            content = handle.read(LONGEST_TEXT + 1)
    except FileNotFoundError:
        raise ListError(f"{path}: no such {what}") from None
    except IsADirectoryError:
        raise ListError(f"{path}: a folder; expected a file: a {what}") from None
    except OSError as error:
        raise ListError(
            f"{path}: cannot be read ({error.strerror}); fix its permissions, or name another {what}"
        ) from None
    if len(content) > LONGEST_TEXT:
        raise ListError(f"{path}: more than {LONGEST_TEXT:,} bytes; expected a {what}: is it the file that you mean?")
    text = _decoded(path, content)
    if _PAGE.match(text[:200]):
        raise ListError(f"{path}: a web page instead of a {what}; fetch it again")
    return _with_line_ends(text)


def read_lines(path: str | Path, what: str = "list") -> Iterator[tuple[int, str]]:
    """Yield the lines that are not blank, each with its number, from 1.

    Raises
    ------
    ListError
        As `read_text`.
    """
    for number, line in enumerate(read_text(path, what).split("\n"), start=1):
        if line and not line.isspace():
            yield number, line


def first_lines(path: str | Path, count: int, what: str = "list") -> list[str]:
    """Return the first ``count`` lines that are not blank, of a large file in UTF-8 without reading what follows.

    Raises
    ------
    ListError
        As `read_text`, of what is read.
    """
    path = Path(path)
    try:
        with path.open("rb") as handle:
            head = handle.read(_HEAD)
    except OSError:
        head = b""  # the reading below says what is wrong
    if len(head) == _HEAD and head.count(b"\n") > 2 * count and b"\0" not in head:
        with suppress(ListError):  # told below with the rest
            text = _with_line_ends(_decoded(path, head[: head.rindex(b"\n")]))
            lines = [line for line in text.split("\n") if line and not line.isspace()]
            if len(lines) >= count and not _PAGE.match(text[:200]):
                return lines[:count]
    return [line for _, line in islice(read_lines(path, what), count)]


def parsed_json(text: str | bytes) -> Any:
    """Return what a JSON text says.

    Raises
    ------
    ValueError
        If it is none, or nests deeper than Python can follow.
    """
    try:
        return json.loads(text)
    except RecursionError:
        raise ValueError("it nests too deep") from None


def is_plain(path: str | Path) -> bool:
    """Tell by its first bytes whether a file can be read as it is by tools that know UTF-8 alone."""
    with Path(path).open("rb") as handle:
        head = handle.read(_SAMPLE)
    return b"\0" not in head and not any(head.startswith(mark) for mark, _ in _MARKS)


def _with_line_ends(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _decoded(path: Path, content: bytes) -> str:
    encoding = next((name for mark, name in _MARKS if content.startswith(mark)), None)
    if encoding is None:
        for magic, told in _NO_TEXT:
            if content.startswith(magic):
                raise ListError(f"{path}: {told}")
        encoding = _without_mark(content[:_SAMPLE])
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError as error:
        if encoding.startswith("utf-8"):
            number = content.count(b"\n", 0, error.start) + 1
            raise ListError(
                f"{path}, line {number}: byte 0x{content[error.start]:02x} is not UTF-8; save the file as UTF-8 (a "
                f"Latin-1 file: iconv -f latin1 -t utf-8 {path.name} > new.txt)"
            ) from None
        raise ListError(f"{path}: starts like {encoding} but is not ({error.reason}); save it as UTF-8") from None
    if "\0" in text:
        raise ListError(f"{path}: holds zero bytes, so it is not text; expected UTF-8 or UTF-16")
    return text


def _without_mark(head: bytes) -> str:
    """Guess UTF-16 without a mark by its zeros: in lists of names every second byte is one."""
    if len(head) >= 4 and b"\0" in head:
        for name, zeros, others in (("utf-16-le", head[1::2], head[::2]), ("utf-16-be", head[::2], head[1::2])):
            if zeros.count(0) > 0.7 * len(zeros) and others.count(0) == 0:
                return name
    return "utf-8"
