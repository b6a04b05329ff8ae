from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from avsieve.cli import main


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
