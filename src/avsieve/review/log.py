"""A reviewer's log: ``<folder>/<reviewer>.jsonl``, to which lines are appended and from which none is ever taken.

A line is on the disk before `ReviewLog.append` returns. The file is opened for appending and locked meanwhile (flock):
two processes of one reviewer neither tear nor renumber each other's lines. What a crash has left of a line is
closed by the next one, is told, and counts as a line without a decision.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from avsieve.review.entry import Entry, ReviewError, check, entry_of, now

SUFFIX = ".jsonl"
_REVIEWER = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.@+-]{0,99}")


class LogLines:
    """What is read of a log: ``entries`` in their order, ``torn`` as (line number, its bytes), ``count`` lines."""

    def __init__(self, path: Path) -> None:
        self.path, self.reviewer = path, path.name.removesuffix(SUFFIX)
        self.entries: list[Entry] = []
        self.torn: list[tuple[int, bytes]] = []
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
            values = json.loads(line)
        except ValueError:
            self.torn.append((self.count, line))
            return
        where = f"{self.path}, line {self.count}"
        if not isinstance(values, dict):
            raise ReviewError(f"{where}: {line[:80]!r}; expected a JSON object with utterance and decision, or undoes")
        self.entries.append(entry_of(values, self.count, self.reviewer, where))

    def told(self) -> list[str]:
        """Return a line for each torn one."""
        return [
            f"{self.path}, line {number}: cannot be read and counts for nothing, as a killed process leaves it: "
            f"{line[:60]!r}"
            for number, line in self.torn
        ]


def standing(entries: Iterable[Entry]) -> list[Entry]:
    """Return the decisions and undos that no undo in force has taken back, in their order.

    An undo names an earlier line, so going back from the last one settles undos of undos to any depth.
    """
    undone: set[int] = set()
    kept = []
    for entry in reversed(list(entries)):
        if entry.number not in undone:
            kept.append(entry)
            undone |= {entry.undoes} if entry.undoes is not None else set()
    return kept[::-1]


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


class ReviewLog:
    """The log of one reviewer, for writing.

    Parameters
    ----------
    folder, reviewer
        The file is ``<folder>/<reviewer>.jsonl``; both are made with the first line.
    list_sha256
        The digest of ``train_all.txt`` as the reviewer sees it; it is noted in every line.

    Raises
    ------
    ReviewError
        If the name could not be a file's.
    """

    def __init__(self, folder: str | Path, reviewer: str, list_sha256: str = "") -> None:
        check_reviewer(reviewer)
        self.path, self.reviewer, self.list_sha256 = Path(folder) / f"{reviewer}{SUFFIX}", reviewer, list_sha256
        self._lines = LogLines(self.path)
        self._end = 0  # bytes that are read

    def append(self, utterance: str, decision: str, *, speaker: str = "", spread: bool = False) -> Entry:
        """Note a decision; it is on the disk when this returns.

        Raises
        ------
        ReviewError
            If it is no decision about an utterance, or cannot be written.
        """
        check(utterance, decision, speaker, f"{self.path}, a new line")
        with self._locked() as handle:
            entry = Entry(
                self._lines.count + 1, self.reviewer, None, utterance, decision, speaker, spread, now(),
                self.list_sha256,
            )  # fmt: skip
            self._write(handle, entry)
        return entry

    def undo(self, number: int | None = None) -> Entry:
        """Take back the line ``number``, or the last decision in force; to undo an undo, name its line.

        Raises
        ------
        ReviewError
            If there is no such line in force, or nothing to take back.
        """
        with self._locked() as handle:
            if number is None:
                decisions = in_force(self._lines.entries)
                if not decisions:
                    raise ReviewError(f"{self.path}: no decision is in force, so there is nothing to undo")
                number = decisions[-1].number
            elif number not in {entry.number for entry in standing(self._lines.entries)}:
                raise ReviewError(f"{self.path}: line {number} is no entry in force, so it cannot be undone")
            entry = Entry(
                self._lines.count + 1, self.reviewer, number, time=now(), list_sha256=self.list_sha256
            )  # fmt: skip
            self._write(handle, entry)
        return entry

    def decisions(self) -> list[Entry]:
        """Return the decisions in force, those of other processes too."""
        return in_force(read_log(self.path).entries) if self.path.exists() else []

    def told(self) -> list[str]:
        """Return a line for each torn one."""
        return read_log(self.path).told() if self.path.exists() else []

    @contextmanager
    def _locked(self) -> Iterator[BinaryIO]:
        try:
            new = not self.path.exists()
            self.path.parent.mkdir(parents=True, exist_ok=True)
            # Without a buffer: a line is one call.
            with self.path.open("ab+", buffering=0) as handle:
                fcntl.flock(handle, fcntl.LOCK_EX)
                if new:
                    _fsync_folder(self.path.parent)
                self._read_on(handle)
                yield handle
        except OSError as error:
            raise ReviewError(
                f"{self.path}: cannot be written ({error.strerror}); free some space or name another folder"
            ) from error

    def _read_on(self, handle: BinaryIO) -> None:
        """Read what has come since; a tail without an end is closed, since nobody else is writing."""
        if os.fstat(handle.fileno()).st_size < self._end:
            raise ReviewError(f"{self.path}: is shorter than it was; a log is only appended to: bring it back")
        handle.seek(self._end)
        found = handle.read()
        if found and not found.endswith(b"\n"):
            handle.write(b"\n")
            found += b"\n"
        for line in found.split(b"\n")[:-1]:
            self._lines.take(line)
        self._end += len(found)

    def _write(self, handle: BinaryIO, entry: Entry) -> None:
        line = entry.line().encode()
        if (written := handle.write(line)) != len(line):
            # The rest did not fit: the next line closes what is there.
            raise OSError(28, f"{written} of {len(line)} bytes fitted")
        os.fsync(handle.fileno())
        self._lines.take(line.rstrip(b"\n"))
        self._end += len(line)


def _fsync_folder(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
