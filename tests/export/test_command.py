from __future__ import annotations

import json
import sys
from pathlib import Path

import pandas as pd
import pytest

from avsieve.cli import main
from avsieve.storage.tables import write_table


@pytest.mark.parametrize("form", ["tree", "webdataset", "parquet"])
def test_an_export_may_be_asked_for_twice_and_another_is_refused(
    results: Path, tmp_path: Path, monkeypatch, capsys, form: str
) -> None:
    def export(*words: str) -> int | None:
        command = ["avsieve", "export", form, "--results", str(results), "--out", str(tmp_path / "out"), *words]
        monkeypatch.setattr(sys, "argv", command)
        with pytest.raises(SystemExit) as stopped:
            main()
        return stopped.value.code

    assert not export()
    there = {path: path.read_bytes() for path in (tmp_path / "out").rglob("*") if path.is_file()}
    assert not export()
    assert "0 written" in capsys.readouterr().out
    assert export("--subset", "noisy") == 1
    assert "another export" in capsys.readouterr().err
    assert {path: path.read_bytes() for path in (tmp_path / "out").rglob("*") if path.is_file()} == there


def test_shards_of_another_plan_are_refused(results: Path, tmp_path: Path, monkeypatch, capsys) -> None:
    known = pd.DataFrame({"utterance": ["id1/vA/00001", "id1/vA/00002"]})  # and not id3/vB/00001
    write_table(results / "align/000.status.parquet", known)
    words = ["--results", str(results), "--out", str(tmp_path / "out"), "--subset", "all"]
    monkeypatch.setattr(sys, "argv", ["avsieve", "export", "tree", *words])
    with pytest.raises(SystemExit) as stopped:
        main()
    assert stopped.value.code == 1
    assert "knows nothing of id3/vB/00001" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("form", ["tree", "webdataset", "parquet"])
def test_each_form_is_a_command(results: Path, tmp_path: Path, monkeypatch, capsys, form: str) -> None:
    summary = tmp_path / "summary.json"
    words = ["--results", str(results), "--out", str(tmp_path / "out"), "--what", "faces", "--summary", str(summary)]
    monkeypatch.setattr(sys, "argv", ["avsieve", "export", form, *words])
    with pytest.raises(SystemExit) as stopped:
        main()
    assert not stopped.value.code
    assert "4 utterances of 2 speakers, 6 files" in capsys.readouterr().out
    told = json.loads(summary.read_text())
    assert (told["utterances"], told["files"], told["subset"], told["what"]) == (4, 6, "clean", ["faces"])
    assert str(tmp_path) not in summary.read_text()
