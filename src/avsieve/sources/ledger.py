"""What was asked of the network and what came of it: one file of lines per speaker, written line by line.

The ledger outlives runs: what is gone is not asked for again, and a killed run loses nothing that it had noted.
"""

from __future__ import annotations

import json
import logging
import os
import threading
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

from avsieve.errors import AvsieveError
from avsieve.sources.store import Store
from avsieve.storage.reasons import Reason
from avsieve.storage.text_files import parsed_json

Outcome = Literal["done", "gone", "later"]
"""It lies in the store; it will not be had again; or it failed in a way that may pass."""
OUTCOMES: tuple[Outcome, ...] = ("done", "gone", "later")
_DAY_S = 86_400.0
logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Entry:
    """The last that is known of a key."""

    key: str
    """An utterance, or a video as ``speaker/video``."""
    outcome: Outcome
    reason: Reason
    when: float
    """Seconds since 1970, UTC."""
    facts: dict[str, Any] = field(default_factory=dict)
    """``detail``, ``sha256``, ``size`` or what else the source notes."""

    def age_days(self, now: float | None = None) -> float:
        """Return how many days ago this was noted."""
        return ((time.time() if now is None else now) - self.when) / _DAY_S


class Ledger:
    """The ledger of one speaker: an append-only file, every line of which is on the disk before ``record`` returns.

    Threads of one process may share it. Each line is written by one call at the end of the file, so that two processes
    do not tear each other's lines. A line that is torn (by a crash or a full disk) is passed over.
    """

    def __init__(self, store: Store, speaker: str) -> None:
        self.path = store.ledger_path(speaker)
        self._entries: dict[str, Entry] = {}
        self._lock = threading.Lock()
        self._torn_tail = False
        if self.path.exists():
            self._read()

    def _read(self) -> None:
        content = self.path.read_bytes()
        self._torn_tail = bool(content) and not content.endswith(b"\n")
        for number, line in enumerate(content.splitlines(), start=1):
            if not line.strip():
                continue
            try:
                entry = _entry(parsed_json(line))
            except (ValueError, KeyError, TypeError):  # not JSON, not this layout, or another version's words
                logger.warning("%s, line %d: cannot be read and is passed over: %.80r", self.path, number, line)
                continue
            self._entries[entry.key] = entry

    def outcome(self, key: str) -> Entry | None:
        """Return the last entry of ``key``, or None if it was never asked for."""
        return self._entries.get(key)

    def entries(self) -> list[Entry]:
        """Return the last entry of every key."""
        return list(self._entries.values())

    def record(self, key: str, outcome: Outcome, reason: Reason = Reason.OK, **facts: Any) -> Entry:
        """Append an entry and bring it to the disk.

        Raises
        ------
        AvsieveError
            If the file cannot be written, for example because the disk is full.
        """
        entry = Entry(key, outcome, reason, time.time(), facts)
        when = datetime.fromtimestamp(entry.when, UTC).isoformat(timespec="seconds")
        line = json.dumps(
            {"key": key, "outcome": outcome, "reason": reason.value, "when": when, **facts}, ensure_ascii=False
        )
        with self._lock:
            try:
                self._append(line.encode() + b"\n")
            except OSError as error:
                raise AvsieveError(
                    f"{self.path}: cannot be written ({error.strerror}); free some space or name another `store`"
                ) from error
            self._entries[key] = entry
        return entry

    def _append(self, line: bytes) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        try:
            os.write(handle, b"\n" + line if self._torn_tail else line)
            os.fsync(handle)
        finally:
            os.close(handle)
        self._torn_tail = False


def _entry(line: Any) -> Entry:
    if not isinstance(line, dict):
        raise TypeError(type(line))
    key, outcome, reason, when = (line.pop(name) for name in ("key", "outcome", "reason", "when"))
    if outcome not in OUTCOMES:
        raise ValueError(outcome)
    return Entry(key, outcome, Reason(reason), datetime.fromisoformat(when).timestamp(), line)
