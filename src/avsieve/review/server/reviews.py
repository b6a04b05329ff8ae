"""What this reviewer and the others have decided, as columns beside the run; kept in step with the logs."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from avsieve.review.entry import Entry, Verdict
from avsieve.review.lines import SUFFIX, in_force
from avsieve.review.log import ReviewLog
from avsieve.review.server.columns import Columns

_CODE = {name: code for code, name in enumerate(Verdict)}
_NAMES = tuple(str(name) for name in Verdict)


class Opinions:
    """The decisions in force of one reviewer.

    Attributes
    ----------
    log
        Whose.
    in_force
        Decisions, in their order.
    latest
        Utterance -> its last decision in force.
    """

    def __init__(self, log: ReviewLog) -> None:
        self.log = log
        self.in_force: list[Entry] = []
        self.latest: dict[str, Entry] = {}
        self._seen = 0
        self._size = -1

    def read_on(self) -> set[str]:
        """Read what the log has got since; return the utterances of which the decision may have changed."""
        try:
            size = self.log.path.stat().st_size
        except FileNotFoundError:
            size = 0
        if size != self._size:
            self.log.read_on()
            self._size = size
        return self.take()

    def take(self) -> set[str]:
        """Take what the log has read; return the utterances of which the decision may have changed."""
        new = self.log.entries[self._seen :]
        self._seen += len(new)
        if all(entry.undoes is None and entry.batch is None for entry in new):
            self.in_force += new
            self.latest.update({entry.utterance: entry for entry in new})
            return {entry.utterance for entry in new}
        before = self.latest
        self.in_force = in_force(self.log.entries)
        self.latest = {entry.utterance: entry for entry in self.in_force}
        return {name for name in before.keys() | self.latest.keys() if before.get(name) is not self.latest.get(name)}


class Reviews:
    """The decisions of all reviewers of a folder.

    Parameters
    ----------
    folder, reviewer, list_sha256
        Of this reviewer's log.
    columns
        The run: what is decided about utterances of another one is kept in the logs, and shown nowhere.

    Attributes
    ----------
    mine
        (n,) int8, the place of this reviewer's decision in `Verdict`, -1 where there is none.
    others
        (n,) int16, how many other reviewers have decided.
    version
        Rises with every change.
    """

    def __init__(self, folder: str | Path, reviewer: str, list_sha256: str, columns: Columns) -> None:
        self.folder, self.reviewer, self._columns = Path(folder), reviewer, columns
        self.own = Opinions(ReviewLog(folder, reviewer, list_sha256))
        self.by_others: dict[str, Opinions] = {}
        self.mine = np.full(len(columns), -1, np.int8)
        self.others = np.zeros(len(columns), np.int16)
        self.version = 0
        self._rows = (0, np.array([], np.int64))
        self.read_on()

    def read_on(self) -> None:
        """Read what any process has written since.

        Raises
        ------
        ReviewError
            If a log cannot be read.
        """
        for path in self.folder.glob(f"*{SUFFIX}"):
            name = path.name.removesuffix(SUFFIX)
            if name != self.reviewer and name not in self.by_others:
                self.by_others[name] = Opinions(ReviewLog(self.folder, name))
        self._update(self.own.read_on())
        for opinions in self.by_others.values():
            self._update(opinions.read_on())

    def take(self) -> None:
        """Take what the own log has just written."""
        self._update(self.own.take())

    @property
    def rows(self) -> np.ndarray:
        """Rows that this reviewer has decided, (k,) int64."""
        if self._rows[0] != self.version:
            self._rows = (self.version, np.flatnonzero(self.mine >= 0))
        return self._rows[1]

    def decision_of(self, row: int) -> str | None:
        """Return this reviewer's decision about a row, None where there is none."""
        code = int(self.mine[row])
        return None if code < 0 else _NAMES[code]

    def warnings(self, list_sha256: str) -> list[str]:
        """Say what of the logs does not fit this run."""
        everybody = {self.reviewer: self.own, **self.by_others}
        told = []
        for name, opinions in sorted(everybody.items()):
            told += opinions.log.torn()
            foreign = [u for u in opinions.latest if self._columns.row_of(u) < 0]
            if foreign:
                told.append(
                    f"{opinions.log.path}: {len(foreign):,} of {len(opinions.latest):,} decisions are about utterances "
                    f"that this run does not have, such as {foreign[0]}; they are kept and not shown"
                )
            apart = [e for e in opinions.latest.values() if e.list_sha256 and e.list_sha256 != list_sha256]
            if apart and list_sha256:
                told.append(
                    f"{opinions.log.path}: {len(apart):,} of {len(opinions.latest):,} decisions by {name} were made on "
                    f"another list ({apart[0].list_sha256[:12]}; this is {list_sha256[:12]}); they count by the id"
                )
        return told

    def _update(self, utterances: set[str]) -> None:
        if not utterances:
            return
        self.version += 1
        for utterance in utterances:
            row = self._columns.row_of(utterance)
            if row >= 0:
                own = self.own.latest.get(utterance)
                self.mine[row] = -1 if own is None else _CODE[Verdict(own.decision)]
                self.others[row] = sum(utterance in o.latest for o in self.by_others.values())
