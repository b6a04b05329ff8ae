"""The short table that a run ends with."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import Any

import pandas as pd

from avsieve.cleansing.words import Warned, warnings_in_words
from avsieve.report.detection import KIND_LABELS, Detection, expectation

MODEL_LABELS = {
    "audio": "voice alone",
    "visual": "face alone",
    "score_average": "score average",
    "concatenation": "concatenation",
    "gated": "gated fusion",
    "linear": "linear fusion",
    "audio_encoder": "voice encoder",
    "visual_encoder": "face encoder",
    "both_encoders": "both encoders, averaged",
}

# The list that a model was trained on -> what it is called beside the others.
ARMS = {"-": "untrained", "all": "before", "clean": "after"}


def share(value: float | None, digits: int = 3) -> str:
    """Format a share, or a dash where there is none."""
    return "-" if value is None or pd.isna(value) else f"{value:.{digits}f}"


def percent(value: float | None, digits: int = 2) -> str:
    """Format a share as a percentage without the sign, or a dash where there is none."""
    if value is None or pd.isna(value):
        return "-"
    text = f"{100 * value:.{digits}f}"
    return text if float(text) else text.removeprefix("-")


def error_rows(
    results: pd.DataFrame, condition: str = "whole", protocol: str = "full", scores: str = "raw"
) -> list[dict[str, Any]]:
    """Return a row per model: its figures before and after cleansing, means over the seeds.

    Keys: ``model``, ``label``, and per arm (the values of `ARMS`) the mean of every column of the results, with the
    number of ``seeds``; None where a model has no such arm.
    """
    rows = []
    chosen = results
    for column, value in {"condition": condition, "protocol": protocol, "scores": scores}.items():
        if column in chosen:
            chosen = chosen[chosen[column] == value]
    for model in dict.fromkeys(chosen["model"]):
        row: dict[str, Any] = {"model": model, "label": MODEL_LABELS.get(model, model)} | dict.fromkeys(ARMS.values())
        for arm, name in ARMS.items():
            of_arm = chosen[(chosen["model"] == model) & (chosen["trained_on"] == arm)]
            if len(of_arm):
                row[name] = of_arm.mean(numeric_only=True).to_dict() | {"seeds": len(of_arm)}
        rows.append(row)
    return rows


def format_summary(
    *,
    summary: dict[str, Any],
    found: dict[str, int],
    results: pd.DataFrame | None = None,
    detection: Detection | None = None,
    failed: int = 0,
    report: str | None = None,
    warnings: Sequence[Warned] | None = None,
) -> str:
    """Write the outcome of a run as plain text, at most 80 columns wide.

    Parameters
    ----------
    summary
        ``lists/summary.json``.
    found
        Flagged utterances per kind (`avsieve.report.detection.found_wrong`).
    results
        ``evaluation/results.csv``, where there was an evaluation.
    detection
        Counts against the truth, where it is known; else what the method expects of itself is shown.
    failed
        Utterances that some stage could not process.
    report
        Path of the page.
    warnings
        What must not be passed over; those of the summary where not given.
    """
    total = sum(found.values())
    n = summary["utterances"]
    kinds = ", ".join(f"{KIND_LABELS[kind]} {count:,}" for kind, count in found.items())
    lines = [
        f"utterances        {n:,} of {summary['speakers']:,} speakers" + (f", {failed:,} failed" if failed else ""),
        f"found wrong       {total:,} ({total / max(n, 1):.1%}): {kinds}",
    ]
    if left_out := summary.get("incomplete", 0):
        lines.append(f"left out          {left_out:,} lack a voice or a face; no label is wrong for that")
    if detection is not None:
        scores, origin = (detection.precision, detection.recall, detection.f1), "against the truth"
    else:
        expected = expectation(summary)
        scores, origin = (expected["precision"], expected["recall"], expected["f1"]), "expected by the method"
    lines.append(f"precision, recall {share(scores[0])}, {share(scores[1])}; F1 {share(scores[2])} ({origin})")
    if detection is not None:
        each = ", ".join(f"{k.label} {share(k.recall, 2)}" for k in detection.kinds if k.true)
        lines.append(f"recall by kind    {each}")
    if results is not None and len(results):
        lines += _error_table(results)
    for warned in warnings_in_words(summary) if warnings is None else warnings:
        if warned.severe:
            lines += textwrap.wrap(f"{'WARNING':18}{warned.text}", 80, subsequent_indent=" " * 18)
    if report:
        lines.append(f"report            {report}")
    return "\n".join(lines) + "\n"


def _error_table(results: pd.DataFrame) -> Sequence[str]:
    """Lay out the EER per model, before and after the cleansing of the list that fusion was trained on."""
    first = results.iloc[0]
    name = "" if first["trials_version"] == "-" else f"{first['trials']} {first['trials_version']}, "
    lines = [
        f"trials            {name}{first['n_trials'] + first['n_missing']:,} over {first['n_speakers']:,} speakers"
    ]
    lines += ["", f"{'EER %':18}{'before':>8}{'after':>8}   {'95 % interval':>15}"]
    for row in error_rows(results):
        last = row["after"] or row["untrained"] or row["before"]
        before = percent((row["before"] or row["untrained"] or {}).get("eer"))
        after = percent((row["after"] or {}).get("eer"))
        bounds = f"{percent(last.get('eer_low'))} – {percent(last.get('eer_high'))}" if "eer_low" in last else ""
        lines.append(f"{row['label']:18}{before:>8}{after:>8}   {bounds:>15}".rstrip())
    return [*lines, ""]
