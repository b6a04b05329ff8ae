from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from avsieve.inspection import decided
from avsieve.report import write
from avsieve.report.corpus import Corpus
from avsieve.report.page import render_page
from avsieve.report.settings import Report
from avsieve.report.write import Inputs, read_run, write_report
from avsieve.storage import tables
from avsieve.storage.atomic import write_json
from avsieve.storage.reasons import Reason
from avsieve.storage.status import StatusTable
from avsieve.storage.tables import write_table

from .made_up import make_audit, make_boxes, make_decisions, make_media, make_results, make_summary


@pytest.fixture
def inputs(tmp_path: Path) -> Inputs:
    """Return the files of a run of one shard, beside those of a second that it no longer has."""
    decisions = make_decisions()
    names = decisions["utterance"].tolist()
    write_table(tmp_path / "decisions.parquet", decisions)
    write_table(tmp_path / "plan.parquet", pd.DataFrame({"utterance": names, "shard": "000"}))
    (tmp_path / "summary.json").write_text(json.dumps(make_summary(decisions)))
    for name, table in zip(("results", "gains"), make_results()[:2], strict=True):
        table.to_csv(tmp_path / f"{name}.csv", index=False)
    (tmp_path / "shards").mkdir()
    make_media(tmp_path / "shards", names)
    for shard, utterance in (("000", names[0]), ("001", "left/over/1")):
        status = StatusTable("extract")
        status.add(utterance, Reason.NOT_MEDIA, "")
        status.write(tmp_path / f"shards/{shard}.status.parquet")
    folders = {name: [tmp_path / "shards"] for name in ("status", "faces", "wavs")}
    tables = {name: tmp_path / f"{name}.csv" for name in ("results", "gains")}
    return Inputs(
        tmp_path / "decisions.parquet", tmp_path / "summary.json", tmp_path / "plan.parquet", **tables, **folders,
        shards=1,
    )  # fmt: skip


def test_a_run_is_read_from_its_files_and_those_of_old_shards_are_left(inputs: Inputs) -> None:
    run = read_run(inputs, Report(flagged=3, close_calls=0, players=1, voice_s=0.1), headline="gated")
    assert len(run.certain) == 3
    assert not run.close
    assert run.certain[0].strips[0].voice is not None
    assert all(row.strips[0].voice is not None for row in run.certain if row.kind in ("audio", "video"))
    assert run.certain[0].audio_scale is not None
    assert run.failures["utterance"].tolist() == [run.decisions["utterance"][0]]
    assert (run.title, run.headline, run.truth) == ("AVSieve", "gated", None)
    assert len(run.results) == 6


def test_the_page_and_the_text_are_written_and_the_text_returned(inputs: Inputs, tmp_path: Path) -> None:
    run = read_run(inputs, Report(title="A title", flagged=1), headline="gated")
    text = write_report(run, tmp_path / "out/index.html", tmp_path / "out/summary.txt")
    page = (tmp_path / "out/index.html").read_text(encoding="utf-8")
    assert "<title>A title, 48 utterances</title>" in page
    assert (tmp_path / "out/summary.txt").read_text(encoding="utf-8") == text
    assert text.splitlines()[-1].endswith("out/index.html")


def test_the_corpus_and_the_day_come_from_the_files_of_the_run(inputs: Inputs, tmp_path: Path) -> None:
    os.utime(inputs.decisions, (1_793_000_000, 1_793_000_000))
    assert (read_run(inputs, Report()).corpus) == Corpus(decided_on="2026-10-26")
    write_json(tmp_path / "source.json", {"kind": "tree", "root": "/data/mp4"})
    run = read_run(inputs, Report())
    assert run.corpus == Corpus("tree", ("/data/mp4",), "2026-10-26")
    assert run.place == inputs.decisions.parent.parent.resolve().as_posix()


def test_decisions_are_read_once_for_rows_and_columns(inputs: Inputs, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[Path] = []
    real = tables.open_table

    def counting(path: Path, columns: list[str] | None = None) -> Any:
        opened.append(Path(path))
        return real(path, columns)

    for module in (tables, write, decided):
        monkeypatch.setattr(module, "open_table", counting)
    run = read_run(inputs, Report(flagged=0, close_calls=0))
    render_page(run)
    assert opened.count(inputs.decisions) == 1
    assert run.decided.names(np.arange(len(run.decisions))) == run.decisions["utterance"].tolist()
    assert run.decided.flagged.tolist() == (run.decisions["decision"] == "noisy").tolist()


def test_the_audit_is_shown_where_it_is_there_and_is_of_this_list(inputs: Inputs, tmp_path: Path) -> None:
    at = tmp_path / "audit.json"
    with_audit = replace(inputs, audit=at)
    absent = read_run(with_audit, Report(flagged=0))
    assert (absent.audit, absent.audit_misfit) == ({}, "")
    write_json(at, make_audit(absent.decisions))
    found = read_run(with_audit, Report(flagged=0))
    assert (found.audit["injected"], found.audit_misfit) == (8, "")
    write_json(at, make_audit(absent.decisions.head(40)))
    assert read_run(with_audit, Report(flagged=0)).audit_misfit.startswith("the audit is of another list (")


def test_clips_and_boxes_are_found_in_their_folders(inputs: Inputs, tmp_path: Path) -> None:
    chosen = read_run(inputs, Report(flagged=1, close_calls=0)).certain[0].utterance
    write_table(tmp_path / "shards/000.detections.parquet", make_boxes(chosen))
    (tmp_path / "media").mkdir()
    row = {"utterance": chosen, "path": "clips/one.mp4", "offset": 0, "size": 9, "audio_path": "", "audio_size": 0}
    write_table(tmp_path / "media/000.parquet", pd.DataFrame([row]))
    write_table(tmp_path / "media/000.status.parquet", pd.DataFrame({"utterance": [chosen]}))
    run = read_run(replace(inputs, clips=[tmp_path / "media"]), Report(flagged=1, close_calls=0))
    assert [place.what for place in run.certain[0].places] == ["clip", "wav", "faces"]
    assert run.certain[0].places[0].where == "clips/one.mp4"
    assert run.certain[0].strips[0].faces[0].box is not None
