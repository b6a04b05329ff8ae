"""Utterances as numbers of 64 bits: a million ids of some 25 characters take 100 MB as texts, and 8 MB as these.

Two ids among VoxCeleb2's 1,092,009 have the same number with a chance of 1 in 30 million. Whoever finds a member by its
number compares the member's name, too.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

import numpy as np


def key_of(utterance: str) -> np.uint64:
    """Return the number of an utterance: BLAKE2b of its UTF-8 bytes, 8 bytes long, little-endian."""
    return np.uint64(int.from_bytes(_digest(utterance), "little"))


def keys_of(utterances: Iterable[str]) -> np.ndarray:
    """Return the numbers of utterances, (n,) uint64."""
    return np.frombuffer(b"".join(map(_digest, utterances)), "<u8").astype(np.uint64)


def _digest(utterance: str) -> bytes:
    return hashlib.blake2b(utterance.encode(), digest_size=8).digest()
