from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest

from avsieve.errors import AvsieveError
from avsieve.inspection import verified
from avsieve.inspection.verified import DAMAGED, STALE, Verified, is_beside, is_removed, verify
from avsieve.inspection.verified_text import remade, verified_lines
from avsieve.runtime.records import Job
from avsieve.sources.watch_list import Watched, write_watch_list
from avsieve.storage import paths as P
from avsieve.storage.atomic import write_json, write_text
from avsieve.storage.indexed_tar import TarWriter, index_path
from avsieve.storage.tables import write_table


class Run:
    """Results that jobs of three stages have left, in a folder that Snakemake could run in."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.results = folder, folder / "results"
        (folder / "own").mkdir()
        (folder / "own" / "model.onnx").write_text("the first model")
        (folder / "clips").mkdir()
        (folder / "clips" / "a.mp4").write_text("a clip")
        self.job(self.fetch, watch_roots={"train_root": "clips"}, watched="clips: as they were")
        self.job(self.extract, index=Path("results/media/000.parquet"))
        self.job(self.embed, wav=Path("results/extract/000.wav.tar"), checkpoint="own/model.onnx")
        self.job(self.score, audio=[Path("results/embed_audio/000.parquet")])
        (self.results / "notes.txt").write_text("of the user's")

    def job(self, write: Callable[[], None], **options: object) -> None:
        """Do what a script does, in the folder that Snakemake runs in."""
        job = Job(P.RESULTS)
        job.note(argparse.Namespace(**options))
        before = {path: path.stat().st_mtime_ns for path in self.results.rglob("*") if path.is_file()}
        write()
        for path in sorted(self.results.rglob("*")):
            if path.is_file() and before.get(path) != path.stat().st_mtime_ns:
                job.written(path.relative_to(self.folder))
        first = job.outputs()[0].removeprefix(f"{P.RESULTS}/")
        write_json(P.below(P.RESULTS, P.record(first)), job.record())

    def fetch(self) -> None:
        write_table("results/media/000.parquet", pa.table({"utterance": ["a/v/1"]}))
        stat = Path("clips/a.mp4").stat()
        places = [Watched("train_root", "a.mp4", f"{stat.st_size}:{stat.st_mtime_ns}")]
        write_watch_list("results/media/000.watch.json", "clips: as they were", places, {"train_root": "clips"})

    def extract(self) -> None:
        with TarWriter("results/extract/000.wav.tar") as tar:
            for n in range(3):
                tar.add(f"a/v/{n}", f"a/v/{n}.wav", bytes([n]) * 700)

    def embed(self) -> None:
        write_table("results/embed_audio/000.parquet", pa.table({"embedding": [[0.5, 0.5]]}))

    def score(self) -> None:
        write_text("results/scores/centres.json", "{}\n")


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["embed_audio.py"])
    verified._digest_of_given.cache_clear()
    return Run(tmp_path)


def found_of(run: Run, **options: bool) -> Verified:
    return verify(run.results, **options)


def told(found: Verified) -> list[tuple[str, str]]:
    return [(finding.kind, finding.path) for finding in found.findings]


def turn(path: Path, at: int) -> None:
    content = bytearray(path.read_bytes())
    content[at] ^= 1
    path.write_bytes(content)


def test_a_run_that_nobody_touched_is_whole_and_current(run: Run) -> None:
    found = found_of(run)
    assert found.findings == []
    assert (found.status, found.jobs, found.files, found.unrecorded) == (0, 4, 7, 1)
    assert list(verified_lines(found))[1:] == [
        "all is what was written, and nothing that it was made from has changed",
        "1 files have no record, of which tars and tables were checked by the checksums in them",
    ]
    assert verify(run.folder) == found  # the folder that Snakemake runs in


def test_a_turned_bit_is_told_with_the_command_that_mends_it(run: Run) -> None:
    turn(run.results / "extract/000.wav.tar", 600)
    turn(run.results / "embed_audio/000.parquet", 40)
    found = found_of(run)
    assert told(found) == [("damaged", "embed_audio/000.parquet"), ("damaged", "extract/000.wav.tar")]
    assert found.findings[1].why == ["1 of 3 members are not what was written, the first a/v/0.wav"]
    assert found.status == DAMAGED
    assert found.follow == 1  # the scores; the embeddings are damaged themselves
    assert list(verified_lines(found))[-2] == (
        "  snakemake --cores all --forcerun results/embed_audio/000.parquet results/extract/000.wav.tar"
    )


def test_what_was_cut_off_or_is_gone_is_told_quickly_too(run: Run) -> None:
    tar = run.results / "extract/000.wav.tar"
    tar.write_bytes(tar.read_bytes()[:-512])
    (run.results / "embed_audio/000.parquet").unlink()
    for quick in (False, True):
        found = found_of(run, quick=quick)
        assert told(found) == [("missing", "embed_audio/000.parquet"), ("damaged", "extract/000.wav.tar")]
        assert found.findings[1].why == ["9,728 bytes, expected 10,240"]


def test_a_quick_look_reads_no_content(run: Run) -> None:
    turn(run.results / "extract/000.wav.tar", 600)
    assert found_of(run, quick=True).findings == []


def test_a_model_that_changed_under_its_name_makes_its_jobs_stale(run: Run) -> None:
    (run.folder / "own" / "model.onnx").write_text("another model..")  # as long as the first
    found = found_of(run)
    assert told(found) == [("stale", "embed_audio/000.parquet")]
    assert found.findings[0].why[0].startswith("own/model.onnx changed since: sha256 ")
    assert (found.status, found.follow) == (STALE, 1)
    assert remade(found) == ["results/embed_audio/000.parquet"]


def test_a_model_that_is_not_here_is_told_and_no_fault(run: Run) -> None:
    (run.folder / "own" / "model.onnx").unlink()
    found = found_of(run)
    assert (found.status, found.unread) == (0, ["own/model.onnx"])
    assert list(verified_lines(found))[-1] == "not here to compare with: own/model.onnx"


def test_an_input_that_was_made_anew_makes_its_readers_stale(run: Run) -> None:
    def other() -> None:
        write_table("results/embed_audio/000.parquet", pa.table({"embedding": [[0.25, 0.75]]}))

    run.job(other, wav=Path("results/extract/000.wav.tar"))
    found = found_of(run)
    assert told(found) == [("stale", "scores/centres.json")]
    assert found.findings[0].why == ["input embed_audio/000.parquet was made anew since"]


def test_an_edit_of_the_code_makes_what_it_made_stale(run: Run) -> None:
    path = run.results / "records/extract/000.wav.parquet.json"
    record = json.loads(path.read_text())
    record["code"] |= {"avsieve.storage.indexed_tar": "0" * 12, "avsieve.gone": "0" * 12}
    path.write_text(json.dumps(record))
    found = found_of(run)
    assert told(found) == [("stale", "extract/000.wav.parquet")]
    assert found.findings[0].why == ["code changed: avsieve.gone, avsieve.storage.indexed_tar"]
    assert found.follow == 2


def test_other_shipped_models_make_what_used_them_stale(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    run.job(run.embed, wav=Path("results/extract/000.wav.tar"), checkpoint="builtin")
    assert found_of(run).findings == []
    now = verified.shipped_models() | {"faces.onnx": "0"}
    monkeypatch.setattr(verified, "_shipped", lambda: now)
    found = found_of(run)
    assert found.findings[0].why == ["shipped models changed: faces.onnx"]


def test_clips_that_changed_make_their_shard_stale(run: Run) -> None:
    (run.folder / "clips" / "a.mp4").write_text("another clip")
    found = found_of(run)
    assert told(found) == [("stale", "media/000.parquet")]
    assert "clips: 1 not as they were indexed (a.mp4" in found.findings[0].why[0]
    assert found.follow == 3


def test_results_that_were_copied_elsewhere_can_be_checked_there(run: Run, tmp_path: Path) -> None:
    run.results.rename(tmp_path / "copy")
    found = verify(tmp_path / "copy")
    assert (found.status, found.jobs) == (0, 4)
    turn(tmp_path / "copy/extract/000.wav.tar", 600)
    assert told(verify(tmp_path / "copy")) == [("damaged", "extract/000.wav.tar")]


def test_a_file_that_snakemake_does_not_know_is_made_anew_with_its_job(run: Run) -> None:
    (run.results / "media/000.watch.json").unlink()
    found = found_of(run)
    assert told(found) == [("missing", "media/000.watch.json")]
    assert remade(found) == ["results/media/000.parquet"]


def test_a_record_that_cannot_be_read_is_damage(run: Run) -> None:
    (run.results / "records/extract/000.wav.parquet.json").write_text('{"outputs": ')
    found = found_of(run)
    assert told(found) == [("damaged", "records/extract/000.wav.parquet.json")]
    assert remade(found) == ["results/extract/000.wav.parquet"]


def test_results_without_records_are_checked_by_the_checksums_in_them(run: Run) -> None:
    for path in (run.results / "records").rglob("*.json"):
        path.unlink()
    turn(run.results / "extract/000.wav.tar", 600)
    turn(run.results / "embed_audio/000.parquet", 40)
    found = found_of(run)
    assert told(found) == [("damaged", "embed_audio/000.parquet"), ("damaged", "extract/000.wav.tar")]
    assert (found.jobs, found.unrecorded) == (0, 7)


def test_many_files_are_read_by_several_processes(run: Run) -> None:
    turn(index_path(run.results / "extract/000.wav.tar"), 20)
    found = verify(run.results, cores=2)
    assert told(found) == [("damaged", "extract/000.wav.parquet"), ("damaged", "extract/000.wav.tar")]


def test_a_folder_without_results_is_refused(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "none"):
        with pytest.raises(AvsieveError, match="no results of the workflow; name the folder that Snakemake runs in"):
            verify(path)


def test_what_a_run_removes_and_what_lies_beside_its_outputs_is_known_by_name() -> None:
    assert is_removed("damage/007.wav.tar")
    assert is_removed("twins/000.detections.parquet")
    assert not is_removed("damage_audio/007.parquet")
    assert not is_removed("extract/000.wav.tar")
    assert is_beside("media/001.watch.json")
    assert is_beside("plan/source.json")
    assert not is_beside("media/001.parquet")


def test_more_than_a_command_line_takes_is_named_by_a_command(run: Run) -> None:
    found = found_of(run)
    found.findings = [
        verified.Finding("missing", f"a/{n:03d}.tar", ["it is gone"], f"a/{n:03d}.tar") for n in range(30)
    ]
    lines = list(verified_lines(found))
    assert "  and 10 more (--json has them all)" in lines
    assert f"  snakemake --cores all --forcerun $(avsieve verify {run.results} --remake)" in lines
