"""Removed utterances, and where a run has them, in words for the terminal."""

from __future__ import annotations

from typing import Any

from avsieve.cleansing.anchor_ranks import CAVEAT, Found, Ranked
from avsieve.inspection.anchors import Anchors
from avsieve.inspection.text import columns, fact, paragraph, probability, section

_SHOWN = 40


def anchor_lines(anchors: Anchors, found: Found | None = None) -> list[str]:
    """Return what was removed and how it is explained, then what a run says of it."""
    confirmed = [a for a in anchors.utterances if a.status == "confirmed"]
    suspected = len(anchors.utterances) - len(confirmed)
    lines = [
        fact("original trials", anchors.original, "distinct"),
        fact(
            "cleaned trials",
            anchors.cleaned,
            f"{anchors.added:,} of them new" if anchors.added else "all in the original",
        ),
        fact("removed trials", anchors.removed, f"{anchors.removed_targets:,} targets"),
        fact("explained", anchors.explained, "removed trials that touch a removed utterance"),
        fact("confirmed wrong", len(confirmed), "utterances gone, by trials that nothing else explains"),
        fact("suspected wrong", suspected, "utterances gone, by trials that other removed ones explain too"),
    ]
    if found is None:
        rows = [[a.utterance, a.status, a.trials, a.targets, a.only_here] for a in anchors.utterances[:_SHOWN]]
        table = columns(["utterance", "", "trials", "targets", "only here"], rows, left=(0, 1))
        return lines + section("removed utterances", _cut(table, len(anchors.utterances)))
    lines += _recall(found)
    lines += section(f"ranks among {found.judged:,} judged", _cut(_ranks(found), len(found.ranked)))
    return [*lines, "", *paragraph(CAVEAT)]


def known_wrong_lines(value: dict[str, Any] | None) -> list[str]:
    """Return what ``summary.json`` tells under ``anchors``: recall, then the ranks; none without anchors."""
    if value is None:
        return []
    ranked = [Ranked(**row) for row in value["ranked"]]
    found = Found(**{name: v for name, v in value.items() if name != "caveat"} | {"ranked": ranked})
    return [*_recall(found), *_cut(_ranks(found), len(ranked)), *paragraph(CAVEAT)]


def _recall(found: Found) -> list[str]:
    recall = f"95 % {probability(found.low)} to {probability(found.high)}"
    return [
        fact("in the run", found.known, f"confirmed; {found.absent:,} are not in it"),
        fact("flagged", found.flagged),
        fact("recall", probability(found.recall), recall if found.known else "no confirmed one is in the run"),
    ]


def _ranks(found: Found) -> list[str]:
    rows = [
        [r.utterance, r.status, r.rank, None if r.percentile is None else f"{r.percentile:.2f}", probability(r.p_wrong),
         "yes" if r.flagged else "no", r.kind]
        for r in found.ranked[:_SHOWN]
    ]  # fmt: skip
    return columns(["utterance", "", "rank", "percentile", "p wrong", "flagged", "wrong"], rows, left=(0, 1))


def _cut(table: list[str], count: int) -> list[str]:
    return table + ([f"and {count - _SHOWN:,} more"] if count > _SHOWN else [])
