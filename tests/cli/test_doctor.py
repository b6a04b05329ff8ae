from __future__ import annotations

import json
from pathlib import Path

import pytest


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--cores", 0], "--cores 0, --measure 0; expected 1 core or more"),
        (["--measure", -1], "--measure -1; expected"),
        (["--directory", "nowhere"], "--directory nowhere is not a folder; name the one that Snakemake runs in"),
    ],
)
def test_what_cannot_be_is_refused_in_a_line(avsieve, capsys, words: list[object], told: str) -> None:
    assert avsieve("doctor", *words) == 1
    shown = capsys.readouterr().err
    assert told in shown
    assert len(shown.splitlines()) == 1


def test_the_folder_is_the_one_that_snakemake_runs_in(avsieve, tmp_path: Path, capsys) -> None:
    (tmp_path / "my.yaml").write_text("source: {kind: tree, tree: {root: clips, train_list: list.txt}}\n")
    (tmp_path / "clips").mkdir()
    assert avsieve("doctor", tmp_path / "my.yaml", "--directory", tmp_path, "--cores", 2, "--json") == 1
    facts = json.loads(capsys.readouterr().out)
    assert "list.txt" in json.dumps(facts)
