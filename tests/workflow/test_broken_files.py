"""A folder of clips with five broken ones: the run finishes, tells what is wrong with each, and processes the rest."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from avsieve.lists.train_list import read_clean_list
from avsieve.media.ffmpeg import ffmpeg_binary
from avsieve.storage.indexed_tar import TarReader
from avsieve.storage.tables import read_table

from .conftest import Project, copy_project

# One worker for all of them: the finished run that they look at is made once.
pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("workflow")]

CONFIG = """\
source:
  kind: tree
  tree: {root: mp4}
shards: 2
max_failed: 0.7
fusion: {models: [gated], seeds: [0]}
evaluation: {holdout: 0.4, bootstrap: 50}
"""


@pytest.fixture(scope="module")
def broken(
    finished: Project, repository: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Project, dict[str, str]]:
    """Return a finished run over such a folder, and the code that each broken utterance should have."""
    project = copy_project(repository, tmp_path_factory.mktemp("broken"))
    plan = read_table(finished.work / "results/plan/utterances.parquet")
    wanted = set(plan.loc[plan["subset"] == "train", "utterance"])
    for tar in sorted((finished.work / "results/media").glob("*.clips.tar")):
        with TarReader(tar) as reader:
            for utterance in wanted & set(reader.utterances):
                path = project.work / "mp4" / f"{utterance}.mp4"
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(reader.read(f"{utterance}.mp4"))
    # One clip of each speaker, so that everybody keeps most of theirs.
    by_speaker = {u.split("/")[0]: u for u in sorted(wanted)}
    truncated, silent, blind, empty, text = sorted(by_speaker.values())

    def file(utterance: str) -> Path:
        return project.work / "mp4" / f"{utterance}.mp4"

    def drop(utterance: str, option: str) -> None:
        target = project.work / "tmp.mp4"
        subprocess.run(
            [ffmpeg_binary(), "-v", "error", "-y", "-i", file(utterance), option, "-c", "copy", target], check=True
        )
        target.rename(file(utterance))

    file(truncated).write_bytes(file(truncated).read_bytes()[:-3000])
    drop(silent, "-an")
    drop(blind, "-vn")
    file(empty).write_bytes(b"")
    file(text).write_text("This is no clip.\n")
    (project.work / "tiny.yaml").write_text(CONFIG)
    project.snakemake()
    return project, {
        truncated: "header_missing",
        silent: "no_audio_stream",
        blind: "no_video_stream",
        empty: "media_empty",
        text: "not_media",
    }


def test_each_broken_file_has_its_reason(broken: tuple[Project, dict[str, str]]) -> None:
    project, expected = broken
    found: dict[str, str] = {}
    for path in sorted((project.work / "results/extract").glob("*.status.parquet")):
        status = read_table(path)
        found |= dict(zip(status["utterance"], status["code"], strict=True))
    assert {u: c for u, c in found.items() if c != "ok"} == expected
    assert len(found) == 30


def test_every_utterance_is_listed_and_half_a_clip_still_counts(broken: tuple[Project, dict[str, str]]) -> None:
    project, expected = broken
    listed = read_clean_list(project.work / "results/lists/train_all_clean.txt").set_index("utterance")
    assert len(listed) == 30
    by_code = {code: listed.loc[utterance] for utterance, code in expected.items()}
    for code in ("header_missing", "media_empty", "not_media"):
        assert by_code[code]["clean"] == 0
        assert by_code[code][["audio_similarity", "visual_similarity"]].isna().all()
    assert by_code["no_audio_stream"][["audio_similarity", "visual_similarity"]].isna().tolist() == [True, False]
    assert by_code["no_video_stream"][["audio_similarity", "visual_similarity"]].isna().tolist() == [False, True]
    rest = listed.drop(list(expected))
    assert rest[["audio_similarity", "visual_similarity"]].notna().all().all()


def test_the_report_lists_them(broken: tuple[Project, dict[str, str]]) -> None:
    project, expected = broken
    page = (project.work / "results/report/index.html").read_text(encoding="utf-8")
    for utterance, code in expected.items():
        assert utterance in page
        assert code in page


def test_too_many_broken_files_stop_the_stage_and_name_the_reasons(broken: tuple[Project, dict[str, str]]) -> None:
    project, _ = broken
    done = project.snakemake("--config", "max_failed=0.01", "--", "extract", check=False)
    assert done.returncode
    shown = done.stdout + done.stderr
    assert "more than max_failed (1.0%) allows" in shown
    assert "Traceback" not in shown
