from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pytest

from avsieve.storage import paths as P
from avsieve.storage.atomic import write_json
from avsieve.storage.file_digest import digest_of
from avsieve.storage.tables import write_table


@pytest.fixture
def results(tmp_path: Path) -> Path:
    results = tmp_path / "results"
    table = P.below(results, P.scores.scores)
    write_table(table, pa.table({"n": list(range(100))}))
    record = {"outputs": {"scores/scores.parquet": digest_of(table)}, "results": P.RESULTS}
    write_json(P.below(results, P.record(P.scores.scores)), record)
    return results


def test_the_exit_status_tells_whole_from_stale_from_damaged(results: Path, avsieve, capsys) -> None:
    assert avsieve("verify", results) == 0
    assert "all is what was written" in capsys.readouterr().out
    record = P.below(results, P.record(P.scores.scores))
    told = json.loads(record.read_text())
    record.write_text(json.dumps(told | {"code": {"avsieve.gone": "0"}}))
    assert avsieve("verify", results, "--quick") == 3
    assert "scores/scores.parquet: code changed: avsieve.gone" in capsys.readouterr().out
    P.below(results, P.scores.scores).unlink()
    assert avsieve("verify", results, "--json", "--cores", 1) == 4
    found = json.loads(capsys.readouterr().out)
    assert found["format"] == "avsieve.verify/1"
    assert [finding["kind"] for finding in found["findings"]] == ["missing", "stale"]
    assert (found["remake"], found["status"]) == (["scores/scores.parquet"], 4)
    assert avsieve("verify", results, "--remake") == 4
    assert capsys.readouterr().out == "results/scores/scores.parquet\n"


def test_what_cannot_be_checked_is_told_in_a_line(tmp_path: Path, results: Path, avsieve, capsys) -> None:
    assert avsieve("verify", tmp_path / "none") == 1
    assert "none: no results of the workflow" in capsys.readouterr().err
    assert avsieve("verify", results, "--cores", 0) == 1
    assert "--cores 0; expected 1 or more" in capsys.readouterr().err
