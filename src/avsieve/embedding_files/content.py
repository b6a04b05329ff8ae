"""Tell the format of a file by its first bytes, then by its suffix; say what a file is that is none of the known."""

from __future__ import annotations

import re
import zipfile
from pathlib import Path

from avsieve.embedding_files.formats import BY_SUFFIX, FORMATS, KNOWN
from avsieve.embedding_files.places import Place
from avsieve.errors import AvsieveError

_HEAD = 4096
_TORCH_OLD = b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19."
# First bytes of what is often met and not read: what it is, and what to do.
_OTHERS = {
    b"\x1f\x8b": ("packed with gzip", "unpack it (gunzip)"),
    b"\xfd7zXZ\x00": ("packed with xz", "unpack it (unxz)"),
    b"BZh": ("packed with bzip2", "unpack it (bunzip2)"),
    b"\x28\xb5\x2f\xfd": ("packed with zstd", "unpack it (unzstd)"),
    b"7z\xbc\xaf\x27\x1c": ("a 7-Zip archive", "unpack it"),
    b"Rar!": ("a RAR archive", "unpack it"),
    b"\x89HDF": ("an HDF5 file", "save names and vectors as npz"),
    b"ARROW1": ("a Feather file", "save it as Parquet"),
    b"MATLAB": ("a MATLAB file", "save names and vectors as npz"),
    b"RIFF": ("a wav", "name the embeddings, not the sound"),
    b"%PDF": ("a PDF", "name the embeddings"),
}
_PAGE = re.compile(rb"\s*(?:\xef\xbb\xbf)?\s*<(?:!doctype|html|head|body|\?xml|error|script)", re.IGNORECASE)
_SCP = re.compile(rb"\S+[ \t]+\S.*\.ark(?::\d+)?\s*(?:\n|$)", re.IGNORECASE)
_ARK_TEXT = re.compile(rb"\S+[ \t]+\[\s")
_ARK_BINARY = re.compile(rb"[^\s\0]+ \0B")
_LINE = re.compile(rb"[^\n]*[,;\t ][ \t\"'\[]*-?[\d.]")


def kind_of(place: Place) -> str:
    """Return the format of what is at ``place``, a key of `avsieve.embedding_files.formats.FORMATS`.

    Raises
    ------
    AvsieveError
        If nothing is there, it cannot be opened, it is empty, or it is in none of the known formats.
    """
    for path in (place.path, place.names):
        if path is None or path.is_file():
            continue
        if path.is_dir():
            if place.names is not None or place.kind:
                raise AvsieveError(f"{place.text}: {path} is a folder; expected a file")
            return "folder"
        if path.exists():
            raise AvsieveError(f"{path}: neither a file nor a folder (a device or a pipe?); expected embeddings")
        raise AvsieveError(f"{path}: no such file of embeddings; expected one of: {KNOWN}")
    if place.names is not None:
        return "npy"
    head = head_of(place.path)
    kind = place.kind or _by_content(place.path, head) or BY_SUFFIX.get(place.path.suffix.lower()) or _by_text(head)
    if not head or _PAGE.match(head):
        name = FORMATS[kind].name if kind else "embeddings"
        raise AvsieveError(f"{place.text}: not {name}, it is {what_is(head)}; fetch the file again")
    if kind is None or (kind == "text" and what_is(head) not in ("text", "UTF-16 text")):
        raise AvsieveError(f"{place.text}: {what_is(head)}, in no format that is known; expected one of: {KNOWN}")
    return kind


def head_of(path: Path) -> bytes:
    """Return the first bytes of a file.

    Raises
    ------
    AvsieveError
        If the system does not let it be read.
    """
    try:
        with path.open("rb") as handle:
            return handle.read(_HEAD)
    except OSError as error:
        raise AvsieveError(f"{path}: cannot be read ({error.strerror}); fix its permissions") from error


def what_is(head: bytes) -> str:
    """Say in a few words what a file is that begins so."""
    if not head:
        return "empty (0 bytes)"
    if _PAGE.match(head):
        return "a web page or a server's answer"
    for mark, (name, remedy) in _OTHERS.items():
        if head.startswith(mark):
            return f"{name}: {remedy}"
    if not head.strip(b"\0"):
        return "nothing but zeros (a download that did not end?)"
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "UTF-16 text"
    return "something binary" if b"\0" in head else "text"


def _by_content(path: Path, head: bytes) -> str | None:
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return _zip_kind(path)
    if head.startswith(b"\x93NUMPY"):
        return "npy"
    if head.startswith(b"PAR1"):
        return "parquet"
    if head.startswith(_TORCH_OLD):
        return "torch"
    if re.match(rb"\x80[\x02-\x05]", head):
        return "pickle"
    if head[8:9] == b"{" and 2 <= int.from_bytes(head[:8], "little") < 1 << 31:
        return "safetensors"
    return None


def _zip_kind(path: Path) -> str | None:
    """Tell an npz from torch's zip; None where the archive cannot be listed: the suffix then decides."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        return None
    if any(name.endswith("data.pkl") for name in names):
        return "torch"
    return "npz" if not names or all(name.endswith(".npy") for name in names) else None


def _by_text(head: bytes) -> str | None:
    if _ARK_BINARY.match(head) or _ARK_TEXT.match(head):
        return "ark"
    if _SCP.match(head):
        return "scp"
    lines = head.splitlines()[:3]
    return "text" if b"\0" not in head and any(_LINE.match(line) for line in lines) else None
