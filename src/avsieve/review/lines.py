"""Reading a reviewer's log: its lines, and which of them are in force."""

from __future__ import annotations

import fcntl
import re
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from avsieve.review.entry import Entry, ReviewError, entry_of
from avsieve.storage.text_files import parsed_json

SUFFIX = ".jsonl"
_REVIEWER = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.@+-]{0,99}")


class LogLines:
    """What is read of a log: ``entries`` in their order, ``torn`` as (line number, its bytes), ``count`` lines.

    ``acts`` has the entries of each act that has an id.
    """

    def __init__(self, path: Path) -> None:
        self.path, self.reviewer = path, path.name.removesuffix(SUFFIX)
        self.entries: list[Entry] = []
        self.torn: list[tuple[int, bytes]] = []
        self.acts: dict[str, list[Entry]] = {}
        self.count = 0

    def take(self, line: bytes) -> None:
        """Read the next line, without its end.

        Raises
        ------
        ReviewError
            If it is JSON and no entry. What is no JSON object is torn.
        """
        self.count += 1
        if not line.strip():
            return
        try:
            values = parsed_json(line)
        except ValueError:
            self.torn.append((self.count, line))
            return
        where = f"{self.path}, line {self.count}"
        if not isinstance(values, dict):
            raise ReviewError(f"{where}: {line[:80]!r}; expected a JSON object with utterance and decision, or undoes")
        entry = entry_of(values, self.count, self.reviewer, where)
        self.entries.append(entry)
        if entry.act:
            self.acts.setdefault(entry.act, []).append(entry)

    def told(self) -> list[str]:
        """Return a line for each torn one."""
        return [
            f"{self.path}, line {number}: cannot be read and counts for nothing, as a killed process leaves it: "
            f"{line[:60]!r}"
            for number, line in self.torn
        ]


def standing(entries: Iterable[Entry]) -> list[Entry]:
    """Return the decisions and undos that no undo in force has taken back, in their order.

    An undo names an earlier line, so going back from the last one settles undos of undos to any depth. Of a batch that
    is not whole nothing stands.
    """
    undone: set[int] = set()
    kept = []
    for entry in reversed(_of_whole_batches(list(entries))):
        if entry.number not in undone:
            kept.append(entry)
            undone |= {entry.undoes} if entry.undoes is not None else set()
    return kept[::-1]


def _of_whole_batches(entries: list[Entry]) -> list[Entry]:
    found = Counter(entry.batch for entry in entries if entry.batch)
    cut = {batch for batch, count in found.items() if count != batch[1] - batch[0] + 1}
    return [entry for entry in entries if entry.batch not in cut] if cut else entries


def in_force(entries: Iterable[Entry]) -> list[Entry]:
    """Return the decisions among `standing`."""
    return [entry for entry in standing(entries) if entry.undoes is None]


def read_log(path: str | Path) -> LogLines:
    """Read a log to its end.

    Raises
    ------
    ReviewError
        If it is not there or cannot be read, or a line of it is no entry.
    """
    found = LogLines(Path(path))
    check_reviewer(found.reviewer)
    try:
        with found.path.open("rb") as handle:
            fcntl.flock(handle, fcntl.LOCK_SH)  # a line that is being written is waited for
            lines = handle.read().split(b"\n")
    except OSError as error:
        raise ReviewError(f"{path}: cannot be read ({error.strerror}); expected a reviewer's log") from error
    for line in lines if lines[-1] else lines[:-1]:
        found.take(line)
    return found


def check_reviewer(name: str) -> None:
    """Refuse a name that could not be a file's (`ReviewError`)."""
    if not _REVIEWER.fullmatch(name):
        raise ReviewError(f"reviewer {name!r}; expected letters, digits and _ . @ + -, not beginning with . @ + or -")
