"""A digest of a list: which utterances it has under which labels, in whatever order."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable


def list_digest(utterances: Iterable[str], speakers: Iterable[str]) -> str:
    """Return the SHA-256 of the lines ``speaker utterance``, sorted, as hexadecimal digits.

    Parameters
    ----------
    utterances, speakers
        (n,) each.
    """
    digest = hashlib.sha256()
    for line in sorted(f"{s} {u}\n" for u, s in zip(utterances, speakers, strict=True)):
        digest.update(line.encode())
    return digest.hexdigest()
