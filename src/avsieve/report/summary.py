"""The short table that a run ends with."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import Any

import pandas as pd

from avsieve.cleansing.warning_texts import Warned, warnings_in_words
from avsieve.evaluation.conditions.contract import POOLED
from avsieve.evaluation.labels import CAUTION, GIVEN, OFFICIAL, TRUSTED
from avsieve.report.detection import KIND_LABELS, Detection, expectation
from avsieve.report.errors import Evaluated
from avsieve.report.significance import VERDICTS


def share(value: float | None, digits: int = 3) -> str:
    """Format a share, or a dash where there is none."""
    return "-" if value is None or pd.isna(value) else f"{value:.{digits}f}"


def percent(value: float | None, digits: int = 2) -> str:
    """Format a share as a percentage without the sign, or a dash where there is none."""
    if value is None or pd.isna(value):
        return "-"
    text = f"{100 * value:.{digits}f}"
    return text if float(text) else text.removeprefix("-")


def format_summary(
    *,
    summary: dict[str, Any],
    found: dict[str, int],
    evaluated: Sequence[Evaluated] = (),
    detection: Detection | None = None,
    failed: int = 0,
    judged: int | None = None,
    report: str | None = None,
    warnings: Sequence[Warned] | None = None,
) -> str:
    """Write the outcome of a run as plain text, at most 80 columns wide unless a model has a long label.

    Parameters
    ----------
    summary
        ``lists/summary.json``.
    found
        Flagged utterances per kind (`avsieve.report.detection.found_wrong`).
    evaluated
        The tables of ``evaluation/`` (`avsieve.report.errors.evaluated_lists`), where there was an evaluation.
    detection
        Counts against the truth, where it is known; else what the method expects of itself is shown.
    failed
        Utterances of the list that some stage could not process.
    judged
        Utterances of the list that there was evidence to judge by; all where not given.
    report
        Path of the page.
    warnings
        What must not be passed over; those of the summary where not given.
    """
    total = sum(found.values())
    n = summary["utterances"]
    known = n if judged is None else judged
    of = "" if known == n else f" of {known:,} judged"
    kinds = ", ".join(f"{KIND_LABELS[kind]} {count:,}" for kind, count in found.items())
    lines = [
        f"utterances        {n:,} of {summary['speakers']:,} speakers" + (f", {failed:,} failed" if failed else ""),
        f"found wrong       {total:,} ({total / max(known, 1):.1%}{of}): {kinds}",
    ]
    if left_out := summary.get("incomplete", 0):
        lines.append(f"left out          {left_out:,} lack a voice or a face; no label is wrong for that")
    if detection is not None:
        scores, origin = (detection.precision, detection.recall, detection.f1), "against the truth"
        if detection.judged < n:
            origin += f" of {detection.judged:,}"
    else:
        expected = expectation(summary)
        scores, origin = (expected["precision"], expected["recall"], expected["f1"]), "expected by the method"
    lines.append(f"precision, recall {share(scores[0])}, {share(scores[1])}; F1 {share(scores[2])} ({origin})")
    if detection is not None:
        each = ", ".join(f"{k.label} {share(k.recall, 2)}" for k in detection.kinds if k.true)
        lines.append(f"recall by kind    {each}")
    for number, item in enumerate(evaluated):
        lines += _error_table(item, of_several=len(evaluated) > 1, is_first=number == 0)
        if number == 0:
            lines += _pooled_table(item)
    if {item.labels for item in evaluated} & {TRUSTED, GIVEN}:
        lines += [*textwrap.wrap(CAUTION, 80), ""]
    for warned in warnings_in_words(summary) if warnings is None else warnings:
        if warned.severe:
            lines += textwrap.wrap(f"{'WARNING':18}{warned.text}", 80, subsequent_indent=" " * 18)
    if report:
        lines.append(f"report            {report}")
    return "\n".join(lines) + "\n"


def _error_table(item: Evaluated, *, of_several: bool, is_first: bool) -> Sequence[str]:
    """Lay out the EER per model: what is not trained with its interval, the others with that of their paired gain."""
    first = item.first
    name = "" if first["trials_version"] == "-" else f"{first['trials']} {first['trials_version']}, "
    lines = [f"trials            {name}{first['total']:,} over {first['n_speakers']:,} speakers"]
    # A list of the user's that has VoxCeleb1's name and no other is named already.
    if item.labels in (TRUSTED, GIVEN) or of_several or (item.labels == OFFICIAL and item.name != first["trials"]):
        lines.append(f"{'':18}{item.what}{' (the headline)' if of_several and is_first else ''}")
    return [*lines, *_rates(item.rows()), ""]


def _pooled_table(item: Evaluated) -> list[str]:
    """Lay out the EER of all trials, damaged or not, under one threshold; nothing where none were damaged."""
    rows = item.rows(condition=POOLED)
    if not rows:
        return []
    first = rows[0]["untrained"] or rows[0]["after"] or rows[0]["before"]
    total = int(first["n_trials"] + first["n_missing"])
    told = f"{'pooled':18}{total:,} under one threshold: these, and as damaged by {len(item.conditions)} conditions"
    return [*textwrap.wrap(told, 80, subsequent_indent=" " * 18), *_rates(rows), ""]


def _rates(rows: Sequence[dict[str, Any]]) -> list[str]:
    """Return lines for the models that are not trained, and for those that are."""
    lines = []
    plain = [row for row in rows if row["untrained"]]
    if plain:
        lines += ["", f"{'EER %, not trained':30}{'EER':>6}   {'its 95 % interval':>17}"]
    for row in plain:
        value = row["untrained"]
        bounds = f"{percent(value['eer_low'])} – {percent(value['eer_high'])}" if "eer_low" in value else ""
        lines.append(f"{row['label']:30}{percent(value['eer']):>6}   {bounds:>17}".rstrip())
    trained = [row for row in rows if not row["untrained"]]
    width = max([16, *(len(row["label"]) + 1 for row in trained)])
    if trained:
        lines += ["", f"{'EER %, trained':{width}}{'on all':>7}{'cleansed':>10}{'gain':>7}   {'95 % of the gain':>16}"]
    for row in trained:
        all_, clean = (percent((row[arm] or {}).get("eer")) for arm in ("before", "after"))
        gain, bounds = row["gain"] or {"verdict": "none"}, ""
        if gain["verdict"] != "none":
            bounds = f"{percent(gain['eer_gain_low'])} to {percent(gain['eer_gain_high'])}"
        found = f"{percent(gain.get('eer_gain')):>7}   {bounds:>16}  {VERDICTS[gain['verdict']]}"
        lines.append(f"{row['label']:{width}}{all_:>7}{clean:>10}{found}".rstrip())
    return lines
