"""The logs of all reviewers, folded into one row per utterance.

Of each reviewer the latest decision in force counts, by its line and not by its clock. Where reviewers disagree, voice
and face each get what the majority of those who decided says; ``unsure`` is no vote. A tie is ``unsure``, and so is
what nobody decided. Who it is, and whether it spreads, are asked of those whose own decision agrees with the outcome in
both modalities: the name needs the most votes, alone, and the spreading more than half of them.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from avsieve.review.entry import FINDINGS, Entry, Finding, ReviewError
from avsieve.review.lines import SUFFIX, in_force, read_log
from avsieve.review.table import Reviewed, word_of, write_review


@dataclass(frozen=True)
class Folded:
    """The rows in the order of the ids, the reviewers, and a line for each torn line of a log."""

    rows: list[Reviewed]
    reviewers: list[str]
    told: list[str]


def fold(folder: str | Path) -> Folded:
    """Read all logs of a folder and join them.

    Raises
    ------
    ReviewError
        If there is no log, or one cannot be read.
    """
    if not Path(folder).is_dir():
        raise ReviewError(f"{folder}: no such folder; expected one with a log per reviewer, <reviewer>{SUFFIX}")
    paths = sorted(Path(folder).glob(f"*{SUFFIX}"))
    if not paths:
        raise ReviewError(f"{folder}: no log of a reviewer; expected files <reviewer>{SUFFIX}")
    logs = [read_log(path) for path in paths]
    latest: dict[str, dict[str, Entry]] = {}
    for log in logs:
        for entry in in_force(log.entries):
            latest.setdefault(entry.utterance, {})[log.reviewer] = entry
    rows = [_joined(utterance, list(latest[utterance].values())) for utterance in sorted(latest)]
    return Folded(rows, [log.reviewer for log in logs], [line for log in logs for line in log.told()])


def fold_into(folder: str | Path, out: str | Path) -> Folded:
    """Fold a folder and write ``review.csv``, atomically; equal logs give equal bytes."""
    folded = fold(folder)
    write_review(out, folded.rows)
    return folded


def _joined(utterance: str, entries: list[Entry]) -> Reviewed:
    found, resolved = [], set()
    for part in (0, 1):
        votes = Counter(FINDINGS[entry.decision][part] for entry in entries)
        right, wrong = votes[Finding.RIGHT], votes[Finding.WRONG]
        found.append(Finding.UNSURE if right == wrong else Finding.RIGHT if right > wrong else Finding.WRONG)
        if right and wrong:
            resolved.add("tie" if right == wrong else "majority")
    agreeing = [entry for entry in entries if FINDINGS[entry.decision] == tuple(found)]
    speaker = _most([entry.speaker for entry in agreeing if entry.speaker])
    audio, visual = (str(f) for f in found)
    return Reviewed(
        utterance, word_of(audio, visual, speaker), audio, visual, speaker,
        spread=sum(entry.spread for entry in agreeing) * 2 > len(agreeing) > 0,
        reviewers=len(entries),
        who=" ".join(sorted(entry.reviewer for entry in entries)),
        disagreement=bool(resolved),
        resolved="tie" if "tie" in resolved else "".join(resolved),
        time=max(entry.time for entry in entries),
        list_sha256=" ".join(sorted({entry.list_sha256 for entry in entries if entry.list_sha256})),
    )  # fmt: skip


def _most(names: list[str]) -> str:
    """Return the name with the most votes; none where two have as many."""
    first = Counter(names).most_common(2)
    return "" if not first or (len(first) == 2 and first[0][1] == first[1][1]) else first[0][0]
