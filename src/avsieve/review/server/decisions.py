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
_KEYS = ("utterance", "decision", "speaker", "spread", "place", "stands")
_ACT = re.compile(r"[A-Za-z0-9_-]{8,64}")
_SPEAKER = re.compile(rf"{PART}")


class Desk:
    """Takes decisions: what was answered is on the disk.

    Each body may have ``act``, an id of what is done: what was noted under it is answered again, and not noted twice.
    """

    def __init__(self, columns: Columns, reviews: Reviews, queues: Queues) -> None:
        self._columns, self._reviews, self._queues = columns, reviews, queues

    def decide(self, body: Any) -> Entry:
        """Note one decision.

        Raises
        ------
        RefusedError
            If a value cannot be, or the utterance is not of this run.
        ConflictError
            If what ``stands`` is not what this reviewer has decided: another page has decided meanwhile.
        """
        act, values = _act_of(known_keys(body, (*_KEYS, "act")))
        return (self._noted(act) or self._note([self._wanted(values)], act))[0]

    def decide_many(self, body: Any) -> list[Entry]:
        """Note several decisions, all or none.

        Raises
        ------
        RefusedError
            As `decide`, with the place of the first one that cannot be.
        """
        act, values = _act_of(known_keys(body, ("decisions", "act")))
        if noted := self._noted(act):
            return noted
        given = values.get("decisions")
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
        return self._note(wanted, act)

    def undo(self, body: Any) -> dict[str, Any]:
        """Take back the last act in force, or that of the line ``entry``; none of a line after ``upto``.

        Returns
        -------
        dict
            ``undone`` (the line taken back, its utterance and decision), ``all`` of the same shape for what was noted
            together, ``entry`` (the line of the undo: naming it takes the undo back), ``now``, what a page is to show
            of the utterance (of one that came a second time nothing), and ``place``, where the decision about such a
            one is sent again.

        Raises
        ------
        ConflictError
            If there is nothing to undo, or no such line in force.
        """
        act, values = _act_of(known_keys(body, ("entry", "upto", "act")))
        number, upto = _line_of(values, "entry", 1), _line_of(values, "upto", 0)
        log = self._reviews.own.log
        try:
            undos = (
                log.undo_act(number, upto=upto, act=act)
                if number is None or self._is_undo(number)
                else [log.undo(number, act=act)]
            )
        except NothingToUndoError as error:
            raise ConflictError(str(error)) from None
        if any(undo.undoes is None for undo in undos):
            raise RefusedError(f"act {shown(act)}: was a decision; expected an id of its own for each act")
        self._reviews.take()
        told = [self._undone(undo) for undo in undos]
        last = self._decision(undos[-1])
        row = self._columns.row_of(last.utterance)
        now = None if row < 0 else self._stands(row, last.utterance, repeat=last.repeat)
        place = self._queues.place_again(row) if last.repeat and row >= 0 and now is None else ""
        return {"undone": told[-1], "all": told, "entry": undos[-1].number, "now": now, "place": place}

    def _is_undo(self, number: int) -> bool:
        entry = self._line(number)
        return entry is not None and entry.undoes is not None

    def _line(self, number: int) -> Entry | None:
        return next((entry for entry in self._reviews.own.log.entries if entry.number == number), None)

    def _undone(self, undo: Entry) -> dict[str, Any]:
        decision = self._decision(undo)
        return {"entry": undo.undoes, "utterance": decision.utterance, "decision": decision.decision}

    def _decision(self, undo: Entry) -> Entry:
        """Return the decision that an undo, an undo of an undo and so on are about."""
        found: Entry | None = undo
        while found is not None and found.undoes is not None:
            found = self._line(found.undoes)
        return found or Entry(0, self._reviews.reviewer)  # the line was torn

    def _stands(self, row: int, utterance: str, *, repeat: bool) -> str | None:
        """Return what stands of an utterance; of one that was shown again, once that was answered."""
        if repeat and not any(entry.repeat and entry.utterance == utterance for entry in self._reviews.own.in_force):
            return None
        return self._reviews.decision_of(row)

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
        if "stands" in given:
            believed, stands = text_of(given, "stands"), self._stands(row, utterance, repeat=repeat) or ""
            if believed != stands:
                raise ConflictError(
                    f"{utterance}: {_told(stands)} meanwhile, in another tab or window (this page showed it as "
                    f"{_told(believed)}); look again, and decide again to change it"
                )
        return Wanted(utterance, decision, speaker, spread, repeat)

    def _noted(self, act: str) -> list[Entry]:
        """Return what was noted under the id of an act before."""
        found = self._reviews.own.log.of_act(act)
        if any(entry.undoes is not None for entry in found):
            raise RefusedError(f"act {shown(act)}: was an undo; expected an id of its own for each act")
        return found

    def _note(self, wanted: Sequence[Wanted], act: str) -> list[Entry]:
        entries = self._reviews.own.log.extend(wanted, act=act)
        self._reviews.take()
        return entries


def _act_of(values: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """Return the id of an act, empty where there is none, and the other values."""
    act = text_of(values, "act")
    if act and not _ACT.fullmatch(act):
        raise RefusedError(f"act {shown(act)}; expected 8 to 64 letters, digits, _ and -")
    return act, {name: value for name, value in values.items() if name != "act"}


def _line_of(values: dict[str, Any], name: str, least: int) -> int | None:
    number = values.get(name)
    if number is not None and (type(number) is not int or number < least):
        raise RefusedError(f"{name} {shown(number)}; expected the number of a line of the log, {least} or more")
    return number


def _told(decision: str) -> str:
    return f"decided {decision}" if decision else "not decided"
