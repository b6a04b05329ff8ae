"""Names of files in tables and messages: any name that a file system allows can be kept and shown.

A table holds UTF-8, and the parts of an archive are joined by ``|``. A path that has neither other bytes nor that sign
stands in a table as it is; any other begins with ``=?`` and has each such byte as ``=`` and two hexadecimal digits.
"""

from __future__ import annotations

import re

JPEG_ENDINGS = (".jpg", ".jpeg")
IMAGE_ENDINGS = (*JPEG_ENDINGS, ".png", ".bmp", ".webp")
"""Endings of images that stand for frames, in any case."""
_MARK = "=?"
_ODD = re.compile(r"[\x00-\x1f\x7f|\ud800-\udfff]")
_SPECIAL = re.compile(r"[\x00-\x1f\x7f|=\ud800-\udfff]")
_CODE = re.compile(rb"=([0-9A-F]{2})")


# What a terminal or a page does not show, but obeys: control characters (C0, C1), marks of direction, invisible signs
# and separators of lines (Unicode's categories Cc, Zl, Zp, and of Cf those of bidirectional text), and lone surrogates.
_UNSEEN = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]")


def path_to_text(path: str) -> str:
    """Return what a table holds for ``path``."""
    if not path.startswith(_MARK) and not _ODD.search(path):
        return path
    return _MARK + _SPECIAL.sub(lambda found: f"={found.group().encode('utf-8', 'surrogateescape')[0]:02X}", path)


def path_from_text(text: str) -> str:
    """Return the path that `path_to_text` wrote."""
    if not text.startswith(_MARK):
        return text
    raw = _CODE.sub(lambda found: bytes([int(found[1], 16)]), text.removeprefix(_MARK).encode())
    return raw.decode("utf-8", "surrogateescape")


def shown(path: str) -> str:
    r"""Return ``path`` for a message on one line: what is no text or cannot be seen, as ``\x..``."""
    return _UNSEEN.sub(_escaped, path)


def harmless(text: str) -> str:
    """Return a text of any origin for a terminal, a log or a table: as `shown`, with its line ends and tabs kept."""
    return _UNSEEN.sub(lambda found: found[0] if found[0] in "\n\t" else _escaped(found), text)


def _escaped(found: re.Match[str]) -> str:
    code = ord(found[0])
    if 0xDC80 <= code <= 0xDCFF:  # a byte that is no UTF-8
        return f"\\x{code - 0xDC00:02x}"
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"
