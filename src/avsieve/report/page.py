"""The report: one HTML page without anything from outside, and the same in a few lines of text."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from importlib import resources
from typing import Any

import pandas as pd
from jinja2 import Environment, StrictUndefined

from avsieve.cleansing.warning_texts import Warned, warnings_in_words
from avsieve.evaluation.labels import CAUTION, GIVEN, LABELS, TRUSTED
from avsieve.evaluation.metrics import METRICS
from avsieve.report import det, figures
from avsieve.report.comparison import comparison_rows
from avsieve.report.detection import KIND_LABELS, Detection, compare, expectation, found_wrong, judged_rows
from avsieve.report.errors import MODEL_LABELS, Evaluated, evaluated_lists, headline
from avsieve.report.facts import Provenance
from avsieve.report.sheet import Row
from avsieve.report.significance import VERDICTS
from avsieve.report.summary import format_summary, percent, share

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
    headline
        The model whose error rate stands at the top: chosen by the configuration, before any figure is known.
    builtin
        Keys of the shipped models that were used on real people, whom they do not know.
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
    headline: str = ""
    builtin: Sequence[str] = ()
    certain: Sequence[Row] = ()
    close: Sequence[Row] = ()
    wrong: Sequence[Row] = ()

    @cached_property
    def evaluated(self) -> list[Evaluated]:
        """The error rates, a list of trials each; the headline stands on the first."""
        return evaluated_lists(self.results, self.gains, self.curves)

    @property
    def warnings(self) -> list[Warned]:
        """What must not be passed over, and notes."""
        told = [Warned(builtin_words(self.builtin))] if self.builtin else []
        for found in (dict(p.facts) for p in self.provenance if p.stage == "evaluate_fusion"):
            if reason := found.get("left_out"):
                told.append(Warned(f"the evaluation is left out: {reason}"))
            told += [
                Warned(f"no {LABELS[item['labels']]}: {item['left_out']}", severe=False)
                for item in json.loads(found.get("trial_lists", "[]"))
                if item["left_out"] and not reason
            ]
            prefix = "models_left_out."
            gone = {key.removeprefix(prefix): why for key, why in found.items() if key.startswith(prefix)}
            told += [
                Warned(f"not trained, so not evaluated: {', '.join(k for k in gone if gone[k] == why)} ({why})")
                for why in dict.fromkeys(gone.values())
            ]
        return [*told, *warnings_in_words(self.summary)]

    @cached_property
    def failed(self) -> tuple[int, int]:
        """How many utterances some stage could not use: of the list, and of the people who are only tested."""
        names = set(self.failures["utterance"]) if len(self.failures) else set()
        listed = len(names & set(self.decisions["utterance"]))
        return listed, len(names) - listed

    @property
    def detection(self) -> Detection | None:
        """Counts against the truth."""
        return None if self.truth is None else compare(self.decisions, self.truth)


def builtin_words(keys: Sequence[str]) -> str:
    """Say what shipped models make of the results of a run on real people."""
    return (
        f"{', '.join(keys)}: builtin models, trained on made-up people for the embedded corpus, know no real face and "
        "no real voice; lists and error rates of this run show whether it works, and nothing about the data"
    )


def render_summary(run: Run, report: str | None = None) -> str:
    """Return the text that a run ends with; ``report`` is the path of the page."""
    return format_summary(
        summary=run.summary,
        found=found_wrong(run.decisions),
        evaluated=run.evaluated,
        detection=run.detection,
        failed=run.failed[0],
        judged=int(judged_rows(run.decisions).sum()),
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
    first = run.evaluated[0] if run.evaluated else None
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
        evaluated=run.evaluated,
        caution=CAUTION if {e.labels for e in run.evaluated} & {TRUSTED, GIVEN} else "",
        damaged=first.rows(condition="damaged") if first else [],
        ways=[{"name": name} | row for name, way in WAYS.items() for row in _rows_of(first, way)],
        verdicts=VERDICTS,
        metrics={name: metric for name, metric in METRICS.items() if name != "eer"},  # which has columns of its own
        share=share,
        percent=percent,
        comparison=run.comparison,
        compared_encoders=run.comparison_curves["model"].nunique() if len(run.comparison_curves) else 0,
        compared=_compared(run),
        compared_raw=[row for row in comparison_rows(run.comparison.get("gains", [])) if row not in _compared(run)],
        model_labels=MODEL_LABELS,
        labels=LABELS,
        figures=_figures(run),
        failures=run.failures.head(SHOWN_FAILURES).to_dict("records"),
        failure_counts=_failure_counts(run.failures),
        times=run.times.to_dict("records"),
        warnings=run.warnings,
    )


def _rows_of(item: Evaluated | None, way: dict[str, str]) -> list[dict[str, Any]]:
    """Return the rows of another way of scoring; none where it was not asked for."""
    return item.rows(**way) if item is not None and set(way) <= set(item.results) else []


def _compared(run: Run) -> list[dict[str, Any]]:
    """Return what the comparison found on the trials that its headline stands on."""
    rows = comparison_rows(run.comparison.get("gains", []))
    return [row for row in rows if row.get("labels") == run.comparison.get("labels")]


def _figures(run: Run) -> dict[str, str]:
    made = {}
    if len(run.decisions):
        made["scatter"] = figures.similarity_scatter(run.decisions, run.truth)
        made["histograms"] = figures.similarity_histograms(run.decisions)
        made["probabilities"] = figures.probability_histogram(run.decisions)
    for number, item in enumerate(run.evaluated):
        made[f"errors{number}"] = figures.error_bars(item.rows())
    if run.evaluated and len(run.evaluated[0].curves):
        made["det"] = det.det_curves(run.evaluated[0].curves)
    if run.comparison:
        made["compared"] = figures.gain_bars(_compared(run))
    if len(curves := run.comparison_curves):
        if "labels" in curves:
            curves = curves[curves["labels"] == run.comparison.get("labels")]
        made["compared_det"] = det.arm_curves(curves)
    return made


def _tiles(run: Run, found: dict[str, int]) -> list[dict[str, str]]:
    """Return the figures at the top: value, what it is, and what stands behind it."""
    total, n, judged = sum(found.values()), int(run.summary["utterances"]), int(judged_rows(run.decisions).sum())
    of = "of the list" if judged == n else f"of {judged:,} that could be judged"
    tiles = [
        {"value": f"{n:,}", "name": "utterances", "note": f"of {run.summary['speakers']:,} speakers"},
        {"value": f"{total:,}", "name": "labels found wrong", "note": f"{total / max(judged, 1):.1%} {of}"},
    ]
    detection, expected = run.detection, expectation(run.summary)
    if detection is not None:
        note = f"by the truth; F1 {share(detection.f1)}"
        tiles.append({"value": share(detection.precision), "name": "precision", "note": note})
        note = f"by the truth; {detection.true:,} labels are wrong"
        tiles.append({"value": share(detection.recall), "name": "recall", "note": note})
    elif expected["precision"] is not None:
        tiles.append({"value": share(expected["precision"]), "name": "precision", "note": "expected by the method"})
        tiles.append({"value": share(expected["recall"]), "name": "recall", "note": "expected by the method"})
    if run.evaluated:
        tiles += _headline(run.evaluated[0], run.headline)
    compared = [row for row in _compared(run) if row["system"].endswith("_encoder") and row["scores"] == "raw"]
    for row in compared:
        value = f"{percent(row['eer_all'])} → {percent(row['eer_clean'])}"
        note = f"trained on all → cleansed{_of_gain(row)}"
        tiles.append({"value": value, "name": f"EER %, {row['label']}", "note": note})
    listed, others = run.failed
    note = "listed below" if listed or others else "in no stage"
    more = f"; {others:,} more of people who are only tested" if others else ""
    tiles.append({"value": f"{listed:,}", "name": "utterances failed", "note": note + more})
    return tiles


def _of_gain(gain: dict[str, Any]) -> str:
    """Tell a gain's interval and what it allows to say."""
    if gain["verdict"] == "none":
        return ""
    bounds = f"{percent(gain['eer_gain_low'])} to {percent(gain['eer_gain_high'])}"
    return f"; gain {percent(gain['eer_gain'])} ({bounds}): {VERDICTS[gain['verdict']]}"


def _headline(item: Evaluated, wanted: str) -> list[dict[str, str]]:
    """Return the tile of the model that was chosen before anybody looked, and what its figure stands on."""
    row = headline(item.rows(), wanted)
    if row is None:
        return []
    on = f"; {item.what}" if item.labels in (TRUSTED, GIVEN) else ""
    if row["untrained"]:
        value = row["untrained"]
        bounds = f"; {percent(value['eer_low'])} to {percent(value['eer_high'])}" if "eer_low" in value else ""
        note, figure = f"not trained{bounds}{on}", percent(value["eer"])
    else:
        figure = f"{percent(row['before']['eer'])} → {percent(row['after']['eer'])}"
        note = f"trained on all → cleansed{_of_gain(row['gain'] or {'verdict': 'none'})}{on}"
    return [{"value": figure, "name": f"EER %, {row['label']}", "note": note}]


def _failure_counts(failures: pd.DataFrame) -> list[dict[str, Any]]:
    if failures.empty:
        return []
    counts = failures.groupby(["stage", "code", "meaning"], sort=False).size().reset_index(name="n")
    return counts.to_dict("records")
