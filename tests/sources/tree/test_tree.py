from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from avsieve.errors import AvsieveError
from avsieve.media.extract import extract_shard
from avsieve.media.ffmpeg import write_clip
from avsieve.sources.tree import fetch, plan
from avsieve.sources.tree.contract import Tree
from avsieve.storage.wav import wav_bytes
from tests.sources.blocks import settings


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


def options(root: Path, **others: object) -> Tree:
    return settings(Tree, root=root, **others)


def planned(root: Path, train_list: Path | None = None, test_root: Path | None = None) -> list[tuple[str, str, str]]:
    rows = plan.plan(options(root, train_list=train_list, test_root=test_root))
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


def test_missing_and_empty_folders_are_told(tree: Path) -> None:
    with pytest.raises(AvsieveError, match="is not a folder"):
        planned(tree / "nowhere")
    (tree / "empty").mkdir()
    with pytest.raises(AvsieveError, match="no clip at depth 3 under"):
        planned(tree / "empty")
    (tree / "train/id2/vB/my clip.mp4").write_bytes(b"x")
    assert "id2/vB/my=20clip" in [u for u, _, _ in planned(tree / "train")]


def test_fetching_finds_each_clip_and_its_length(tree: Path) -> None:
    rows = plan.plan(options(tree / "train"))
    rows.loc[len(rows)] = ["id3/vC/00001", "train", "id3/vC/00001", ""]
    index, status = fetch.fetch(rows, options(tree / "train"))
    assert index["path"].tolist()[2:] == ["id2/vB/00001.mkv", "id2/vB/00002.mp4", "id3/vC/00001"]
    assert status.frame()["code"].tolist() == ["ok", "ok", "ok", "media_empty", "media_missing"]
    assert index["duration_s"][0] == pytest.approx(1.0, abs=0.1)
    assert index["size"][0] == (tree / "train/id1/vA/00001.mp4").stat().st_size


def test_lengths_of_a_list_are_taken_without_a_look_at_the_files(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetch, "probe_duration_s", lambda path: pytest.fail(f"{path} was opened"))
    (tree / "l.txt").write_text("id2 id2/vB/00001.wav 1.5\nid1 id1/vA/00001.wav 7.25\n")
    index, _ = fetch.fetch(plan.plan(options(tree / "train", train_list=tree / "l.txt")), options(tree / "train"))
    assert index["duration_s"].tolist() == [1.5, 7.25]


def test_capitals_in_extensions_and_linked_folders_are_found(tree: Path) -> None:
    (tree / "train/id2/vB/00001.mkv").rename(tree / "train/id2/vB/00001.MKV")
    (tree / "train/id2").rename(tree / "elsewhere")
    (tree / "train/id2").symlink_to(tree / "elsewhere")
    assert [u for u, _, _ in planned(tree / "train")][2:] == ["id2/vB/00001", "id2/vB/00002"]
    index, _ = fetch.fetch(plan.plan(options(tree / "train")), options(tree / "train"))
    assert index["path"][2] == "id2/vB/00001.MKV"


def test_two_videos_of_an_utterance_are_a_row_and_sound_beside_one_is_passed_over(tree: Path) -> None:
    (tree / "train/id1/vA/00001.wav").write_bytes(b"x")
    rows = plan.plan(options(tree / "train"))
    assert rows["utterance"].tolist()[:2] == ["id1/vA/00001", "id1/vA/00002"]
    index, _ = fetch.fetch(rows, options(tree / "train"))
    assert index["path"][0] == "id1/vA/00001.mp4"
    (tree / "train/id1/vA/00001.mkv").write_bytes(b"x")
    rows = plan.plan(options(tree / "train"))
    index, status = fetch.fetch(rows, options(tree / "train"))
    assert rows["utterance"].tolist()[:2] == ["id1/vA/00001", "id1/vA/00002"]
    assert status.rows[0]["code"] == "clip_twice"
    assert status.rows[0]["detail"] == "id1/vA/00001.mkv and id1/vA/00001.mp4"
    assert index["size"][0] == 0  # neither is read
    assert status.rows[1]["code"] == "ok"


@pytest.fixture
def apart(tree: Path) -> Path:
    """Return the tree with its sound in a folder of its own; each has an utterance that the other lacks."""
    tone = (8000 * np.sin(np.arange(16_000) / 5)).astype(np.int16)
    for name in ("id1/vA/00001.wav", "id2/vB/00001.wav", "id2/vB/00003.wav"):
        (tree / "sound" / name).parent.mkdir(parents=True, exist_ok=True)
        (tree / "sound" / name).write_bytes(wav_bytes(tone))
    (tree / "sound/id2/vB/00003.m4a").write_bytes(b"what the wav was made from")
    (tree / "train/id2/vB/00002.mp4").unlink()
    return tree


def test_sound_that_lies_apart_is_indexed_and_what_only_one_tree_has_gets_a_reason(apart: Path) -> None:
    args = options(apart / "train", audio_root=apart / "sound")
    index, status = fetch.fetch(plan.plan(args), args)
    assert dict(zip(index["utterance"], status.frame()["code"], strict=True)) == {
        "id1/vA/00001": "ok",
        "id1/vA/00002": "sound_file_missing",
        "id2/vB/00001": "ok",
        "id2/vB/00003": "video_file_missing",
    }
    assert index["audio_path"].fillna("").tolist() == ["id1/vA/00001.wav", "", "id2/vB/00001.wav", "id2/vB/00003.wav"]
    assert index["audio_size"].tolist() == [32_044, 0, 32_044, 32_044]
    assert index["duration_s"][3] == pytest.approx(1.0)


def test_sound_without_a_picture_is_still_extracted(apart: Path) -> None:
    args = options(apart / "train", audio_root=apart / "sound")
    index, _ = fetch.fetch(plan.plan(args), args)
    index = index[index["utterance"] == "id2/vB/00003"].reset_index(drop=True)
    tars = {"frames_tar": apart / "f.tar", "wav_tar": apart / "w.tar"}
    media = {"interval_s": 0.4, "jpeg_quality": 90, "min_audio_s": 0.5}
    roots = {"train": apart / "train"}, {"train": apart / "sound"}
    status = extract_shard(index, *roots, **tars, **media).frame()
    assert (status["code"][0], status["audio_s"][0]) == ("no_video_stream", 1.0)
