"""What to look at next: queues of utterances, some of which come a second time without saying so.

A place in a queue is a text that means nothing to the page: the queue, the position in its order, the number of the
decision that is expected there, the last repeat that was handed out, a mark of the order, and a tag. From the tag the
server knows whether a decision is that about a repeat. Tags are made of the place, the utterance and the reviewer, and
of nothing that a server keeps: a server that was started again knows the places of the one before it.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from avsieve.review.entry import ReviewError
from avsieve.review.follow_up import follow_up
from avsieve.review.plan import NAME, Plan, check_decisions, read_plan
from avsieve.review.server.columns import Columns
from avsieve.review.server.items import Items
from avsieve.review.server.parameters import shown
from avsieve.review.server.refusal import ConflictError, NotThereError, RefusedError
from avsieve.review.server.repeats import due_repeats
from avsieve.review.server.reviews import Reviews
from avsieve.storage.provenance import sha256_of

MOST_ITEMS = 20
"""Items of an answer at most: a repeat comes at least as many items later."""
LABELS = {
    "uncertain": "least certain first",
    "flagged": "flagged, surest first",
    "plan": "sampling plan",
    "mine": "already decided, newest first",
}
_PLACE = re.compile(r"([a-z]+)\.(\d{1,12})\.(\d{1,12})\.(\d{1,12})\.([0-9a-f]{12})(?:\.([0-9a-f]{16}))?", re.ASCII)

_OF_LINES = "0" * 12  # mark of the order of the log, to which lines are only appended


@dataclass(frozen=True)
class _Place:
    """Where an answer goes on: after ``position``, with the decision ``clock``, after the repeat that was ``due``.

    ``mark`` is that of the order.
    """

    queue: str
    position: int
    clock: int
    due: int
    mark: str
    tag: str = ""

    def text(self) -> str:
        numbers = (self.position + 1, self.clock, self.due)
        return ".".join([self.queue, *map(str, numbers), self.mark, *([self.tag] if self.tag else [])])


class Queues:
    """The queues of a run.

    Parameters
    ----------
    decisions
        Path of the decisions, which a plan must have been drawn from.
    """

    def __init__(self, columns: Columns, reviews: Reviews, items: Items, decisions: Path) -> None:
        self._columns, self._reviews, self._items = columns, reviews, items
        self._decisions = decisions
        self._plan_file = reviews.folder / NAME
        self._plan: tuple[int, Plan] | None = None
        d = columns.decided
        judged, flagged = np.flatnonzero(d.judged), np.flatnonzero(d.flagged & d.judged)
        self._orders = {
            "uncertain": judged[np.argsort(np.abs(d.p_wrong[judged] - 0.5), kind="stable")].astype(np.int32),
            "flagged": flagged[np.argsort(-d.p_wrong[flagged], kind="stable")].astype(np.int32),
        }
        self._marks = {name: _digest(order.tobytes()) for name, order in self._orders.items()}
        self._inside: dict[str, np.ndarray] = {}
        self._planned: tuple[tuple[int, int], np.ndarray] | None = None
        self._sha256: str | None = None

    @property
    def plan(self) -> Plan | None:
        """The plan of the folder of reviews as it is now, None where there is none.

        Raises
        ------
        AvsieveError
            If it cannot be read.
        """
        try:
            written = self._plan_file.stat().st_mtime_ns
        except FileNotFoundError:
            return None
        if self._plan is None or self._plan[0] != written:
            self._plan = (written, read_plan(self._plan_file))
        return self._plan[1]

    def listed(self) -> list[dict[str, Any]]:
        """Return name, label and length of each queue."""
        plan = self.plan
        names = [name for name in LABELS if name != "plan" or plan is not None]
        lengths = {"plan": len(plan) if plan else 0, "mine": len(self._reviews.own.latest)}
        return [
            {"name": name, "label": LABELS[name], "length": lengths.get(name, len(self._orders.get(name, ())))}
            for name in names
        ]

    def page(self, name: str, after: str, limit: int) -> dict[str, Any]:
        """Return the next items of a queue that this reviewer has not decided, with the repeats that are due.

        Parameters
        ----------
        after
            A place, or the ``next`` of another answer; empty to go on where the reviewer is.
        limit
            How many items at most.

        Raises
        ------
        NotThereError
            If there is no such queue.
        ConflictError
            If the plan is of other decisions.
        RefusedError
            If ``after`` is no place of this queue as it is now.
        """
        if name == "mine":
            return self._own(after, limit)
        order, mark = self._order(name), self._mark(name)
        place = self._read(after, name) if after else _Place(name, -1, self._clock - 1, 0, mark)
        if place.mark != mark:
            # After another cleansing, the same position is another clip's, and what stands before it would be missed.
            raise RefusedError(f"place {shown(after)}: of another order of queue {name}; leave it out to begin anew")
        repeats = [r for r in due_repeats(self._reviews.own.in_force, self._reviews.reviewer) if r.due > place.due]
        position, items = place.position, list[dict[str, Any]]()
        clock, due = place.clock, place.due
        rows = self._undecided(order, position + 1, limit)
        while len(items) < limit:
            clock += 1
            again = next((r for r in repeats if due < r.due <= clock and self._columns.row_of(r.utterance) >= 0), None)
            if again is not None:
                row, due = self._columns.row_of(again.utterance), again.due
            elif rows:
                position, row = rows.pop(0)
            else:
                break
            at = _Place(name, position, clock, due, mark)
            text = self._tagged(at, row, again=again is not None).text()
            items.append(self._items.item(row, text, hide_decision=again is not None))
        more = bool(rows) or bool(self._undecided(order, position + 1, 1))
        total = len(order)
        end = items[-1]["place"].rpartition(".")[0] if items and more else None
        return {"items": items, "next": end, "done": total - self.left(name), "total": total}

    def left(self, name: str) -> int:
        """Return how many utterances of a queue this reviewer has not decided."""
        if name == "mine":
            return 0
        order = self._order(name)
        if name == "plan":
            return int((self._reviews.mine[order] < 0).sum())
        if name not in self._inside:
            self._inside[name] = np.zeros(len(self._columns), bool)
            self._inside[name][order] = True
        return len(order) - int(self._inside[name][self._reviews.rows].sum())

    def is_repeat(self, place: str, row: int) -> bool:
        """Tell whether ``place`` showed an utterance a second time.

        Raises
        ------
        RefusedError
            If that place was not given to that utterance for this reviewer, by this server or one before it.
        """
        at = self._read(place, "")
        for again in (False, True):
            if at == self._tagged(at, row, again=again):
                return again
        raise RefusedError(f"place {shown(place)}: not one that was given to this utterance; load the page again")

    def place_again(self, row: int) -> str:
        """Return where the decision about an utterance that came a second time is sent, outside of any queue."""
        return self._tagged(_Place("mine", 0, 0, 0, _OF_LINES), row, again=True).text()

    def queue_of(self, place: str) -> str:
        """Return the queue of a place."""
        return self._read(place, "").queue

    @property
    def _clock(self) -> int:
        return len(self._reviews.own.in_force)

    def _own(self, after: str, limit: int) -> dict[str, Any]:
        """Return what this reviewer decided; a position is the number of the line that comes next."""
        latest = sorted(self._reviews.own.latest.values(), key=lambda entry: -entry.number)
        first = self._read(after, "mine").position if after else None
        rows = [(e.number - 1, self._columns.row_of(e.utterance)) for e in latest if first is None or e.number <= first]
        rows = [(number, row) for number, row in rows if row >= 0]
        items = []
        for number, row in rows[:limit]:
            place = self._tagged(_Place("mine", number, 0, 0, _OF_LINES), row, again=False)
            items.append(self._items.item(row, place.text()))
        end = items[-1]["place"].rpartition(".")[0] if len(rows) > limit else None
        return {"items": items, "next": end, "done": len(latest), "total": len(latest)}

    def _order(self, name: str) -> np.ndarray:
        if name == "plan" and (plan := self.plan) is not None:
            return self._plan_order(plan)
        if name not in self._orders:
            there = ", ".join(queue["name"] for queue in self.listed())
            raise NotThereError(f"queue {shown(name)}: no such queue; expected one of {there}")
        return self._orders[name]

    def _mark(self, name: str) -> str:
        """Return what tells an order from others; third clips come and go behind a plan and leave it as it is."""
        if name != "plan":
            return self._marks[name]
        plan = self.plan
        return _digest("\n".join(plan.utterance if plan else ()).encode())

    def _plan_order(self, plan: Plan) -> np.ndarray:
        if self._sha256 is None:
            self._sha256 = sha256_of(self._decisions)
        try:
            check_decisions(self._plan_file, plan, self._decisions, self._sha256)
        except ReviewError as error:
            raise ConflictError(str(error)) from None
        version = (self._plan[0] if self._plan else 0, self._reviews.version)
        if self._planned is None or self._planned[0] != version:
            # Third clips stand behind the sample, whose order decides what counts.
            decided = {name: entry.decision for name, entry in self._reviews.own.latest.items()}
            rows = [self._columns.row_of(name) for name in dict.fromkeys([*plan.utterance, *follow_up(plan, decided)])]
            self._planned = (version, np.array([row for row in rows if row >= 0], np.int32))
        return self._planned[1]

    def _undecided(self, order: np.ndarray, first: int, most: int) -> list[tuple[int, int]]:
        """Return position and row of the next utterances without a decision."""
        found: list[tuple[int, int]] = []
        width = 64
        while first < len(order) and len(found) < most:
            part = order[first : first + width]
            places = np.flatnonzero(self._reviews.mine[part] < 0)[: most - len(found)]
            found += [(first + int(k), int(part[k])) for k in places]
            first, width = first + width, width * 4
        return found

    def _read(self, text: str, name: str) -> _Place:
        found = _PLACE.fullmatch(text)
        if found is None or found[1] not in LABELS or (name and found[1] != name):
            raise RefusedError(f"place {shown(text)}: not one of queue {name or 'any'}; leave it out to begin anew")
        return _Place(found[1], int(found[2]) - 1, int(found[3]), int(found[4]), found[5], found[6] or "")

    def _tagged(self, at: _Place, row: int, *, again: bool) -> _Place:
        """Return the place with its tag: that of an utterance, whatever row it has after another cleansing."""
        bare = replace(at, tag="").text()
        content = "\n".join([bare, self._columns.id_of(row), self._reviews.reviewer, str(again)])
        return replace(at, tag=hashlib.blake2b(content.encode(), digest_size=8).hexdigest())


def _digest(content: bytes) -> str:
    return hashlib.blake2b(content, digest_size=6).hexdigest()
