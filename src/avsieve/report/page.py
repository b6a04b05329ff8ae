"""The report: one HTML page without anything from outside, and the same in a few lines of text."""

from __future__ import annotations

import base64
import hashlib
import shlex
from importlib import resources
from typing import Any

import pandas as pd
from jinja2 import Environment, PackageLoader, StrictUndefined

from avsieve.evaluation.conditions.contract import POOLED
from avsieve.evaluation.labels import CAUTION, GIVEN, TRUSTED, in_words
from avsieve.evaluation.metrics import CALIBRATED, METRICS, Figure
from avsieve.report.audit import audit_rows
from avsieve.report.detection import KIND_LABELS, expectation, found_wrong, judged_rows
from avsieve.report.disk import size_in_words
from avsieve.report.errors import Evaluated
from avsieve.report.figure import Place, Plot
from avsieve.report.flagged import flagged_table
from avsieve.report.groups import worst_groups
from avsieve.report.registry import FIGURES
from avsieve.report.rounds import rounds_page
from avsieve.report.run import Run
from avsieve.report.significance import VERDICTS
from avsieve.report.suggested import suggested_pairs
from avsieve.report.summary import format_summary, percent, share
from avsieve.report.verdict import verdict_of
from avsieve.storage import paths as P

SHOWN_FAILURES = 200

# Ways of scoring that stand beside raw scores of whole utterances -> their columns of the results.
WAYS = {
    "AS-norm": {"protocol": "full", "scores": "as_norm"},
    "segments": {"protocol": "segments", "scores": "raw"},
    "segments, AS-norm": {"protocol": "segments", "scores": "as_norm"},
}


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
    environment = Environment(
        loader=PackageLoader("avsieve.report"), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True,
    )  # fmt: skip
    environment.filters |= {"share": share, "percent": percent, "count": lambda n: f"{int(n):,}"}
    template = environment.get_template("report.html")
    script = resources.files("avsieve.report").joinpath("templates/flagged.js").read_text(encoding="utf-8")
    found = found_wrong(run.decisions)
    first = run.evaluated[0] if run.evaluated else None
    return template.render(
        run=run,
        title=": ".join(filter(None, (run.title, run.corpus.name))),
        summary=run.summary,
        verdict=verdict_of(run),
        flagged=flagged_table(run.decisions),
        worst=worst_groups(run.decided),
        suggested=suggested_pairs(run.decided),
        here=shlex.quote(run.folder),
        path_of=lambda path: P.below(run.folder, path).as_posix(),
        paths=P,
        script=script,
        script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode("ascii"),
        found=found,
        found_total=sum(found.values()),
        kind_labels=KIND_LABELS,
        detection=run.detection,
        expected=expectation(run.summary),
        tiles=_tiles(run, found),
        evaluated=run.evaluated,
        caution=CAUTION if {e.labels for e in run.evaluated} & {TRUSTED, GIVEN} else "",
        pooled=first.rows(condition=POOLED) if first else [],
        conditions=first.conditions if first else [],
        ways=[{"name": name} | row for name, way in WAYS.items() for row in _rows_of(first, way)],
        verdicts=VERDICTS,
        metrics=_metrics(run.results),
        share=share,
        percent=percent,
        comparison=run.comparison,
        compared=run.compared,
        compared_on=in_words(run.comparison["labels"], run.comparison["list"]) if "list" in run.comparison else "",
        rounds=rounds_page(run.rounds),
        plots=_plots,
        audit=audit_rows(run.audit),
        disk=[row | {"size": size_in_words(row["bytes"])} for row in run.disk.to_dict("records")],
        disk_total=size_in_words(int(run.disk["bytes"].sum())) if len(run.disk) else "",
        failures=run.failures.head(SHOWN_FAILURES).to_dict("records"),
        failure_counts=_failure_counts(run.failures),
        times=run.times.to_dict("records"),
        warnings=run.warnings,
    )


def _metrics(results: pd.DataFrame) -> dict[str, Figure]:
    """Return the figures of the tables but the EER, which has columns of its own: those that some system has."""
    own: dict[str, Figure] = {name: metric for name, metric in METRICS.items() if name != "eer"}
    return own | {
        name: metric for name, metric in CALIBRATED.items() if name in results and results[name].notna().any()
    }


def _rows_of(item: Evaluated | None, way: dict[str, str]) -> list[dict[str, Any]]:
    """Return the rows of another way of scoring; none where it was not asked for."""
    return item.rows(**way) if item is not None and set(way) <= set(item.results) else []


def _plots(place: Place, subject: Run | Evaluated) -> list[Plot]:
    """Draw the figures of a place."""
    chosen = [figure for figure in FIGURES.values() if figure.place == place]
    drawn = [(figure, figure.draw(subject)) for figure in chosen]
    return [
        Plot(svg, figure.narrow(subject), figure.words, tuple(figure.data.items()))
        for figure, svg in drawn
        if svg is not None
    ]


def _tiles(run: Run, found: dict[str, int]) -> list[dict[str, str]]:
    """Return the figures at the top: value, what it is, and what stands behind it."""
    total, n, judged = sum(found.values()), int(run.summary["utterances"]), int(judged_rows(run.decisions).sum())
    of = "of the list" if judged == n else f"of {judged:,} that could be judged"
    tiles = [
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
    listed, others = run.failed
    note = "listed below" if listed or others else "in no stage"
    more = f"; {others:,} more of people who are only tested" if others else ""
    tiles.append({"value": f"{listed:,}", "name": "utterances failed", "note": note + more})
    return tiles


def _failure_counts(failures: pd.DataFrame) -> list[dict[str, Any]]:
    if failures.empty:
        return []
    counts = failures.groupby(["stage", "code", "meaning"], sort=False).size().reset_index(name="n")
    return counts.to_dict("records")
