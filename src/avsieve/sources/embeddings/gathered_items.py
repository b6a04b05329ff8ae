"""The rows of tables of segments or faces, without their embeddings: brought into the order of a plan and of time."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from avsieve.embedding_files.item_tables import ItemTable
from avsieve.errors import AvsieveError
from avsieve.storage.reasons import Reason
from avsieve.storage.sequence_names import FRAMES

_LOG = logging.getLogger(__name__)


@dataclass
class Gathered:
    """The rows of some utterances, M of them, by utterance, sequence and time.

    Attributes
    ----------
    tables, wanted
        Where they are from, and (N,) bool of each, which of its rows they are.
    utterances, sequences
        What ``place`` and ``which`` point to.
    order
        (M,) int64: their positions in the tables' own order.
    place, which
        (M,) int32 and int8: the utterance and the sequence of each.
    number
        (M,) float64: of the segment or the frame, NaN where there is none.
    known
        Column that one of the tables has -> (M,) floats, NaN where nothing is known.
    frame
        (M,) strings, what faces are called; none where no table tells.
    unknown, nameless
        How many rows are of other utterances, and of none.
    rejected
        Reason -> the first row that has no embedding for it.
    """

    tables: list[ItemTable]
    wanted: list[np.ndarray]
    utterances: list[str]
    sequences: list[str]
    order: np.ndarray
    place: np.ndarray
    which: np.ndarray
    number: np.ndarray
    known: dict[str, np.ndarray]
    frame: pa.ChunkedArray | None
    unknown: int
    nameless: int
    rejected: dict[Reason, str] = field(default_factory=dict)
    counts: Counter[Reason] = field(default_factory=Counter)

    @property
    def of_faces(self) -> bool:
        """Whether the rows are faces."""
        return self.sequences == [FRAMES]

    @property
    def begins(self) -> np.ndarray:
        """Return where the rows of each table begin in the tables' own order, (T + 1,)."""
        return np.cumsum([0, *(int(own.sum()) for own in self.wanted)])

    def targets(self) -> Iterator[tuple[ItemTable, np.ndarray, np.ndarray]]:
        """Yield each table, which of its rows are wanted, and the places of these here."""
        place = np.empty(len(self.order), np.int64)
        place[self.order] = np.arange(len(self.order))
        begins = self.begins.tolist()
        for table, own, begin, end in zip(self.tables, self.wanted, begins[:-1], begins[1:], strict=True):
            yield table, own, place[begin:end]

    def changes(self, begin: int, end: int) -> np.ndarray:
        """Return which of the rows from ``begin`` to ``end`` are the first of a sequence, bool."""
        place, which = self.place[begin:end], self.which[begin:end]
        first = np.ones(len(place), bool)
        first[1:] = (place[1:] != place[:-1]) | (which[1:] != which[:-1])
        return first

    def same_time(self) -> np.ndarray:
        """Return which rows but the first, (M - 1,) bool, are of one time with the one before."""
        columns = [self.number, *(self.known[name] for name in ("start_s", "length_s") if name in self.known)]
        same = ~self.changes(0, len(self.place))[1:]
        for values in columns:
            same &= (values[1:] == values[:-1]) | (np.isnan(values[1:]) & np.isnan(values[:-1]))
        start = self.known.get("start_s", np.full(len(self.place), np.nan))
        return same & ~(np.isnan(start[1:]) & np.isnan(self.number[1:]))

    def describe(self, row: int) -> str:
        """Say that a row and the one before are two embeddings of one time."""
        start = self.known["start_s"][row] if "start_s" in self.known else np.nan
        when = f"at {start:g} s" if start == start else f"of the number {self.number[row]:g}"
        return (
            f"{self.where(row)} ({self.sequences[self.which[row]]}): two embeddings {when}, which differ; expected one "
            f"{'face' if self.of_faces else 'segment'} of a time"
        )

    def names(self, rows: np.ndarray) -> pa.Array:
        """Return the utterances of rows."""
        return pa.array([self.utterances[k] for k in self.place[rows].tolist()], pa.string())

    def sequence_names(self, rows: np.ndarray) -> pa.Array:
        """Return the sequences of rows."""
        return pa.array(self.sequences, pa.string()).take(pa.array(self.which[rows]))

    def frames(self, rows: np.ndarray, number: np.ndarray) -> pa.Array:
        """Return what faces are called: as the table says, else by their time in 25ths of a second, or ``number``."""
        start = self.known["start_s"][rows] if "start_s" in self.known else np.full(len(rows), np.nan)
        usual = [
            f"{round(25 * s):04d}" if s == s else f"{k:04d}"
            for s, k in zip(start.tolist(), number.tolist(), strict=True)
        ]
        if self.frame is None:
            return pa.array(usual, pa.string())
        given = self.frame.take(pa.array(self.order[rows])).to_pylist()
        return pa.array([name or k for name, k in zip(given, usual, strict=True)], pa.string())

    def reject(self, row: int, reason: Reason) -> None:
        """Note that a row has no embedding that can be used."""
        self.counts[reason] += 1
        if reason not in self.rejected:
            self.rejected[reason] = self.where(row)

    def where(self, row: int) -> str:
        """Name a row: its table, its number there, and its utterance."""
        own = int(self.order[row])
        table = int(np.searchsorted(self.begins, own, side="right")) - 1
        there = int(np.flatnonzero(self.wanted[table])[own - self.begins[table]])
        return f"{self.tables[table].path}, row {there + 1}, {self.utterances[self.place[row]]}"

    def tell(self, alive: np.ndarray) -> dict[str, dict[str, int]]:
        """Tell of each sequence how much there is, and return it; ``alive`` (M,) are the rows that are taken.

        Raises
        ------
        AvsieveError
            If there is nothing of one of them.
        """
        counts = {}
        for k, name in enumerate(self.sequences):
            own = alive & (self.which == k)
            found = len(np.unique(self.place[own]))
            if not found:
                raise AvsieveError(
                    f"{self.tables[0].path}: no row of {name} has an embedding that can be used ({self._reasons()})"
                )
            counts[name] = {"rows": int(own.sum()), "utterances": found, "without": len(self.utterances) - found}
            _LOG.info(
                "%s: %s rows of %s of %s utterances of the plan; the others have none and are masked",
                name, f"{int(own.sum()):,}", f"{found:,}", f"{len(self.utterances):,}",
            )  # fmt: skip
        if self.unknown or self.nameless:
            _LOG.info("%s rows are of no utterance of the plan, and %s have no name",
                      f"{self.unknown:,}", f"{self.nameless:,}")  # fmt: skip
        if self.counts:
            _LOG.warning("%s", f"rows that are left out: {self._reasons()}")
        return counts

    def _reasons(self) -> str:
        return "; ".join(
            f"{n:,} x {reason.value}, such as {self.rejected[reason]}" for reason, n in self.counts.items()
        )
