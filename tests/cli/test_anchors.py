from __future__ import annotations

import json
from pathlib import Path

from tests.inspection.test_anchors import CLEANED, ORIGINAL, listed


def test_anchors_are_printed_and_written(avsieve, tmp_path: Path, capsys) -> None:
    listed(tmp_path / "o", ORIGINAL)
    listed(tmp_path / "c", CLEANED)
    out = tmp_path / "anchors.csv"
    words = ("anchors", "--original", tmp_path / "o", "--cleaned", tmp_path / "c", "--out", out)
    assert avsieve(*words) == 0
    assert "id3/v1/1" in capsys.readouterr().out
    assert out.read_text("utf-8").splitlines()[1] == "id3/v1/1,confirmed,3,1,1"
    assert avsieve(*words, "--json") == 0
    value = json.loads(capsys.readouterr().out)
    assert value["format"] == "avsieve.anchors/1"
    assert value["run"] is None
    assert [a["utterance"] for a in value["utterances"]] == ["id3/v1/1", "id3/v2/1", "id4/v1/1"]


def test_a_folder_without_a_run_is_told_before_the_lists_are_read(avsieve, tmp_path: Path, capsys) -> None:
    assert avsieve("anchors", "--original", "no", "--cleaned", "no", "--results", tmp_path) == 1
    assert "name the results of a run" in capsys.readouterr().err
