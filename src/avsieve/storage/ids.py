"""Utterance ids ``speaker/video/utterance`` and the shard an utterance belongs to.

An id stands in blank-separated lists, in tars, in paths and in pages, so its parts hold letters, digits and
``_ - . + @ =`` alone. Files may have any name: `id_part` writes the name of a file or folder as a part of an id,
and `real_name` gives it back. Plain names stay as they are; in others each byte that cannot stand is written ``=``
and two hexadecimal digits, as quoted-printable does: ``clip#1`` is ``clip=231``, ``Zoë`` is ``Zo=C3=AB``. Two names
never become one part: an ``=`` that could be taken for the beginning of such a code is itself written ``=3D``.
"""

from __future__ import annotations

import hashlib
import re
from typing import NamedTuple

from avsieve.errors import AvsieveError

# What VoxCeleb and YouTube ids are made of. It keeps an id harmless as a path, in a tar and in a page.
PART = r"[A-Za-z0-9_+@=\-][A-Za-z0-9_.+@=\-]*"
"""Pattern of a part of an id."""
_PART = re.compile(PART)
LONGEST = 251
"""Most characters of a part that `id_part` makes: with ``.wav`` it can be a file name on every file system."""
_PLAIN = re.compile(r"[A-Za-z0-9_+@\-][A-Za-z0-9_.+@\-]*")
_FOREIGN = re.compile(rb"[^A-Za-z0-9_.+@=\-]|^\.|=(?=[0-9A-F]{2})|=(?==[0-9a-f]{32}$)")
_CODE = re.compile(rb"=([0-9A-F]{2})")
_CUT = re.compile(r"==[0-9a-f]{32}$")


class UtteranceId(NamedTuple):
    """The three parts of an utterance's id."""

    speaker: str
    video: str
    utterance: str

    def __str__(self) -> str:
        return f"{self.speaker}/{self.video}/{self.utterance}"


def parse_id(text: str) -> UtteranceId:
    """Split ``speaker/video/utterance``.

    Raises
    ------
    AvsieveError
        If there are not three parts, or a part could not be a file name.
    """
    parts = text.split("/")
    if len(parts) != 3 or not all(_PART.fullmatch(p) for p in parts):
        raise AvsieveError(
            f"utterance id {text!r}: expected speaker/video/utterance, each of letters, digits and _ - . + @ = "
            "and not beginning with a dot; rename the file or fix the list"
        )
    return UtteranceId(*parts)


def is_valid_id(text: str) -> bool:
    """Tell whether ``parse_id`` would take ``text``."""
    parts = text.split("/")
    return len(parts) == 3 and all(_PART.fullmatch(p) is not None for p in parts)


def id_part(name: str) -> str:
    """Return the part of an id that stands for a file or folder called ``name``.

    Different names have different parts, whatever they hold; a plain name is its own part. One that would become longer
    than ``LONGEST`` is cut and ends with ``==`` and a digest of the whole name: `real_name` cannot give it back.

    Parameters
    ----------
    name
        As the system gives it: bytes that are no UTF-8 are surrogates. May hold ``/`` where a layout joins folders.

    Raises
    ------
    AvsieveError
        If ``name`` is empty.

    Examples
    --------
    >>> id_part("00001"), id_part("00001 (1)"), id_part("Zoë")
    ('00001', '00001=20=281=29', 'Zo=C3=AB')
    """
    if _PLAIN.fullmatch(name) and len(name) <= LONGEST:
        return name
    if not name:
        raise AvsieveError("a part of an utterance's id is empty; expected the name of a file or folder")
    raw = name.encode("utf-8", "surrogateescape")
    part = _FOREIGN.sub(lambda found: b"=%02X" % found.group()[0], raw).decode("ascii")
    if len(part) <= LONGEST:
        return part
    digest = hashlib.blake2b(raw, digest_size=16).hexdigest()
    return f"{part[: LONGEST - 34].rstrip('=')}=={digest}"


def real_name(part: str) -> str | None:
    """Return the name that `id_part` wrote as ``part``, None where it had to be cut."""
    if _CUT.search(part):
        return None
    raw = _CODE.sub(lambda found: bytes([int(found[1], 16)]), part.encode())
    return raw.decode("utf-8", "surrogateescape")


def shard_names(shards: int) -> list[str]:
    """Return the names of ``shards`` shards, zero-padded so that they sort: ``000``, ``001``, …."""
    width = max(3, len(str(shards - 1)))
    return [f"{i:0{width}d}" for i in range(shards)]


def shard_of(speaker: str, shards: int) -> int:
    """Return the shard of ``speaker``: a hash that is the same on every machine and in every run.

    All utterances of a speaker share a shard, so everything that compares a speaker with itself stays inside one job.
    """
    digest = hashlib.blake2b(speaker.encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little") % shards
