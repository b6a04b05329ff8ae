from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest

from avsieve.errors import AvsieveError
from avsieve.inspection.progress import StageProgress, TimeLeft, progress_of, rate_of, time_left, unfinished
from avsieve.inspection.progress_text import progress_lines
from avsieve.storage import paths as P

NOW = 1_700_000_000.0


def set_times(results: Path, when: float) -> None:
    for path in results.rglob("*"):
        os.utime(path, (when, when))


def a_log(results: Path, name: str, text: str, when: float, ended: float | None = None) -> None:
    log = P.below(results, P.LOGS) / f"{name}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    log.write_text(text)
    os.utime(log, (when, when))
    if ended is not None:
        end = P.below(results, P.BENCHMARKS) / f"{name}.tsv"
        end.parent.mkdir(parents=True, exist_ok=True)
        end.write_text("s\n1\n")
        os.utime(end, (ended, ended))


def test_a_finished_run_is_told_with_what_to_look_at_next(made: Path) -> None:
    found = progress_of(made)
    assert found.state == "finished"
    assert (found.shards, len(found.failures)) == (2, 1)
    assert all(stage.done == stage.of for stage in found.stages)
    assert progress_lines(found)[-1].strip().startswith("avsieve inspect ")
    json.dumps(found.as_json(), allow_nan=False)


def test_a_run_that_has_not_begun_is_no_error(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "results"):
        found = progress_of(path)
        assert found.state == "not begun"
        assert (found.shards, found.changed, found.failures) == (None, None, [])
        assert "avsieve doctor" in progress_lines(found)[-1]
    with pytest.raises(AvsieveError, match=r"nowhere: no such folder; name the folder that Snakemake runs in"):
        progress_of(tmp_path / "nowhere")


def test_a_killed_run_is_stopped_and_its_open_jobs_are_told(copied: Path) -> None:
    results = copied / "results"
    shutil.rmtree(results / "lists")
    shutil.rmtree(results / "scores")
    for name in ("embed_visual/001.status.parquet", "evaluation/results.csv", "report/index.html"):
        (results / name).unlink()
    (copied / ".snakemake" / "locks").mkdir(parents=True)
    (copied / ".snakemake" / "locks" / "0.input.lock").touch()
    set_times(results, NOW - 7200)
    a_log(results, "embed_visual/001", "first\n  faces: 12 of 99\n\n", NOW - 7100)
    a_log(results, "embed_visual/000", "done\n", NOW - 7200, ended=NOW - 7199)
    found = progress_of(copied, now=NOW)
    assert (found.state, found.locked) == ("stopped", True)
    stage = {s.name: s for s in found.stages}
    assert (stage["embed_visual"].done, stage["embed_visual"].of) == (1, 2)
    assert (stage["embed_audio"].done, stage["shard_scores"].done, stage["lists"].done) == (2, 0, 0)
    (job,) = found.jobs
    assert (job.rule, job.name, job.says) == ("embed_visual", "001", "faces: 12 of 99")
    told = "\n".join(progress_lines(found))
    assert "jobs without an end:" in told
    assert "snakemake --unlock" in told


def test_a_run_whose_files_change_is_running(copied: Path) -> None:
    (copied / "results" / "report" / "index.html").unlink()
    set_times(copied / "results", NOW - 60)
    assert progress_of(copied, now=NOW).state == "running"
    assert progress_of(copied, now=NOW, quiet_s=30).state == "stopped"


def test_files_of_a_clock_that_is_ahead_are_those_of_a_run_that_goes_on(copied: Path) -> None:
    (copied / "results" / "report" / "index.html").unlink()
    set_times(copied / "results", NOW + 3600)
    found = progress_of(copied, now=NOW)
    assert found.state == "running"
    assert all(stage.left_s is None or stage.left_s >= 0 for stage in found.stages)
    assert all(stage.shards_per_hour is None or stage.shards_per_hour > 0 for stage in found.stages)


def test_shards_that_were_gathered_and_removed_count_as_done(made: Path) -> None:
    (gathered,) = [s for s in progress_of(made).stages if s.name == "shard_scores"]
    assert (gathered.done, gathered.of, gathered.left_s) == (2, 2, 0.0)


