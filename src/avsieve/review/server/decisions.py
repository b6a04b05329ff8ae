"""Noting what the reviewer decides, and taking it back."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import Any

from avsieve.review.entry import Entry, ReviewError, check
from avsieve.review.log import NothingToUndoError, Wanted
from avsieve.review.server.columns import Columns
from avsieve.review.server.parameters import flag_of, known_keys, shown, text_of
from avsieve.review.server.queues import Queues
from avsieve.review.server.refusal import ConflictError, NoDecisionError, NotThereError, RefusedError
from avsieve.review.server.reviews import Reviews
from avsieve.storage.ids import PART

MOST = 1_000
"""Decisions of one request at most."""
_KEYS = ("utterance", "decision", "speaker", "spread", "place")
_SPEAKER = re.compile(rf"{PART}")


class Desk:
    """Takes decisions: what was answered is on the disk."""

    def __init__(self, columns: Columns, reviews: Reviews, queues: Queues) -> None:
        self._columns, self._reviews, self._queues = columns, reviews, queues

    def decide(self, body: Any) -> Entry:
        """Note one decision.

        Raises
        ------
        RefusedError
            If a value cannot be, or the utterance is not of this run.
        """
        return self._note([self._wanted(body)])[0]

    def decide_many(self, body: Any) -> list[Entry]:
        """Note several decisions, all or none.

        Raises
        ------
        RefusedError
            As `decide`, with the place of the first one that cannot be.
        """
        given = known_keys(body, ("decisions",)).get("decisions")
        if not isinstance(given, list) or not 1 <= len(given) <= MOST:
            found = f"{len(given):,} of them" if isinstance(given, list) else shown(given)
            raise RefusedError(f"decisions: {found}; expected a list of 1 to {MOST:,}")
        wanted = []
        for k, one in enumerate(given, start=1):
            try:
                wanted.append(self._wanted(one))
            except RefusedError as error:
                raise type(error)(f"decision {k} of {len(given)}: {error}; none was noted") from None
        counted = Counter(one.utterance for one in wanted)
        if twice := sorted(name for name, count in counted.items() if count > 1):
            raise RefusedError(
                f"decisions: {twice[0]} stands there twice; expected each utterance once; none was noted"
            )
        return self._note(wanted)

    def undo(self, body: Any) -> dict[str, Any]:
        """Take back the last act in force, or that of the line ``entry``.

        Returns
        -------
        dict
            ``undone`` (the line taken back, its utterance and decision), ``all`` of the same shape for what was noted
            together, ``entry`` (the line of the undo: naming it takes the undo back) and ``now``, what stands of the
            utterance.

        Raises
        ------
        ConflictError
            If there is nothing to undo, or no such line in force.
        """
        number = known_keys(body, ("entry",)).get("entry")
        if number is not None and (type(number) is not int or number < 1):
            raise RefusedError(f"entry {shown(number)}; expected the number of a line of the log, 1 or more")
        log = self._reviews.own.log
        try:
            undos = log.undo_act(number) if number is None or self._is_undo(number) else [log.undo(number)]
        except NothingToUndoError as error:
            raise ConflictError(str(error)) from None
        self._reviews.take()
        told = [self._undone(undo) for undo in undos]
        row = self._columns.row_of(told[-1]["utterance"])
        now = None if row < 0 else self._reviews.decision_of(row)
        return {"undone": told[-1], "all": told, "entry": undos[-1].number, "now": now}

    def _is_undo(self, number: int) -> bool:
        entry = self._line(number)
        return entry is not None and entry.undoes is not None

    def _line(self, number: int) -> Entry | None:
        return next((entry for entry in self._reviews.own.log.entries if entry.number == number), None)

    def _undone(self, undo: Entry) -> dict[str, Any]:
        line = decision = self._line(undo.undoes or 0)
        while decision is not None and decision.undoes is not None:
            decision = self._line(decision.undoes)
        return {
            "entry": None if line is None else line.number,
            "utterance": "" if decision is None else decision.utterance,
            "decision": "" if decision is None else decision.decision,
        }

    def _wanted(self, body: Any) -> Wanted:
        given = known_keys(body, _KEYS)
        utterance, decision = (text_of(given, name, needed=True) for name in ("utterance", "decision"))
        speaker, spread, place = text_of(given, "speaker"), flag_of(given, "spread"), text_of(given, "place")
        row = self._columns.row_of(utterance)
        if row < 0:
            raise NotThereError(
                f"utterance {shown(utterance)}: not one of this run's; expected speaker/video/utterance"
            )
        if speaker and (not _SPEAKER.fullmatch(speaker) or len(speaker) > 251):
            raise NoDecisionError(
                f"speaker {shown(speaker)}; expected a label such as {utterance.partition('/')[0]}: letters, digits "
                "and _ - . + @ =, not beginning with a dot"
            )
        try:
            check(utterance, decision, speaker, "decision")
        except ReviewError as error:
            raise NoDecisionError(str(error)) from None
        repeat = bool(place) and self._queues.is_repeat(place, row)
        return Wanted(utterance, decision, speaker, spread, repeat)

    def _note(self, wanted: Sequence[Wanted]) -> list[Entry]:
        entries = self._reviews.own.log.extend(wanted)
        self._reviews.take()
        return entries
