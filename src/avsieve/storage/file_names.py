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
    r"""Return ``path`` for a message on one line: what is no text, and line ends, as ``\x..``."""
    text = path.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    return re.sub(r"[\x00-\x1f\x7f]", lambda found: f"\\x{ord(found.group()):02x}", text)
