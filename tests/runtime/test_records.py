from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from avsieve.runtime.records import RESULTS_VARIABLE, Job

SCRIPT = """
from __future__ import annotations
from pathlib import Path
from avsieve.runtime.scripting import parser, run
from avsieve.errors import AvsieveError


def main() -> None:
    ap = parser("Score.")
    ap.add_argument("--plan", type=Path)
    ap.add_argument("--many", type=Path, nargs="*")
    ap.add_argument("--checkpoint")
    ap.add_argument("--threshold", type=float)
    ap.add_argument("--threads", type=int)
    ap.add_argument("--fail", action="store_true")
    ap.add_argument("--scores", type=Path)
    ap.add_argument("--absent", type=Path)
    args = ap.parse_args()
    import pyarrow as pa
    from avsieve.storage.atomic import write_text
    from avsieve.storage.indexed_tar import TarWriter
    from avsieve.storage.tables import write_table
    write_text(args.scores.parent / "note.json", "{}")
    write_table(args.scores, pa.table({"n": [1, 2]}))
    with TarWriter(args.scores.with_suffix(".tar")) as tar:
        tar.add("a/v/1", "a/v/1.wav", b"sound")
    write_text(Path("outside.txt"), "no file of the results")
    if args.fail:
        raise AvsieveError("it failed")


if __name__ == "__main__":
    run(main)
"""


def job(folder: Path, *more: str, **variables: str) -> dict[str, Any] | None:
    """Run a script in a folder, as the workflow runs its own; return its record."""
    own = {"results/plan/a.parquet": "plan", "results/plan/b.parquet": "b", "own/model.onnx": "model"}
    for name, text in own.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    (folder / "score.py").write_text(SCRIPT)
    words = "score.py --plan results/plan/a.parquet --many results/plan/b.parquet --checkpoint own/model.onnx"
    words += " --threshold 0.5 --threads 4 --scores results/scores/000.parquet --absent results/no.txt"
    environment = {k: v for k, v in os.environ.items() if k != RESULTS_VARIABLE} | variables
    environment["PYTHONPATH"] = os.pathsep.join(p for p in sys.path if p)
    done = subprocess.run([sys.executable, *words.split(), *more], cwd=folder, env=environment, check=False)
    assert done.returncode == ("--fail" in more)
    records = list((folder / "results").glob("records/**/*.json"))
    assert len(records) <= 1
    return json.loads(records[0].read_text()) if records else None


def test_a_job_leaves_a_record_of_what_it_made_and_from_what(tmp_path: Path) -> None:
    record = job(tmp_path, AVSIEVE_RESULTS="results")
    assert record is not None
    assert [p.relative_to(tmp_path).as_posix() for p in tmp_path.glob("results/records/**/*.json")] == [
        "results/records/scores/000.parquet.json"
    ]
    assert set(record["inputs"]) == {"plan/a.parquet", "plan/b.parquet"}
    assert record["inputs"]["plan/b.parquet"]["bytes"] == 1
    assert set(record["given"]) == {"own/model.onnx"}
    assert set(record["outputs"]) == {"scores/000.parquet", "scores/000.tar", "scores/note.json"}
    assert set(record["outputs"]["scores/000.tar"]) == {"bytes", "index_sha256"}
    assert record["options"] == {"checkpoint": "own/model.onnx", "fail": False, "threshold": 0.5}
    assert {"avsieve.storage.tables", "avsieve.storage.indexed_tar", "score.py"} <= set(record["code"])
    assert "avsieve.runtime.records" not in record["code"]  # an edit of it changes no shard
    assert {"python", "avsieve", "pyarrow", "numpy"} <= set(record["versions"])
    assert "torch" not in record["versions"]


def test_two_runs_of_the_same_work_leave_equal_records_wherever_they_are(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        job(tmp_path / name, AVSIEVE_RESULTS="results")
    place = "results/records/scores/000.parquet.json"
    assert (tmp_path / "a" / place).read_bytes() == (tmp_path / "b" / place).read_bytes()


@pytest.mark.parametrize("variables", [{}, {"AVSIEVE_RESULTS": "results", "LOCAL_RANK": "1"}])
def test_outside_the_workflow_and_in_further_processes_nothing_is_recorded(
    tmp_path: Path, variables: dict[str, str]
) -> None:
    assert job(tmp_path, **variables) is None
    assert (tmp_path / "results/scores/000.parquet").is_file()


def test_a_job_that_fails_leaves_no_record(tmp_path: Path) -> None:
    assert job(tmp_path, "--fail", AVSIEVE_RESULTS="results") is None


def test_the_models_of_the_package_are_told_where_one_is_used(tmp_path: Path) -> None:
    record = job(tmp_path, "--checkpoint", "builtin", AVSIEVE_RESULTS="results")
    assert record is not None
    assert "audio_ecapa_small.safetensors" in record["models"]
    assert record["given"] == {}


def test_an_option_that_is_given_several_times_is_told_without_its_files(tmp_path: Path) -> None:
    options = argparse.Namespace(audio=[[tmp_path / "a"], [tmp_path / "b"]], arms=["2", "3"], words=[["x"], [tmp_path]])
    job = Job(str(tmp_path))
    job.note(options)
    assert job.record()["options"] == {"arms": ["2", "3"], "words": [["x"]]}
