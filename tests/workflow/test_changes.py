"""What lies outside the results changes between two runs: what it concerns runs again, and nothing else."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from avsieve.media.ffmpeg import ffmpeg_binary
from avsieve.storage.tables import read_table

from .conftest import Project, copy_project

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("workflow")]
CONFIG = """\
source:
  kind: tree
  tree: {root: tree, train_list: list.txt}
shards: 1
device: cpu
evaluation: {holdout: 0}
"""


@pytest.fixture
def trees(repository: Path, tmp_path: Path) -> Project:
    """A project over a tree of four clips, of which the last is cut off; `whole` has them all."""
    project = copy_project(repository, tmp_path)
    lines = []
    for speaker in ("id1", "id2"):
        for video in ("a", "b"):
            clip = project.work / "whole" / speaker / video / "1.mp4"
            clip.parent.mkdir(parents=True)
            sources = [["-f", "lavfi", "-i", f"{s}:d=3"] for s in ("testsrc2=s=64x64:r=25", "anoisesrc=r=16000")]
            options = ["-c:v", "libx264", "-pix_fmt", "yuv420p", "-c:a", "aac", "-movflags", "+faststart"]
            subprocess.run([ffmpeg_binary(), "-v", "error", *sources[0], *sources[1], *options, clip], check=True)
            lines.append(f"{speaker} {speaker}/{video}/1.wav 3.0\n")
    shutil.copytree(project.work / "whole", project.work / "tree")
    last = project.work / "tree/id2/b/1.mp4"
    os.truncate(last, last.stat().st_size // 2)
    (project.work / "list.txt").write_text("".join(lines))
    (project.work / "tiny.yaml").write_text(CONFIG)
    return project


def found(project: Project) -> tuple[list[str], list[int]]:
    status = read_table(project.work / "results/extract/000.status.parquet")
    return status["code"].tolist(), status["n_frames"].tolist()


def test_a_clip_that_was_mended_is_read_anew(trees: Project) -> None:
    config = ["--config", "max_failed=0.3", "--", "extract"]
    assert "media_truncated" in (trees.snakemake("--", "extract", check=False).stderr)
    trees.snakemake(*config)
    assert found(trees)[0] == ["ok", "ok", "ok", "media_truncated"]
    assert trees.planned(*config) == {}
    shutil.copytree(trees.work / "whole", trees.work / "tree", dirs_exist_ok=True)
    assert trees.planned(*config) == {"fetch_media": 1, "extract_media": 1, "extract": 1}
    trees.snakemake(*config)
    assert found(trees) == (["ok"] * 4, [7] * 4)
    told = json.loads((trees.work / "results/media/000.watch.json").read_text())["told"]
    assert told.startswith("clips: 1 not as they were indexed (id2/b/1.mp4, newest ")
    assert trees.planned(*config) == {}


def test_who_comes_is_read_beside_a_clip_that_was_mended_and_nobody_else(trees: Project) -> None:
    config = ["--config", "max_failed=0.3", "shards=3", "--", "extract"]
    trees.snakemake(*config)
    shutil.copytree(trees.work / "whole/id1", trees.work / "tree/id4")
    listed = (trees.work / "list.txt").read_text()
    (trees.work / "list.txt").write_text(listed + listed[: len(listed) // 2].replace("id1", "id4"))
    shutil.copytree(trees.work / "whole", trees.work / "tree", dirs_exist_ok=True)
    assert trees.planned(*config) == {"plan_shards": 1, "fetch_media": 2, "extract_media": 2, "extract": 1}
    empty = (trees.work / "results/extract/001.wav.tar").stat().st_mtime_ns
    trees.snakemake(*config)
    assert trees.planned(*config) == {}
    status = [read_table(trees.work / f"results/extract/00{n}.status.parquet") for n in range(3)]
    assert [table["code"].tolist() for table in status] == [["ok"] * 2, [], ["ok"] * 4]
    assert (trees.work / "results/extract/001.wav.tar").stat().st_mtime_ns == empty


def test_lists_are_known_by_their_content(trees: Project) -> None:
    fetch = ["--", "fetch"]
    trees.snakemake(*fetch)
    (trees.work / "list.txt").touch()
    assert trees.planned(*fetch) == {}
    (trees.work / "list.txt").write_text((trees.work / "list.txt").read_text().replace("3.0", "2.9"))
    os.utime(trees.work / "list.txt", (0, 0))
    assert trees.planned(*fetch)["plan_shards"] == 1
