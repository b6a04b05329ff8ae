from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pytest

from avsieve.errors import AvsieveError
from avsieve.media.ffmpeg import write_clip
from avsieve.media.wav import wav_bytes
from avsieve.sources.tree import fetch, plan


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    (tmp_path / "s.wav").write_bytes(wav_bytes(np.ones(16_000, np.int16)))
    frames = [np.zeros((32, 32, 3), np.uint8)] * 25
    for name in ("id1/vA/00002.mp4", "id1/vA/00001.mp4", "id2/vB/00001.mkv"):
        write_clip(tmp_path / "train" / name, frames, tmp_path / "s.wav", size=32)
    (tmp_path / "train/id2/vB/00002.mp4").write_bytes(b"")
    (tmp_path / "train/id2/vB/notes.txt").write_text("not a clip")
    (tmp_path / "train/id2/vB/._00001.mp4").write_bytes(b"left by a file manager")
    return tmp_path


def planned(root: Path, train_list: Path | None = None, test_root: Path | None = None) -> list[tuple[str, str, str]]:
    rows = plan.plan(argparse.Namespace(root=root, train_list=train_list, test_root=test_root))
    return list(rows[["utterance", "subset", "seconds"]].itertuples(index=False, name=None))


def test_a_folder_is_listed_in_order(tree: Path) -> None:
    assert [u for u, _, _ in planned(tree / "train")] == [
        "id1/vA/00001",
        "id1/vA/00002",
        "id2/vB/00001",
        "id2/vB/00002",
    ]


def test_a_list_gives_the_order_and_the_lengths_as_they_stand(tree: Path) -> None:
    (tree / "l.txt").write_text("id2 id2/vB/00001.wav 1.5\nid1 id1/vA/00001.wav 1.000\n")
    assert planned(tree / "train", tree / "l.txt") == [
        ("id2/vB/00001", "train", "1.5"),
        ("id1/vA/00001", "train", "1.000"),
    ]


def test_a_test_folder_adds_test_rows(tree: Path) -> None:
    (tree / "train" / "id2").rename(tree / "id2")
    (tree / "test").mkdir()
    (tree / "id2").rename(tree / "test" / "id2")
    assert [(u, s) for u, s, _ in planned(tree / "train", test_root=tree / "test")][-1] == ("id2/vB/00002", "test")


def test_missing_and_empty_folders_and_bad_names_are_told(tree: Path) -> None:
    with pytest.raises(AvsieveError, match="is no folder"):
        planned(tree / "nowhere")
    (tree / "empty").mkdir()
    with pytest.raises(AvsieveError, match="no clip under"):
        planned(tree / "empty")
    (tree / "train/id2/vB/my clip.mp4").write_bytes(b"x")
    with pytest.raises(AvsieveError, match="my clip"):
        planned(tree / "train")


def test_fetching_finds_each_clip_and_its_length(tree: Path) -> None:
    rows = plan.plan(argparse.Namespace(root=tree / "train", train_list=None, test_root=None))
    rows.loc[len(rows)] = ["id3/vC/00001", "train", "id3/vC/00001", ""]
    index, status = fetch.fetch(rows, argparse.Namespace(root=tree / "train", test_root=None))
    assert index["path"].tolist()[2:] == ["id2/vB/00001.mkv", "id2/vB/00002.mp4", "id3/vC/00001"]
    assert status.frame()["code"].tolist() == ["ok", "ok", "ok", "media_empty", "media_missing"]
    assert index["duration_s"][0] == pytest.approx(1.0, abs=0.1)
    assert index["size"][0] == (tree / "train/id1/vA/00001.mp4").stat().st_size
