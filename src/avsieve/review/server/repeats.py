"""Which utterances come a second time, and when: the same for the same reviewer, whatever is restarted meanwhile."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from avsieve.review.entry import Entry

SHARE = 0.15
"""Share of the items that come twice."""
LEAST, SPAN = 20, 10
"""A repeat comes at least ``LEAST`` decisions later, and by up to ``SPAN`` - 1 more."""


@dataclass(frozen=True)
class Repeat:
    """An utterance that is to be shown again when ``due`` decisions were made."""

    utterance: str
    due: int


def due_repeats(decisions: Sequence[Entry], reviewer: str) -> list[Repeat]:
    """Return the repeats that are still to be shown, the earliest first; no two are due at once.

    Parameters
    ----------
    decisions
        Of the reviewer, in force, in their order. Those that were made together (on a sheet) do not come again.
    """
    first: dict[str, int] = {}
    again = set()
    for place, entry in enumerate(decisions):
        if entry.repeat:
            again.add(entry.utterance)
        elif entry.batch is None:
            first.setdefault(entry.utterance, place)
    found: list[Repeat] = []
    last = 0
    for utterance, place in first.items():
        gap = _gap(reviewer, utterance)
        if gap is not None:
            last = max(last + 1, place + gap)
            found.append(Repeat(utterance, last))
    return [repeat for repeat in found if repeat.utterance not in again]


@lru_cache(maxsize=200_000)
def _gap(reviewer: str, utterance: str) -> int | None:
    """Return how many decisions later an utterance comes again; None where it does not."""
    digest = hashlib.blake2b(f"{reviewer}\n{utterance}".encode(), digest_size=16).digest()
    chosen = int.from_bytes(digest[:8], "little") < SHARE * 2**64
    return LEAST + digest[8] % SPAN if chosen else None
