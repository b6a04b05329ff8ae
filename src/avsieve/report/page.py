"""The report: one HTML page without anything from outside, and the same in a few lines of text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib import resources
from typing import Any

import pandas as pd
from jinja2 import Environment, StrictUndefined

from avsieve.cleansing.words import Warned, warnings_in_words
from avsieve.report import det, figures
from avsieve.report.comparison import comparison_rows
from avsieve.report.detection import KIND_LABELS, Detection, compare, expectation, found_wrong
from avsieve.report.facts import Provenance
from avsieve.report.sheet import Row
from avsieve.report.summary import MODEL_LABELS, error_rows, format_summary, percent, share

SHOWN_FAILURES = 200

# Ways of scoring that stand beside raw scores of whole utterances -> their columns of the results.
WAYS = {
    "AS-norm": {"protocol": "full", "scores": "as_norm"},
    "segments": {"protocol": "segments", "scores": "raw"},
    "segments, AS-norm": {"protocol": "segments", "scores": "as_norm"},
}


@dataclass(frozen=True)
class Run:
    """Everything that the page tells of; empty tables and None where a run has none.

    Attributes
    ----------
    decisions, summary
        ``lists/decisions.parquet`` and ``lists/summary.json``.
    results, gains, curves
        The tables of ``evaluation/``.
    comparison, comparison_curves
        ``comparison/comparison.json`` and ``comparison/curves.parquet``.
    truth
        The truth table, where it is known.
    failures, times
        See `avsieve.report.facts`.
    certain, close, wrong
        Rows of the contact sheets: surest flags, closest calls, and what the truth contradicts.
    """

    decisions: pd.DataFrame
    summary: dict[str, Any]
    title: str = "AVSieve"
    results: pd.DataFrame = field(default_factory=pd.DataFrame)
    gains: pd.DataFrame = field(default_factory=pd.DataFrame)
    curves: pd.DataFrame = field(default_factory=pd.DataFrame)
    comparison: dict[str, Any] = field(default_factory=dict)
    comparison_curves: pd.DataFrame = field(default_factory=pd.DataFrame)
    truth: pd.DataFrame | None = None
    failures: pd.DataFrame = field(default_factory=pd.DataFrame)
    times: pd.DataFrame = field(default_factory=pd.DataFrame)
    provenance: Sequence[Provenance] = ()
    certain: Sequence[Row] = ()
    close: Sequence[Row] = ()
    wrong: Sequence[Row] = ()

    @property
    def warnings(self) -> list[Warned]:
        """What must not be passed over, and notes."""
        reasons = [dict(p.facts).get("left_out") for p in self.provenance if p.stage == "evaluate_fusion"]
        told = [Warned(f"the evaluation is left out: {reason}") for reason in reasons if reason]
        return [*told, *warnings_in_words(self.summary)]

    @property
    def detection(self) -> Detection | None:
        """Counts against the truth."""
        return None if self.truth is None else compare(self.decisions, self.truth)


def render_summary(run: Run, report: str | None = None) -> str:
    """Return the text that a run ends with; ``report`` is the path of the page."""
    return format_summary(
        summary=run.summary,
        found=found_wrong(run.decisions),
        results=run.results,
        detection=run.detection,
        failed=run.failures["utterance"].nunique() if len(run.failures) else 0,
        report=report,
        warnings=run.warnings,
    )


def render_page(run: Run) -> str:
    """Return the page. Everything that comes from the data is escaped; equal runs give equal bytes."""
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters |= {"share": share, "percent": percent, "count": lambda n: f"{int(n):,}"}
    template = environment.from_string(
        resources.files("avsieve.report").joinpath("templates/report.html").read_text(encoding="utf-8")
    )
    found = found_wrong(run.decisions)
    evaluated = len(run.results) > 0
    whole = run.results[run.results["condition"] == "whole"] if evaluated else run.results
    return template.render(
        run=run,
        title=run.title,
        summary=run.summary,
        found=found,
        found_total=sum(found.values()),
        kind_labels=KIND_LABELS,
        detection=run.detection,
        expected=expectation(run.summary),
        tiles=_tiles(run, found),
        errors=error_rows(run.results) if evaluated else [],
        damaged=error_rows(run.results, "damaged")
        if evaluated and (run.results["condition"] == "damaged").any()
        else [],
        ways=[{"name": name} | row for name, way in WAYS.items() for row in _rows_of(run.results, way)],
        gains=_plain_gains(run.gains),
        comparison=run.comparison,
        compared_encoders=run.comparison_curves["model"].nunique() if len(run.comparison_curves) else 0,
        compared=comparison_rows(run.comparison.get("gains", [])),
        model_labels=MODEL_LABELS,
        trials=whole.iloc[0].to_dict() if len(whole) else {},
        figures=_figures(run),
        failures=run.failures.head(SHOWN_FAILURES).to_dict("records"),
        failure_counts=_failure_counts(run.failures),
        times=run.times.to_dict("records"),
        warnings=run.warnings,
    )


def _rows_of(results: pd.DataFrame, way: dict[str, str]) -> list[dict[str, Any]]:
    """Return the rows of another way of scoring; none where it was not asked for."""
    return error_rows(results, **way) if set(way) <= set(results) else []


def _plain_gains(gains: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the gains of full utterances and raw scores."""
    if "eer_gain" not in gains:
        return []
    for column, value in {"protocol": "full", "scores": "raw"}.items():
        if column in gains:
            gains = gains[gains[column] == value]
    return gains.to_dict("records")


