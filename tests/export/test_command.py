from __future__ import annotations

import json
import sys
from pathlib import Path

import pandas as pd
import pytest

from avsieve.cli import main
from avsieve.export.contents import Contents
from avsieve.export.form import ExportForm
from avsieve.export.registry import FORMS
from avsieve.export.settings import Parts
from avsieve.storage.tables import write_table


@pytest.mark.parametrize("form", ["tree", "webdataset", "parquet", "spotlight", "fiftyone"])
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


@pytest.mark.parametrize("form", ["tree", "webdataset", "parquet", "spotlight", "fiftyone"])
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


class Listing(ExportForm[Parts]):
    """A form of somebody's own: the ids of the utterances, a line each."""

    label = "a list of ids"
    settings = Parts

    def write(
        self, table: pd.DataFrame, contents: Contents, out: Path, settings: Parts, *, seed: int, threads: int
    ) -> dict[str, int]:
        out.mkdir()
        (out / "ids.txt").write_text("\n".join(table["utterance"]) + f"\n{settings.part_mb} {seed} {threads}\n")
        return {"utterances": len(table), "files": 1, "bytes": 8, "written": 1, "left": 0}


LISTING = Listing()


@pytest.fixture
def listing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(FORMS._entries, "listing", f"{__name__}:LISTING")


def call(monkeypatch: pytest.MonkeyPatch, *words: str) -> int | str | None:
    monkeypatch.setattr(sys, "argv", ["avsieve", "export", *words])
    with pytest.raises(SystemExit) as stopped:
        main()
    return stopped.value.code


def test_a_form_is_a_module_and_a_line_of_the_registry(
    results: Path, tmp_path: Path, listing: None, monkeypatch, capsys
) -> None:
    out = tmp_path / "out"
    assert not call(monkeypatch, "listing", "--results", str(results), "--out", str(out), "--part-mb", "3")
    assert (out / "ids.txt").read_text().splitlines()[-1] == "3.0 0 1"
    assert call(monkeypatch, "listing", "--out", "x", "--part-mb", "0") == 2
    assert "--part-mb: '0': Input should be greater than 0" in capsys.readouterr().err


def test_a_package_that_only_one_form_needs_is_asked_for(
    results: Path, tmp_path: Path, listing: None, monkeypatch, capsys
) -> None:
    monkeypatch.setattr(Listing, "packages", ("no_such_package",))
    assert call(monkeypatch, "listing", "--results", str(results), "--out", str(tmp_path / "out")) == 1
    assert "no package no_such_package; install it: pip install no_such_package" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--share", "0"], "--share: '0': Input should be greater than 0"),
        (["--threads", "0"], "--threads 0; expected 1 or more"),
        (["--what"], "--what List should have at least 1 item"),
        (["--subset", "some"], "--subset: 'some': Input should be 'all', 'clean'"),
    ],
)
def test_what_cannot_be_is_refused_in_a_line(results: Path, words: list[str], told: str, monkeypatch, capsys) -> None:
    assert call(monkeypatch, "tree", "--results", str(results), "--out", "out", *words) in (1, 2)
    assert told in capsys.readouterr().err
