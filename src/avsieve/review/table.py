"""`review.csv`: one row per reviewed utterance, with what was found of its voice and of its face in the end.

`avsieve review fold` writes it; a user's own may have the columns ``utterance`` and ``decision`` alone.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from dataclasses import dataclass, fields
from pathlib import Path

from avsieve.review.entry import FINDINGS, Finding, ReviewError, Verdict, check_speaker
from avsieve.storage.atomic import write_text
from avsieve.storage.ids import is_valid_id
from avsieve.storage.text_files import read_text

_YES = {"yes": True, "no": False, "": False, "true": True, "false": False, "1": True, "0": False}


@dataclass(frozen=True)
class Reviewed:
    """One utterance.

    Attributes
    ----------
    utterance, decision
        The id, and the value of `Verdict` that comes nearest to what was found.
    audio, visual
        What was found of the voice and of the face: values of `Finding`.
    speaker
        Who it is, where the reviewers say so; else empty.
    spread
        Whether it counts for the video's other clips of that label.
    reviewers, who
        How many have decided, ``unsure`` too, and their names, joined by blanks.
    disagreement
        Whether one found right what another found wrong.
    resolved
        ``majority`` or ``tie`` where there is a disagreement (a tie in either modality is one), else empty.
    time
        Of the last decision.
    list_sha256
        Digests of the lists that were seen, joined by blanks.
    """

    utterance: str
    decision: str
    audio: str
    visual: str
    speaker: str = ""
    spread: bool = False
    reviewers: int = 1
    who: str = ""
    disagreement: bool = False
    resolved: str = ""
    time: str = ""
    list_sha256: str = ""


COLUMNS = tuple(field.name for field in fields(Reviewed))


def write_review(path: str | Path, rows: Iterable[Reviewed]) -> None:
    """Write the table, atomically, in the order of the ids; equal rows give equal bytes."""
    text = io.StringIO()
    out = csv.writer(text, lineterminator="\n")
    out.writerow(COLUMNS)
    for row in sorted(rows, key=lambda r: r.utterance):
        values = [getattr(row, name) for name in COLUMNS]
        out.writerow([{True: "yes", False: "no"}[v] if isinstance(v, bool) else v for v in values])
    write_text(path, text.getvalue())


def read_review(path: str | Path) -> list[Reviewed]:
    """Read a table of reviews; a column that is not there is empty, and others are passed over.

    Raises
    ------
    ReviewError
        If it has no ``utterance``, neither ``decision`` nor ``audio`` and ``visual``, an utterance twice, or a value
        that cannot be; with the number of such rows and the first ones.
    ListError
        If it is no text.
    """
    reader = csv.reader(io.StringIO(read_text(path, "table of reviews"), newline=""), strict=True)
    try:
        lines = [(reader.line_num, row) for row in reader if row]
    except csv.Error as error:
        raise ReviewError(f"{path}, line {reader.line_num}: {error}; expected comma-separated values") from None
    names = [name.strip() for name in lines[0][1]] if lines else []
    if "utterance" not in names or not ("decision" in names or {"audio", "visual"} <= set(names)):
        found = ", ".join(names) or "nothing"
        raise ReviewError(f"{path}: columns {found}; expected utterance and decision, and any of {', '.join(COLUMNS)}")
    rows, wrong = [], []
    seen: set[str] = set()
    for number, line in lines[1:]:
        try:
            row = _row(names, line, seen)
        except ReviewError as error:
            wrong.append(f"line {number}: {error}")
            continue
        seen.add(row.utterance)
        rows.append(row)
    if wrong:
        more = f" (and {len(wrong) - 3:,} more)" if len(wrong) > 3 else ""
        raise ReviewError(
            f"{path}: {len(wrong):,} of {len(lines) - 1:,} rows cannot be read: {'; '.join(wrong[:3])}{more}"
        )
    return rows


def _row(names: list[str], line: list[str], seen: set[str]) -> Reviewed:
    if len(line) != len(names):
        raise ReviewError(f"{len(line)} values; expected {len(names)}")
    given = {name: value.strip() for name, value in zip(names, line, strict=True)}
    utterance, decision = given["utterance"], given.get("decision", "")
    if not is_valid_id(utterance):
        raise ReviewError(f"utterance {utterance!r}; expected an id, speaker/video/utterance")
    if utterance in seen:
        raise ReviewError(f"{utterance} stands in an earlier line too; expected one row per utterance")
    if decision and decision not in FINDINGS:
        raise ReviewError(f"decision {decision!r}; expected one of {', '.join(Verdict)}")
    parts = dict(zip(("audio", "visual"), FINDINGS.get(decision, ("", "")), strict=True))
    for name in parts:
        if found := given.get(name, ""):
            if found not in set(Finding):
                raise ReviewError(f"{name} {found!r}; expected one of {', '.join(Finding)}")
            parts[name] = Finding(found)
        if not parts[name]:
            raise ReviewError(f"{utterance} has no decision; expected one of {', '.join(Verdict)}")
    audio, visual = str(parts["audio"]), str(parts["visual"])
    speaker, spread, count = given.get("speaker", ""), given.get("spread", "").lower(), given.get("reviewers", "")
    check_speaker(speaker)
    if speaker and Finding.WRONG not in (audio, visual):
        raise ReviewError(f"{utterance} has speaker {speaker!r} and nothing is wrong; expected none")
    if speaker == utterance.split("/", 1)[0]:
        raise ReviewError(f"{utterance} has speaker {speaker!r}, its own label; expected another, or right")
    if decision == Verdict.OTHER_SPEAKER and not speaker:
        raise ReviewError(f"{utterance} is other_speaker without a speaker; name who it is, or decide wrong_clip")
    if spread not in _YES:
        raise ReviewError(f"spread {spread!r}; expected yes or no")
    if count and not count.isdecimal():
        raise ReviewError(f"reviewers {count!r}; expected a whole number")
    return Reviewed(
        utterance, decision or word_of(audio, visual, speaker), audio, visual, speaker, _YES[spread], int(count or 1),
        given.get("who", ""), _YES.get(given.get("disagreement", "").lower(), False), given.get("resolved", ""),
        given.get("time", ""), given.get("list_sha256", ""),
    )  # fmt: skip


def word_of(audio: str, visual: str, speaker: str) -> str:
    """Return the `Verdict` that comes nearest to what was found of both modalities."""
    wrong = (audio == Finding.WRONG, visual == Finding.WRONG)
    if all(wrong):
        return Verdict.OTHER_SPEAKER.value if speaker else Verdict.WRONG_CLIP.value
    if any(wrong):
        return Verdict.WRONG_VOICE.value if wrong[0] else Verdict.WRONG_FACE.value
    both_right = audio == visual == Finding.RIGHT
    return Verdict.RIGHT.value if both_right else Verdict.UNSURE.value
