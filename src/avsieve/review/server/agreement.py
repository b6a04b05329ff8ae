"""How far judgements agree: with the machine, with oneself, and with other reviewers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable
from typing import Any

import numpy as np

from avsieve.review.agreement import Pairs, alike, kappa
from avsieve.review.entry import FINDINGS, Entry, Finding, Verdict
from avsieve.review.server.columns import Columns
from avsieve.review.server.reviews import Reviews

_UNSURE = list(Verdict).index(Verdict.UNSURE)
_WRONG = np.array([Finding.WRONG in FINDINGS[name] for name in Verdict])


def _told(pairs: Pairs) -> dict[str, Any]:
    """Return how many pairs there are, how many agree, and Cohen's kappa."""
    counted = Counter(pairs)
    found = kappa(counted)
    return {"n": counted.total(), "agree": alike(counted), "kappa": None if found is None else round(found, 4)}


def agreements(reviews: Reviews, columns: Columns) -> dict[str, dict[str, Any]]:
    """Return the agreement with the ``machine``, with oneself (``self``) and with ``others``.

    Of the machine's flags counts whether anything is wrong, without what was left unsure. Of people counts what was
    found of the voice and of the face; ``self`` is of the utterances that came a second time, each with the decision
    before; ``others`` takes each other reviewer's decision about the same utterance.
    """
    mine = reviews.own.latest
    rows = reviews.rows[reviews.mine[reviews.rows] != _UNSURE]
    # A list that was decided with reviews agrees with them: the machine is what it would say by itself.
    machine_flagged = columns.decided.flagged if columns.machine_flagged is None else columns.machine_flagged
    wrong, flagged = _WRONG[reviews.mine[rows]], machine_flagged[rows]
    machine = Counter(
        {(a, b): int(((wrong == a) & (flagged == b)).sum()) for a in (False, True) for b in (False, True)}
    )
    others = [
        (FINDINGS[entry.decision], FINDINGS[opinions.latest[utterance].decision])
        for opinions in reviews.by_others.values()
        for utterance, entry in mine.items()
        if utterance in opinions.latest
    ]
    return {"machine": _told(machine), "self": _told(_repeats(reviews.own.in_force)), "others": _told(others)}


def _repeats(decisions: list[Entry]) -> list[tuple[Hashable, Hashable]]:
    before: dict[str, Entry] = {}
    pairs: list[tuple[Hashable, Hashable]] = []
    for entry in decisions:
        if entry.repeat and entry.utterance in before:
            pairs.append((FINDINGS[before[entry.utterance].decision], FINDINGS[entry.decision]))
        before[entry.utterance] = entry
    return pairs
