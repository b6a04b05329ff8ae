"""The audit of a list on the page: what was measured with labels that were broken on purpose."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from avsieve.inspection.figures import Figure, measured
from avsieve.report.detection import KIND_LABELS
from avsieve.report.summary import share


@dataclass(frozen=True)
class AuditRows:
    """What the page tells of an audit.

    Attributes
    ----------
    figures
        Precision, recall and F1 with their intervals; what was not measured is left out.
    injected, utterances
        Labels that were broken, and utterances that count.
    kinds
        Kind in words -> share of those injected that was found; two voices at once stand last.
    """

    figures: list[Figure]
    injected: int
    utterances: int
    kinds: dict[str, float]


def audit_rows(audit: Mapping[str, Any]) -> AuditRows | None:
    """Return what the page tells of ``audit.json``; None where there is none."""
    if not audit:
        return None
    found = audit.get("recall_by_kind") or {}
    words = KIND_LABELS | {"mixed": "two voices at once (no part of the recall)"}
    kinds = {words[kind]: float(found[kind]) for kind in words if found.get(kind) is not None}
    return AuditRows(measured(dict(audit)), int(audit.get("injected", 0)), int(audit.get("utterances", 0)), kinds)


def audit_in_words(audit: Mapping[str, Any]) -> str:
    """Return what an audit measured as a sentence; empty where it measured nothing."""
    rows = audit_rows(audit)
    if rows is None or not rows.figures:
        return ""
    told = [
        f"{figure.name} {share(figure.value)}"
        + ("" if figure.low is None else f" (95 % interval {share(figure.low)} to {share(figure.high)})")
        for figure in rows.figures
        if figure.name != "f1"
    ]
    return f"An audit, with {rows.injected:,} labels broken on purpose, measures {' and '.join(told)}."
