"""Write the report from the files of a run."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from avsieve.evaluation.results import read_evaluation
from avsieve.inspection.audit_of_run import audit_of
from avsieve.inspection.decided import Decided, decided_of
from avsieve.report.corpus import read_corpus
from avsieve.report.detection import read_truth
from avsieve.report.disk import read_disk
from avsieve.report.facts import read_failures, read_provenance, read_times
from avsieve.report.media import Media
from avsieve.report.page import render_page, render_summary
from avsieve.report.run import Run
from avsieve.report.scale import Scales
from avsieve.report.settings import Report
from avsieve.report.sheet import Trusted, closest_calls, make_rows, mistakes, most_certain
from avsieve.storage import paths as P
from avsieve.storage.atomic import write_text
from avsieve.storage.stale_shards import current
from avsieve.storage.tables import open_table, read_table


@dataclass(frozen=True)
class Inputs:
    """Where the report finds what it tells of; None and empty where a run has none.

    Attributes
    ----------
    decisions, summary, plan
        ``lists/decisions.parquet``, ``lists/summary.json`` and the plan, which says in which shard an utterance lies,
        and has a note of the source beside it.
    results, gains, curves
        The tables of ``evaluation/``.
    comparison, comparison_curves
        ``comparison/comparison.json`` and ``comparison/curves.parquet``.
    rounds
        ``rounds/rounds.json``.
    truth
        The truth table, where the truth is known.
    audit
        ``audit/audit.json``; it need not exist.
    status, faces, wavs, clips, provenance
        Status tables of all stages, tars of faces (tables of detections beside them) and of wavs, media indices, and
        records of provenance: files, or folders that hold them.
    benchmarks
        Folder of Snakemake's benchmark tables.
    shards
        Number of shards, so that files of others in these folders are not read; None for all that are there.
    """

    decisions: Path
    summary: Path
    plan: Path
    results: Path | None = None
    gains: Path | None = None
    curves: Path | None = None
    comparison: Path | None = None
    comparison_curves: Path | None = None
    rounds: Path | None = None
    truth: Path | None = None
    audit: Path | None = None
    status: Sequence[Path] = ()
    faces: Sequence[Path] = ()
    wavs: Sequence[Path] = ()
    clips: Sequence[Path] = ()
    provenance: Sequence[Path] = ()
    benchmarks: Path | None = None
    shards: int | None = None

    def files(self, paths: Sequence[Path], pattern: str) -> list[Path]:
        """Return the files among ``paths``, and those of the run's shards that fit ``pattern`` in the folders."""
        return [
            file
            for path in paths
            for file in (current(sorted(path.glob(pattern)), self.shards) if path.is_dir() else [path])
        ]


def read_run(inputs: Inputs, settings: Report, *, headline: str = "", builtin: Sequence[str] = ()) -> Run:
    """Gather what the page tells, the faces and voices that it shows among it.

    Parameters
    ----------
    headline, builtin
        See `avsieve.report.run.Run`.

    Raises
    ------
    AvsieveError
        If a table cannot be read.
    """
    decisions, columns = _read_decisions(inputs.decisions)
    summary = json.loads(inputs.summary.read_text(encoding="utf-8"))
    truth = read_truth(inputs.truth) if inputs.truth else None
    plan = read_table(inputs.plan, ["utterance", "shard"])
    trusted, scales = Trusted(decisions), Scales(decisions)
    sheets = {
        "certain": most_certain(decisions, settings.flagged),
        "close": closest_calls(decisions, settings.close_calls),
        "wrong": decisions.head(0) if truth is None else mistakes(decisions, truth, settings.mistakes),
    }
    shard_of = dict(zip(plan["utterance"], plan["shard"], strict=True))
    faces, wavs = inputs.files(inputs.faces, "*.faces.tar"), inputs.files(inputs.wavs, "*.wav.tar")
    folders = [path for path in inputs.faces if path.is_dir()]
    boxes = inputs.files(folders, "*.detections.parquet")
    clips = [path for path in inputs.files(inputs.clips, "*.parquet") if path.name.count(".") == 1]
    corpus = read_corpus(inputs.plan.with_name(Path(P.plan.source).name), inputs.decisions)
    roots = [Path(place) for place in corpus.places]
    with Media(faces, wavs, shard_of, clips=clips, boxes=boxes, roots=roots) as media:
        rows = {
            name: make_rows(
                chosen,
                media,
                trusted,
                truth,
                faces=settings.faces_per_row,
                players=settings.players,
                voice_s=settings.voice_s,
                scales=scales,
            )
            for name, chosen in sheets.items()
        }
    audit, why = audit_of(inputs.audit, summary, lambda: columns) if inputs.audit else ({}, "")
    times = current(sorted(inputs.benchmarks.rglob("*.tsv")), inputs.shards) if inputs.benchmarks else []
    return Run(
        decisions=decisions,
        summary=summary,
        columns=columns,
        title=settings.title,
        corpus=corpus,
        headline=headline,
        builtin=builtin,
        folder=inputs.decisions.parent.parent.as_posix(),
        place=inputs.decisions.parent.parent.resolve().as_posix(),
        results=read_evaluation(inputs.results) if inputs.results else pd.DataFrame(),
        gains=read_evaluation(inputs.gains) if inputs.gains else pd.DataFrame(),
        curves=read_table(inputs.curves) if inputs.curves else pd.DataFrame(),
        comparison=json.loads(inputs.comparison.read_text(encoding="utf-8")) if inputs.comparison else {},
        comparison_curves=read_table(inputs.comparison_curves) if inputs.comparison_curves else pd.DataFrame(),
        rounds=json.loads(inputs.rounds.read_text(encoding="utf-8")) if inputs.rounds else {},
        truth=truth,
        failures=read_failures(inputs.files(inputs.status, "*.status.parquet")),
        times=read_times(times, len(plan)),
        disk=read_disk(inputs.decisions.parent.parent, inputs.shards),
        audit=audit,
        audit_misfit=why,
        provenance=read_provenance(inputs.files(inputs.provenance, "*.json")),
        **rows,
    )


def _read_decisions(path: Path) -> tuple[pd.DataFrame, Decided]:
    """Read the decisions once, as rows and as columns."""
    with open_table(path) as file:
        table = file.read()
    return table.to_pandas(), decided_of(table)


def write_report(run: Run, page: Path, summary: Path) -> str:
    """Write the page and, as text, the summary that a run ends with, which is returned."""
    write_text(page, render_page(run))
    text = render_summary(run, report=page.as_posix())
    write_text(summary, text)
    return text
