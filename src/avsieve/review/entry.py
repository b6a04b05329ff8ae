"""One line of a reviewer's log: a decision about an utterance, or the undoing of an earlier line.

A line is a JSON object. A decision has ``utterance`` and ``decision``, and may have ``speaker`` and ``spread``; an undo
has ``undoes``, the number of an earlier line. Both may have ``entry`` (the line's own number, from 1), ``reviewer``,
``time``, ``list_sha256``, ``batch`` and ``act``, and a decision ``repeat``. Other keys are passed over: a tool may note
what it likes.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from avsieve.errors import AvsieveError
from avsieve.storage.ids import PART, is_valid_id

_SPEAKER, _DIGEST = re.compile(PART), re.compile(r"[0-9a-zA-Z]*")


class ReviewError(AvsieveError):
    """A reviewer's log or a table of reviews has something that cannot be read or cannot be."""


class Verdict(StrEnum):
    """What a reviewer may decide about an utterance: a closed set."""

    RIGHT = "right"
    WRONG_VOICE = "wrong_voice"
    WRONG_FACE = "wrong_face"
    WRONG_CLIP = "wrong_clip"
    OTHER_SPEAKER = "other_speaker"
    UNSURE = "unsure"


class Finding(StrEnum):
    """What that says of one modality: a closed set."""

    RIGHT = "right"
    WRONG = "wrong"
    UNSURE = "unsure"


# Of the voice and of the face: who finds the voice wrong, and not the clip, has seen that the face is right.
FINDINGS: dict[str, tuple[Finding, Finding]] = {
    Verdict.RIGHT: (Finding.RIGHT, Finding.RIGHT),
    Verdict.WRONG_VOICE: (Finding.WRONG, Finding.RIGHT),
    Verdict.WRONG_FACE: (Finding.RIGHT, Finding.WRONG),
    Verdict.WRONG_CLIP: (Finding.WRONG, Finding.WRONG),
    Verdict.OTHER_SPEAKER: (Finding.WRONG, Finding.WRONG),
    Verdict.UNSURE: (Finding.UNSURE, Finding.UNSURE),
}


@dataclass(frozen=True)
class Entry:
    """One line of a log.

    Attributes
    ----------
    number
        Of the line, from 1.
    reviewer
        Who decided.
    undoes
        The number of the line that this one undoes; None for a decision. An undo has none of what follows but the time.
    utterance, decision
        The id, and a value of `Verdict`; empty in an undo.
    speaker
        Who it is (``other_speaker`` alone).
    spread
        Whether the decision counts for the video's other clips of that label.
    time
        ISO 8601, UTC; empty where it was not noted.
    list_sha256
        The digest of the list that the reviewer saw (``train_all.txt``); empty where it was not noted.
    repeat
        Whether the utterance was shown a second time to see whether the reviewer says the same.
    batch
        The first and the last number of the lines that were noted together: they count all or not at all. None for a
        line of its own.
    act
        The id that the sender gave to what it did, so that what is sent again is noted once; empty where there is none.
    """

    number: int
    reviewer: str
    undoes: int | None = None
    utterance: str = ""
    decision: str = ""
    speaker: str = ""
    spread: bool = False
    time: str = ""
    list_sha256: str = ""
    repeat: bool = False
    batch: tuple[int, int] | None = None
    act: str = ""

    def line(self) -> str:
        """Return the entry as a line of JSON, with its end."""
        values: dict[str, Any] = {"entry": self.number}
        if self.undoes is not None:
            values["undoes"] = self.undoes
        else:
            values |= {"utterance": self.utterance, "decision": self.decision, "spread": self.spread}
            values |= {"speaker": self.speaker} if self.speaker else {}
            values |= {"repeat": True} if self.repeat else {}
        values |= {"batch": list(self.batch)} if self.batch else {}
        values |= {"act": self.act} if self.act else {}
        values |= {"reviewer": self.reviewer, "time": self.time, "list_sha256": self.list_sha256}
        return json.dumps(values, ensure_ascii=False) + "\n"


