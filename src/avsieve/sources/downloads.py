"""What sources that download share: what is known already, one process a file, and a line of coverage."""

from __future__ import annotations

import fcntl
import os
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedRandom
from pathlib import Path

from avsieve.sources.ledger import Entry, Ledger
from avsieve.sources.store import Store
from avsieve.storage.reasons import Reason
from avsieve.storage.status import StatusTable

MAY_PASS = {
    Reason.DOWNLOAD_FAILED, Reason.ADDRESS_PRIVATE, Reason.SITE_BLOCKED, Reason.SITE_THROTTLED, Reason.VIDEO_NOT_YET,
    Reason.VIDEO_NO_FORMAT,
}  # fmt: skip
"""Reasons that another attempt may fix; whatever else is wrong with a download stays wrong."""


def settled(store: Store, ledger: Ledger, utterance: str, request: str, ask_again_days: float = 0.0) -> Entry | None:
    """Return what is known of an utterance for good, or None when it should be asked for.

    Parameters
    ----------
    request
        What is asked for, as the ledger has it under ``request``: another request makes what is known void.
    ask_again_days
        Ask again for what was gone so many days ago; 0 for never.
    """
    entry = ledger.outcome(utterance)
    if entry is None or entry.outcome == "later" or entry.facts.get("request") != request:
        return None
    if entry.outcome == "gone":
        return None if ask_again_days and entry.age_days() > ask_again_days else entry
    name = entry.facts.get("file")
    if not isinstance(name, str) or "\0" in name:
        return None
    path = store.root / name
    inside = path.resolve().is_relative_to(store.root.resolve())  # a ledger may have come with the store
    return entry if inside and path.is_file() and path.stat().st_size == entry.facts.get("size") else None


@contextmanager
def locked(path: Path) -> Iterator[BufferedRandom]:
    """Open ``path`` for reading and appending, made if need be, and keep other processes from it meanwhile."""
    path.parent.mkdir(parents=True, exist_ok=True)
    while True:
        with path.open("ab+") as handle:
            fcntl.flock(handle, fcntl.LOCK_EX)
            try:
                same = os.fstat(handle.fileno()).st_ino == path.stat().st_ino
            except FileNotFoundError:
                same = False
            if same:  # else another process has finished it and moved it away while this one waited
                try:
                    yield handle
                finally:
                    # Closing is not enough: a process that was forked meanwhile has the file open, and its lock.
                    fcntl.flock(handle, fcntl.LOCK_UN)
                return


def coverage(status: StatusTable) -> str:
    """Return a line that tells how much is there, and why the rest is not."""
    counts = status.counts()
    there = counts.pop(Reason.OK.value, 0)
    for_now = Counter({code: n for code, n in counts.items() if Reason(code) in MAY_PASS})
    parts = []
    for which, words in ((counts - for_now, "gone"), (for_now, "failed for now")):
        if which:
            parts.append(f"{which.total()} {words} ({', '.join(f'{code} {n}' for code, n in which.most_common())})")
    return f"{there} of {len(status)} utterances there" + (f": {', '.join(parts)}" if parts else "")
