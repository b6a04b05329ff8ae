"""Utterance ids ``speaker/video/utterance`` and the shard an utterance belongs to."""

from __future__ import annotations

import hashlib
import re
from typing import NamedTuple

from avsieve.errors import AvsieveError

# What VoxCeleb and YouTube ids are made of. It keeps an id harmless as a path, in a tar and in a page.
PART_PATTERN = r"[A-Za-z0-9_\-][A-Za-z0-9_.+@=\-]*"
ID_PATTERN = f"{PART_PATTERN}/{PART_PATTERN}/{PART_PATTERN}"
_PART = re.compile(PART_PATTERN)


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
            "and not beginning with a dot; rename the file or mend the list"
        )
    return UtteranceId(*parts)


def is_valid_id(text: str) -> bool:
    """Tell whether ``parse_id`` would take ``text``."""
    parts = text.split("/")
    return len(parts) == 3 and all(_PART.fullmatch(p) is not None for p in parts)


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