def now() -> str:
    """Return the time in ISO 8601, UTC to the second."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def entry_of(values: dict[str, Any], number: int, reviewer: str, where: str) -> Entry:
    """Check what a line says.

    Parameters
    ----------
    values
        The JSON object.
    number, reviewer
        Of the line and of the log.
    where
        What an error names: the file and the line.

    Raises
    ------
    ReviewError
        If a value is none that can be.
    """
    _same(values.get("entry"), number, where, "entry", "lines were removed or added; a log is only appended to")
    _same(values.get("reviewer"), reviewer, where, "reviewer", "a log holds one reviewer's lines: name the file so")
    time, sha = _text(values, "time", where), _text(values, "list_sha256", where)
    _check_time(time, where)
    if not _DIGEST.fullmatch(sha):  # it stands in tables that spreadsheets open
        raise ReviewError(f"{where}: list_sha256 {sha!r:.80}; expected the digest of a list, or none")
    batch, act = _batch(values.get("batch"), number, where), _text(values, "act", where)
    if (undoes := values.get("undoes")) is not None:
        if isinstance(undoes, bool) or not isinstance(undoes, int) or not 1 <= undoes < number:
            raise ReviewError(f"{where}: undoes {undoes!r}; expected the number of an earlier line, 1 to {number - 1}")
        return Entry(number, reviewer, undoes, time=time, list_sha256=sha, batch=batch, act=act)
    spread, repeat = _flag(values, "spread", where), _flag(values, "repeat", where)
    utterance, decision, speaker = (_text(values, name, where) for name in ("utterance", "decision", "speaker"))
    check(utterance, decision, speaker, where)
    return Entry(number, reviewer, None, utterance, decision, speaker, spread, time, sha, repeat, batch, act)


def check(utterance: str, decision: str, speaker: str, where: str) -> None:
    """Refuse what is no decision about an utterance (`ReviewError`); ``where`` is what the message begins with."""
    if not is_valid_id(utterance):
        raise ReviewError(f"{where}: utterance {utterance!r}; expected an id, speaker/video/utterance")
    if decision not in FINDINGS:
        raise ReviewError(f"{where}: decision {decision!r}; expected one of {', '.join(Verdict)}")
    if decision == Verdict.OTHER_SPEAKER and speaker in ("", utterance.split("/", 1)[0]):
        found = f"speaker {speaker!r}, its own label" if speaker else "no speaker"
        raise ReviewError(f"{where}: other_speaker with {found}; name who it is, or decide wrong_clip")
    check_speaker(speaker, f"{where}: ")
    if speaker and decision != Verdict.OTHER_SPEAKER:
        raise ReviewError(f"{where}: decision {decision!r} with speaker {speaker!r}; only other_speaker names one")


def check_speaker(speaker: str, where: str = "") -> None:
    """Refuse what could be no label (`ReviewError`): it goes into tables that spreadsheets open."""
    if speaker and not _SPEAKER.fullmatch(speaker):
        raise ReviewError(f"{where}speaker {speaker!r:.80}; expected a label, of letters, digits and _ - . + @ =")


def _same(found: Any, expected: Any, where: str, name: str, remedy: str) -> None:
    if found is not None and found != expected:
        raise ReviewError(f"{where}: {name} {found!r}; expected {expected!r} ({remedy})")


def _text(values: dict[str, Any], name: str, where: str) -> str:
    found = values.get(name)
    if found is None:
        return ""
    if not isinstance(found, str):
        raise ReviewError(f"{where}: {name} {found!r}; expected text")
    return found


def _flag(values: dict[str, Any], name: str, where: str) -> bool:
    found = values.get(name, False)
    if not isinstance(found, bool):
        raise ReviewError(f"{where}: {name} {found!r}; expected true or false")
    return found


def _batch(found: Any, number: int, where: str) -> tuple[int, int] | None:
    if found is None:
        return None
    whole = isinstance(found, list) and len(found) == 2 and all(type(end) is int for end in found)
    if not whole or not 1 <= found[0] <= number <= found[1]:
        raise ReviewError(f"{where}: batch {found!r}; expected its first and last line, such as [{number}, {number}]")
    return found[0], found[1]


def _check_time(time: str, where: str) -> None:
    if not time:
        return
    try:
        given = datetime.fromisoformat(time)
    except ValueError:
        given = None
    if given is None or given.utcoffset() != UTC.utcoffset(None):
        raise ReviewError(f"{where}: time {time!r}; expected ISO 8601 in UTC, such as 2024-05-01T12:00:00Z")
