"""Further rounds of cleansing on the page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from avsieve.report.detection import KIND_LABELS, KINDS
from avsieve.report.summary import percent
from avsieve.rounds.words import (
    NO_PROOF,
    changes_in_words,
    confirmation_in_words,
    encoders_in_words,
    gain_in_words,
    measured,
    with_interval,
)

SYSTEMS = {"audio": "voices", "visual": "faces", "both": "both, mean of cosines"}
_TRUE_LABELS = {KINDS[kind]: label for kind, label in KIND_LABELS.items()}


@dataclass(frozen=True)
class RoundsPage:
    """What the page tells of them.

    Attributes
    ----------
    encoders
        Whose encoders were trained anew, as a sentence.
    measured
        Rows: ``round``, ``by`` (truth or audit), ``flagged``, ``precision``, ``recall``, ``f1`` as texts.
    kinds
        With the truth: kind in words -> round -> found, of how many.
    error_rates
        Rows: ``list``, ``system``, and the EER of each round as a text.
    told
        Paragraphs, of each round after the first.
    numbers
        Names of the rounds.
    notes
        What bounds all of it.
    """

    encoders: str
    measured: list[dict[str, str]]
    kinds: dict[str, dict[str, str]]
    error_rates: list[dict[str, Any]]
    told: list[tuple[str, list[str]]]
    numbers: list[str]
    notes: list[str] = field(default_factory=list)


def rounds_page(facts: Mapping[str, Any]) -> RoundsPage | None:
    """Return what the page tells of ``rounds.json``; None where there is none."""
    if not facts:
        return None
    rounds = facts["rounds"]
    rows = [
        {"round": own["round"], "by": by, "flagged": f"{own['flagged']:,}"}
        | {name: with_interval(found.get(name)) for name in ("precision", "recall", "f1")}
        for own in rounds
        for by, found in measured(own)
    ]
    kinds: dict[str, dict[str, str]] = {}
    for own in rounds:
        for kind, (found, of) in ((own["truth"] or {}).get("found_by_kind") or {}).items():
            kinds.setdefault(_TRUE_LABELS.get(kind, kind), {})[own["round"]] = f"{found:,} of {of:,}"
    told = [
        (own["round"], [words for words in (changes_in_words(own), gain_in_words(own)) if words]) for own in rounds[1:]
    ]
    for own, (_, words) in zip(rounds[1:], told, strict=True):
        words += confirmation_in_words(own)
    notes = [f"No audit: {facts['audit_left_out']}."] if facts["audit_left_out"] else [NO_PROOF]
    notes += ["With fewer than 20 speakers the intervals are too narrow."] if facts["speakers"] < 20 else []
    return RoundsPage(
        encoders_in_words(facts), rows, kinds, _error_rates(rounds), told, [own["round"] for own in rounds], notes
    )


def _error_rates(rounds: list[dict[str, Any]]) -> list[dict[str, Any]]:
    found: dict[tuple[str, str], dict[str, str]] = {}
    for row in (row for own in rounds for row in own["error_rates"]):
        found.setdefault((row["list"], row["system"]), {})[row["round"]] = percent(row["eer"])
    return [{"list": name, "system": SYSTEMS[system], "eer": eer} for (name, system), eer in found.items()]
