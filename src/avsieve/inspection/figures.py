"""Precision and recall of a run's flags, each with where the figure comes from."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from avsieve.errors import AvsieveError
from avsieve.inspection.run_files import RunFiles
from avsieve.storage import paths as P

EXPECTED = "expected: by the method itself"
MEASURED = "measured: by an audit"
COUNTED = "counted: against the truth"
_NAMES = ("precision", "recall", "f1")


@dataclass(frozen=True)
class Figure:
    """A precision, recall or F1 of the flags.

    Attributes
    ----------
    name
        ``precision``, ``recall`` or ``f1``.
    value, low, high
        A share, 0 to 1; the ends of its interval or range, None where there is none.
    origin
        What it stands on, in words.
    """

    name: str
    value: float
    low: float | None
    high: float | None
    origin: str


def read_json(path: Path, what: str) -> dict[str, Any]:
    """Read a JSON object that a stage wrote.

    Raises
    ------
    AvsieveError
        If it is no JSON object.
    """
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise AvsieveError(f"{path}: {what} cannot be read ({error}); run its stage again") from None
    if not isinstance(found, dict):
        raise AvsieveError(f"{path}: {what} is {type(found).__name__}; expected a JSON object: run its stage again")
    return found


def figures_of(run: RunFiles, summary: dict[str, Any], audit: dict[str, Any]) -> list[Figure]:
    """Return what is known of the flags: counted against the truth, measured by the audit, and expected.

    Parameters
    ----------
    audit
        That of this list; empty where there is none.

    Raises
    ------
    AvsieveError
        If the truth cannot be read.
    """
    return [*_counted(run), *measured(audit), *expected(summary)]


def measured(audit: dict[str, Any]) -> list[Figure]:
    """Return the figures of an audit (`avsieve.cleansing.audit.audit`); what it could not measure is left out."""
    values = audit.get("measured") or {}
    found = [(name, values.get(name) or {}) for name in _NAMES]
    return [
        Figure(name, item["value"], item.get("low"), item.get("high"), MEASURED)
        for name, item in found
        if item.get("value") is not None
    ]


def expected(summary: dict[str, Any]) -> list[Figure]:
    """Return what the method promises in ``summary.json``; nothing where it has no probabilities."""
    estimated = summary.get("estimated") or {}
    ranges = estimated.get("range") or {}
    found = []
    for name in _NAMES:
        if (value := estimated.get(name)) is not None:
            ends = ranges.get(name) or [None, None]
            found.append(Figure(name, value, ends[0], ends[-1], EXPECTED))
    return found


def _counted(run: RunFiles) -> list[Figure]:
    table = run.below(P.truth.table)
    if not run.of_workflow or not table.is_file():
        return []
    from avsieve.report.detection import compare, read_truth
    from avsieve.storage.tables import read_table

    wanted = ["utterance", "decision", "kind", "p_wrong", "p_audio_wrong", "p_visual_wrong"]
    detection = compare(read_table(run.decisions, wanted), read_truth(table))
    if detection is None:
        return []
    values = ((name, getattr(detection, name)) for name in _NAMES)
    return [Figure(name, value, None, None, COUNTED) for name, value in values if value is not None]