def _figures(run: Run) -> dict[str, str]:
    made = {}
    if len(run.decisions):
        made["scatter"] = figures.similarity_scatter(run.decisions, run.truth)
        made["histograms"] = figures.similarity_histograms(run.decisions)
        made["probabilities"] = figures.probability_histogram(run.decisions)
    if len(run.results):
        made["errors"] = figures.error_bars(run.results)
    if len(run.curves):
        made["det"] = det.det_curves(run.curves)
    if run.comparison:
        made["compared"] = figures.gain_bars(comparison_rows(run.comparison["gains"]))
    if len(run.comparison_curves):
        made["compared_det"] = det.arm_curves(run.comparison_curves)
    return made


def _tiles(run: Run, found: dict[str, int]) -> list[dict[str, str]]:
    """Return the figures at the top: value, what it is, and what stands behind it."""
    total, n = sum(found.values()), int(run.summary["utterances"])
    tiles = [
        {"value": f"{n:,}", "name": "utterances", "note": f"of {run.summary['speakers']:,} speakers"},
        {"value": f"{total:,}", "name": "labels found wrong", "note": f"{total / max(n, 1):.1%} of the list"},
    ]
    detection, expected = run.detection, expectation(run.summary)
    if detection is not None:
        note = f"F1 {share(detection.f1)} by the truth"
        tiles.append({"value": share(detection.precision), "name": "precision", "note": note})
        tiles.append(
            {"value": share(detection.recall), "name": "recall", "note": f"{detection.true:,} labels are wrong"}
        )
    elif expected["precision"] is not None:
        tiles.append({"value": share(expected["precision"]), "name": "precision", "note": "expected by the method"})
        tiles.append({"value": share(expected["recall"]), "name": "recall", "note": "expected by the method"})
    rows = error_rows(run.results) if len(run.results) else []
    trained = [row for row in rows if row["before"] and row["after"]]
    if trained:
        best = min(trained, key=lambda row: row["after"]["eer"])
        value = f"{percent(best['before']['eer'])} → {percent(best['after']['eer'])}"
        tiles.append({"value": value, "name": f"EER %, {best['label']}", "note": "trained on all → cleansed"})
    elif rows:
        reached = {row["label"]: (row["untrained"] or row["after"] or row["before"])["eer"] for row in rows}
        best_label = min(reached, key=lambda label: reached[label])
        note = "the best of the models"
        tiles.append({"value": percent(reached[best_label]), "name": f"EER %, {best_label}", "note": note})
    compared = [row for row in comparison_rows(run.comparison.get("gains", [])) if row["system"].endswith("_encoder")]
    for row in [row for row in compared if row["scores"] == "raw"]:
        value = f"{percent(row['eer_all'])} → {percent(row['eer_clean'])}"
        tiles.append({"value": value, "name": f"EER %, {row['label']}", "note": "trained on all → cleansed"})
    failed = run.failures["utterance"].nunique() if len(run.failures) else 0
    tiles.append(
        {"value": f"{failed:,}", "name": "utterances failed", "note": "listed below" if failed else "in no stage"}
    )
    return tiles


def _failure_counts(failures: pd.DataFrame) -> list[dict[str, Any]]:
    if failures.empty:
        return []
    counts = failures.groupby(["stage", "code", "meaning"], sort=False).size().reset_index(name="n")
    return counts.to_dict("records")
