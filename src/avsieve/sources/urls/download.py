"""Bring one file, with as many attempts as it is worth."""

from __future__ import annotations

import hashlib
import random
from dataclasses import dataclass
from io import BufferedRandom
from pathlib import Path

import requests

from avsieve.sources.urls.rate_limit import MAX_ASKED_S, Pace
from avsieve.sources.urls.transfer import GoneError, Partial, PassingError, transfer
from avsieve.storage.reasons import Reason

MAX_PAUSE_S = 60.0
"""Longest pause of ours."""
_PROGRESS = 1 << 20


@dataclass(frozen=True)
class Limits:
    """How patient to be, and how much to take."""

    retries: int
    pause_s: float
    timeout_s: float
    max_bytes: int


def key_of(url: str) -> str:
    """Return the name of a URL's files in the store."""
    return hashlib.blake2b(url.encode(), digest_size=16).hexdigest()


def download(
    session: requests.Session, url: str, handle: BufferedRandom, notes: Path, sha256: str, pace: Pace, limits: Limits
) -> str:
    """Bring a file, and return its SHA-256.

    An attempt that brought a mebibyte or more does not count: a large file comes in the end from a server that drops
    every connection.

    Parameters
    ----------
    handle
        The partial file, opened for reading and appending.
    notes
        File of notes on it.
    sha256
        What it should be; empty where it is not known.

    Raises
    ------
    GoneError
        If it will not be had, or has a wrong checksum twice.
    PassingError
        If no attempt is left.
    AvsieveError
        If the disk is full.
    """
    partial = Partial(handle, notes)
    tries = wrong = 0
    best = partial.size
    while True:
        try:
            transfer(session, url, partial, pace, timeout_s=limits.timeout_s, max_bytes=limits.max_bytes)
        except PassingError as error:
            size = partial.size
            tries = 1 if size >= best + _PROGRESS else tries + 1
            best = max(best, size)
            if tries > limits.retries or error.wait_s > MAX_ASKED_S:
                asked = f", the server asks for {error.wait_s:.0f} s of patience" if error.wait_s else ""
                raise PassingError(f"{error}{asked} (attempt {tries})") from error
            pause_s = min(limits.pause_s * 2 ** (tries - 1), MAX_PAUSE_S) * random.uniform(0.5, 1.5)  # noqa: S311
            pace.sleep(max(pause_s, error.wait_s))
            continue
        except GoneError:
            partial.drop()
            raise
        handle.flush()
        handle.seek(0)
        found = hashlib.file_digest(handle, "sha256").hexdigest()
        if not sha256 or found == sha256:
            return found
        partial.drop()
        wrong += 1
        if wrong > 1:
            raise GoneError(Reason.CHECKSUM_WRONG, f"sha256 {found}, the table has {sha256}")
