"""A reviewer's log: ``<folder>/<reviewer>.jsonl``, to which lines are appended and from which none is ever taken.

A line is on the disk before `ReviewLog.append` returns. Lines that were noted together name their first and last: where
one of them is missing, as a full disk or a kill leaves it, none of them counts. The file is opened for appending and
locked meanwhile (flock): two processes of one reviewer neither tear nor renumber each other's lines. What a crash has
left of a line is closed by the next one, is told, and counts as a line without a decision.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from avsieve.review.entry import Entry, ReviewError, check, now
from avsieve.review.lines import SUFFIX, LogLines, check_reviewer, in_force, read_log, standing


class NothingToUndoError(ReviewError):
    """What is to be taken back is not in force."""


@dataclass(frozen=True)
class Wanted:
    """A decision that is to be noted: as in `avsieve.review.entry.Entry`."""

    utterance: str
    decision: str
    speaker: str = ""
    spread: bool = False
    repeat: bool = False


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

    def append(
        self, utterance: str, decision: str, *, speaker: str = "", spread: bool = False, repeat: bool = False
    ) -> Entry:
        """Note a decision; it is on the disk when this returns.

        Raises
        ------
        ReviewError
            If it is no decision about an utterance, or cannot be written.
        """
        return self.extend([Wanted(utterance, decision, speaker, spread, repeat)])[0]

    def extend(self, decisions: Sequence[Wanted], *, act: str = "") -> list[Entry]:
        """Note several decisions, all or none of them, with one wait for the disk; those of an ``act`` once alone.

        Raises
        ------
        ReviewError
            If one is no decision about an utterance, with its place, or they cannot be written; then none counts.
        """
        for k, wanted in enumerate(decisions):
            which = f", {k + 1} of {len(decisions)}" if len(decisions) > 1 else ""
            check(wanted.utterance, wanted.decision, wanted.speaker, f"{self.path}, a new line{which}")
        with self._locked() as handle:
            return self.of_act(act) or self._write(handle, [vars(wanted) for wanted in decisions], act)

    def undo(self, number: int | None = None, *, act: str = "") -> Entry:
        """Take back the line ``number``, or the last decision in force; to undo an undo, name its line.

        Raises
        ------
        NothingToUndoError
            If there is no such line in force, or nothing to take back.
        """
        with self._locked() as handle:
            if noted := self.of_act(act):
                return noted[0]
            if number is None:
                decisions = in_force(self._lines.entries)
                if not decisions:
                    raise NothingToUndoError(f"{self.path}: no decision is in force, so there is nothing to undo")
                number = decisions[-1].number
            return self._undo(handle, [number], act)[0]

    def undo_act(self, number: int | None = None, *, upto: int | None = None, act: str = "") -> list[Entry]:
        """Take back what `undo` would, with all that was noted together with it and is still in force.

        Where no ``number`` is given, it is the last decision of the lines up to ``upto``: who asks late does not take
        back what was decided meanwhile.
        """
        with self._locked() as handle:
            if noted := self.of_act(act):
                return noted
            there = standing(self._lines.entries)
            decisions = [entry for entry in there if entry.undoes is None and (upto is None or entry.number <= upto)]
            named = [entry for entry in there if entry.number == number] if number else decisions[-1:]
            if not named:
                what = f"line {number} is no entry in force" if number else "no decision is in force"
                raise NothingToUndoError(f"{self.path}: {what}, so there is nothing to undo")
            batch = named[0].batch
            together = [entry for entry in there if entry.batch == batch] if batch else named
            return self._undo(handle, [entry.number for entry in together], act)

    def of_act(self, act: str) -> list[Entry]:
        """Return the entries that were noted under the id of an act, as far as the log was read; none if it was not."""
        found = self._lines.acts.get(act, [])
        batch = found[-1].batch if found else None
        last = [entry for entry in found if entry.batch == batch]
        return [] if batch and len(last) != batch[1] - batch[0] + 1 else last

    @property
    def entries(self) -> list[Entry]:
        """All lines that were read, in their order; see `read_on`."""
        return self._lines.entries

    def read_on(self) -> int:
        """Read what other processes have written since; return how many entries came. No file is no error.

        Raises
        ------
        ReviewError
            If the log cannot be read, was cut, or has a line that is no entry.
        """
        before = len(self._lines.entries)
        try:
            with self.path.open("rb") as handle:
                fcntl.flock(handle, fcntl.LOCK_SH)
                self._check_length(handle)
                handle.seek(self._end)
                # A tail without an end is left for the one who writes next.
                self._take(b"".join(handle.read().rpartition(b"\n")[:2]))
        except FileNotFoundError:
            if self._end:
                raise ReviewError(f"{self.path}: is gone; a log is only appended to: bring it back") from None
        except OSError as error:
            raise ReviewError(f"{self.path}: cannot be read ({error.strerror}); expected a reviewer's log") from error
        return len(self._lines.entries) - before

    def torn(self) -> list[str]:
        """Return a line for each torn one of what was read."""
        return self._lines.told()

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
        self._check_length(handle)
        handle.seek(self._end)
        found = handle.read()
        if found and not found.endswith(b"\n"):
            handle.write(b"\n")
            found += b"\n"
        self._take(found)

    def _check_length(self, handle: BinaryIO) -> None:
        if os.fstat(handle.fileno()).st_size < self._end:
            raise ReviewError(f"{self.path}: is shorter than it was; a log is only appended to: bring it back")

    def _take(self, lines: bytes) -> None:
        for line in lines.split(b"\n")[:-1]:
            self._lines.take(line)
        self._end += len(lines)

    def _undo(self, handle: BinaryIO, numbers: Sequence[int], act: str) -> list[Entry]:
        there = {entry.number for entry in standing(self._lines.entries)}
        if wrong := [number for number in numbers if number not in there]:
            raise NothingToUndoError(f"{self.path}: line {wrong[0]} is no entry in force, so it cannot be undone")
        return self._write(handle, [{"undoes": number} for number in numbers], act)

    def _write(self, handle: BinaryIO, wanted: list[dict[str, Any]], act: str) -> list[Entry]:
        first = self._lines.count + 1
        batch = (first, first + len(wanted) - 1) if len(wanted) > 1 else None
        noted: dict[str, Any] = {"time": now(), "list_sha256": self.list_sha256, "batch": batch, "act": act}
        entries = [Entry(first + k, self.reviewer, **values, **noted) for k, values in enumerate(wanted)]
        lines = "".join(entry.line() for entry in entries).encode()
        if lines and (written := handle.write(lines)) != len(lines):
            # The rest did not fit: the next line closes what is there, and of a batch that is cut nothing counts.
            raise OSError(28, f"{written} of {len(lines)} bytes fitted")
        os.fsync(handle.fileno())
        self._take(lines)
        return entries


def _fsync_folder(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