def test_the_rate_is_that_of_the_last_shards_without_pauses() -> None:
    steady = [NOW + 10 * k for k in range(20)]
    assert rate_of(steady) == pytest.approx(0.1)
    assert rate_of([*steady, *(t + 86_400 for t in steady)]) == pytest.approx(0.1)
    assert rate_of([*steady, *(t + 1 for t in steady)]) == pytest.approx(0.2, rel=0.05)
    assert rate_of([NOW]) is None
    assert rate_of([NOW, NOW]) is None


def test_time_left_is_the_shards_left_at_the_rate(copied: Path) -> None:
    shards = copied / "results" / "plan" / "shards"
    for k in range(2, 10):
        shutil.copy(shards / "001.parquet", shards / f"{k:03d}.parquet")
    for k in range(6):
        path = copied / "results" / "media" / f"{k:03d}.status.parquet"
        shutil.copy(copied / "results" / "media" / "000.status.parquet", path) if k > 1 else None
        os.utime(path, (NOW + 30 * k, NOW + 30 * k))
    (media,) = [s for s in progress_of(copied, now=NOW + 200).stages if s.name == "media"]
    assert (media.done, media.of) == (6, 10)
    assert media.left_s == pytest.approx(4 * 30)
    assert media.shards_per_hour == pytest.approx(120)


def a_stage(name: str, left_s: float | None, done: int = 3, of: int = 8) -> StageProgress:
    return StageProgress(name, done, of, None, None, None, None, left_s, None)


def test_the_total_time_left_is_between_the_longest_stage_and_all_and_tells_what_it_leaves_out() -> None:
    stages = [
        a_stage("plan", None, 1, 1), a_stage("media", 0.0, 8), a_stage("extract", 3600.0), a_stage("align", 7200.0),
        a_stage("embed_audio", None, 1), a_stage("report", None, 0, 1),
    ]  # fmt: skip
    assert time_left(stages) == TimeLeft(7200.0, 10800.0, ["extract", "align"], ["embed_audio", "report"])
    assert time_left(stages[:2]) == TimeLeft(None, None, [], [])
    assert time_left([a_stage("media", None, 0, 0)]) == TimeLeft(None, None, [], ["media"])  # before the plan


def told_left(path: Path) -> str:
    (line,) = [line for line in progress_lines(progress_of(path, now=NOW + 200)) if line.startswith("time left")]
    return line.removeprefix("time left").strip()


def test_the_total_time_left_is_a_line(copied: Path, made: Path) -> None:
    shards, media = copied / "results" / "plan" / "shards", copied / "results" / "media"
    shutil.copy(shards / "001.parquet", shards / "002.parquet")
    assert not any(line.startswith("time left") for line in progress_lines(progress_of(made)))
    set_times(copied / "results", NOW)
    assert told_left(copied) == "not known: no unfinished stage has finished two shards"
    os.utime(media / "001.status.parquet", (NOW + 90, NOW + 90))
    assert told_left(copied).startswith("1.5 min for media; without extract, ")
    os.utime(copied / "results" / "extract" / "001.status.parquet", (NOW + 180, NOW + 180))
    told = told_left(copied)
    assert told.startswith(
        "3.0 min (stages side by side) to 4.5 min (one after the other) for media, extract; without "
    )
    assert told.endswith(": no rate is known")


def test_a_job_is_at_its_end_where_its_benchmark_is_as_new_as_its_log(tmp_path: Path) -> None:
    a_log(tmp_path, "clean_list", "x\n", NOW, ended=NOW + 1)
    a_log(tmp_path, "train_fusion/all.gated", "again\n", NOW + 100, ended=NOW)
    a_log(tmp_path, "remove_old_shards", "x\n", NOW)
    assert [(job.rule, job.name) for job in unfinished(tmp_path)] == [("train_fusion", "all.gated")]


def test_a_folder_of_avsieve_cleanse_has_no_stages(flat: Path) -> None:
    with pytest.raises(AvsieveError, match=r"the folder of avsieve cleanse, which has no stages; .* avsieve inspect"):
        progress_of(flat)


def test_a_plan_that_cannot_be_read_is_told(copied: Path) -> None:
    (copied / "results" / "plan" / "shards" / "001.parquet").write_text("broken")
    with pytest.raises(AvsieveError, match=r"001.parquet: not a Parquet table.*rm .*001.parquet"):
        progress_of(copied)
