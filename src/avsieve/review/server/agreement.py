"""How far judgements agree: with the machine, with oneself, and with other reviewers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable
from typing import Any

from avsieve.review.entry import FINDINGS, Entry, Finding, Verdict
from avsieve.review.server.columns import Columns
from avsieve.review.server.reviews import Reviews


def kappa(pairs: Iterable[tuple[Hashable, Hashable]]) -> dict[str, Any]:
    """Return how many pairs there are, how many agree, and Cohen's kappa (Cohen 1960).

    Returns
    -------
    dict
        ``n``, ``agree`` (both counts) and ``kappa``: what is agreed beyond chance, by what could be; None where there
        is no pair, or both sides always say the same one thing, so that nothing could be.
    """
    counted = Counter(pairs)
    n = sum(counted.values())
    agree = sum(count for (a, b), count in counted.items() if a == b)
    first, second = Counter[Hashable](), Counter[Hashable]()
    for (a, b), count in counted.items():
        first[a] += count
        second[b] += count
    chance = sum(first[name] * second[name] for name in first)  # times n squared
    apart = n * n - chance
    return {"n": n, "agree": agree, "kappa": round((n * agree - chance) / apart, 4) if apart else None}


def agreements(reviews: Reviews, columns: Columns) -> dict[str, dict[str, Any]]:
    """Return the agreement with the ``machine``, with oneself (``self``) and with ``others``.

    Of the machine's flags counts whether anything is wrong, without what was left unsure. Of people counts what was
    found of the voice and of the face; ``self`` is of the utterances that came a second time, each with the decision
    before; ``others`` takes each other reviewer's decision about the same utterance.
    """
    mine = reviews.own.latest
    flagged = columns.decided.flagged
    decided = [entry for entry in mine.values() if entry.decision != Verdict.UNSURE]
    rows = [columns.row_of(entry.utterance) for entry in decided]
    machine = [
        (Finding.WRONG in FINDINGS[entry.decision], bool(flagged[row]))
        for entry, row in zip(decided, rows, strict=True)
        if row >= 0
    ]
    others = [
        (FINDINGS[entry.decision], FINDINGS[opinions.latest[utterance].decision])
        for opinions in reviews.by_others.values()
        for utterance, entry in mine.items()
        if utterance in opinions.latest
    ]
    return {"machine": kappa(machine), "self": kappa(_repeats(reviews.own.in_force)), "others": kappa(others)}


def _repeats(decisions: list[Entry]) -> list[tuple[Hashable, Hashable]]:
    before: dict[str, Entry] = {}
    pairs: list[tuple[Hashable, Hashable]] = []
    for entry in decisions:
        if entry.repeat and entry.utterance in before:
            pairs.append((FINDINGS[before[entry.utterance].decision], FINDINGS[entry.decision]))
        before[entry.utterance] = entry
    return pairs
