"""How far reviewers agree with each other, and each with themselves: Cohen's kappa (1960).

Kappa is the agreement beyond what two reviewers who answer at random with their own shares would reach: 1 is full
agreement, 0 none beyond chance. ``unsure`` is a finding of its own here. With oneself it is about clips that were shown
again: a later decision about a clip with decisions about others in between. A correction at once is none.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

from avsieve.review.entry import FINDINGS, Entry, Finding
from avsieve.review.log import SUFFIX, in_force, read_log

Pairs = Mapping[tuple[Hashable, Hashable], int] | Iterable[tuple[Hashable, Hashable]]


@dataclass(frozen=True)
class Agreement:
    """Two series of decisions about the same clips.

    Attributes
    ----------
    first, second
        Reviewers; the same one twice for the agreement with oneself.
    clips
        That both decided about.
    same
        Of these, with the same finding: right, wrong or unsure.
    kappa
        Cohen's, None where chance alone would agree everywhere, or there is no clip.
    """

    first: str
    second: str
    clips: int
    same: int
    kappa: float | None

    @property
    def with_oneself(self) -> bool:
        """Whether it is one reviewer's agreement with himself or herself."""
        return self.first == self.second

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON takes it."""
        return asdict(self) | {"kappa": None if self.kappa is None else round(self.kappa, 4)}


def kappa(pairs: Pairs) -> float | None:
    """Return Cohen's kappa of pairs of categories, or of how often each occurs; None where it is not defined."""
    counted = Counter(pairs)
    n, same = counted.total(), alike(counted)
    first, second = Counter[Hashable](), Counter[Hashable]()
    for (a, b), count in counted.items():
        first[a] += count
        second[b] += count
    chance = sum(first[name] * second[name] for name in first)  # times n squared
    return (n * same - chance) / (n * n - chance) if n * n > chance else None


def alike(counted: Counter[tuple[Hashable, Hashable]]) -> int:
    """Return how many of the pairs are two of the same."""
    return sum(count for (a, b), count in counted.items() if a == b)


def finding(decision: str) -> Finding:
    """Return right, wrong or unsure of a value of `avsieve.review.entry.Verdict`."""
    found = FINDINGS[decision]
    return Finding.WRONG if Finding.WRONG in found else found[0]


def agreements(entries: Mapping[str, Sequence[Entry]]) -> list[Agreement]:
    """Return the agreement of each two reviewers who have a clip in common, and of each with himself or herself.

    Parameters
    ----------
    entries
        Reviewer -> decisions in force, in the order of the log.
    """
    found = []
    latest = {who: {e.utterance: finding(e.decision) for e in of} for who, of in entries.items()}
    for first, second in combinations(sorted(entries), 2):
        common = [name for name in latest[first] if name in latest[second]]
        found.append(_of(first, second, [(latest[first][name], latest[second][name]) for name in common]))
    found += [_of(who, who, _again(entries[who])) for who in sorted(entries)]
    return [item for item in found if item.clips]


def read_agreements(folder: str | Path) -> list[Agreement]:
    """Return the agreements of a folder of logs.

    Raises
    ------
    ReviewError
        If a log cannot be read.
    """
    logs = [read_log(path) for path in sorted(Path(folder).glob(f"*{SUFFIX}"))]
    return agreements({log.reviewer: in_force(log.entries) for log in logs})


def agreement_lines(found: Sequence[Agreement]) -> list[str]:
    """Return a line for each."""
    lines = []
    for item in found:
        who = f"{item.first} and {item.second}" if not item.with_oneself else f"{item.first}, asked again"
        told = "kappa not defined" if item.kappa is None else f"kappa {item.kappa:.2f}"
        lines.append(f"{who}: {item.same:,} of {item.clips:,} clips alike, {told}")
    return lines


def _again(entries: Sequence[Entry]) -> list[tuple[Finding, Finding]]:
    """Return what was decided before and again.

    The page marks what it showed a second time. In a log without marks a decision counts unless it comes right after
    another one about the clip, which mends that.
    """
    marked = any(entry.repeat for entry in entries)
    last: dict[str, tuple[int, Finding]] = {}
    found = []
    for place, entry in enumerate(entries):
        said = finding(entry.decision)
        before = last.get(entry.utterance)
        if before is not None and (entry.repeat if marked else place > before[0] + 1):
            found.append((before[1], said))
        last[entry.utterance] = (place, said)
    return found


def _of(first: str, second: str, pairs: Sequence[tuple[str, str]]) -> Agreement:
    return Agreement(first, second, len(pairs), sum(a == b for a, b in pairs), kappa(pairs))
