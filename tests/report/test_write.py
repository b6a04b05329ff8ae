from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

from avsieve.report.settings import Report
from avsieve.report.write import Inputs, read_run, write_report
from avsieve.storage.reasons import Reason
from avsieve.storage.status import StatusTable
from avsieve.storage.tables import write_table

from .made_up import make_decisions, make_media, make_results, make_summary


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
    assert "<title>A title</title>" in (tmp_path / "out/index.html").read_text(encoding="utf-8")
    assert (tmp_path / "out/summary.txt").read_text(encoding="utf-8") == text
    assert text.splitlines()[-1].endswith("out/index.html")
