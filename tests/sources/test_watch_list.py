"""A run sees what has changed of the clips since they were indexed, and nothing else."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from avsieve.media.file_identity import image_files, images_stamp
from avsieve.media.index import IMAGES, IndexedClip, Place, file_place, media_table
from avsieve.sources.watch_list import FIRST, How, Watched, tell_changes, watched_of, write_watch_list

ROOTS = {"train_root": "mp4", "train_audio_root": "wav"}


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Three clips, one of them with sound apart, one of another speaker missing; the watch list of them."""
    monkeypatch.chdir(tmp_path)
    for name in ("mp4/a/v/1.mp4", "mp4/a/v/2.mp4", "mp4/b/v/1.mp4", "wav/a/v/1.wav", "mp4/a/v/2.wav"):
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_bytes(name.encode())
    write_list(FIRST)
    return tmp_path


def write_list(told: str) -> None:
    clips = [
        IndexedClip("a/v/1", "train", file_place(Path("mp4"), "a/v/1.mp4"), file_place(Path("wav"), "a/v/1.wav")),
        IndexedClip("a/v/2", "train", file_place(Path("mp4"), "a/v/2.mp4"), Place("a/v/2")),
        IndexedClip("b/v/1", "train", file_place(Path("mp4"), "b/v/1.mp4")),
        IndexedClip("b/w/3", "train", Place("b/w/3")),
    ]
    write_watch_list("w.json", told, watched_of(media_table(clips), ROOTS), ROOTS)


def told(how: How = "files") -> str:
    return tell_changes("w.json", ROOTS, how)


def test_what_has_not_changed_is_told_as_it_was_planned(tree: Path) -> None:
    for how in ("files", "names", "nothing"):
        assert told(how) == FIRST  # type: ignore[arg-type]
    write_list("another text")
    assert told() == "another text"
    Path("w.json").unlink()
    assert told() == FIRST


@pytest.mark.parametrize(
    ("change", "name", "seen_by_name"),
    [
        (lambda: Path("mp4/a/v/1.mp4").write_bytes(b"fixed"), "a/v/1.mp4", False),
        (lambda: os.utime("mp4/a/v/1.mp4", ns=(0, 1)), "a/v/1.mp4", False),
        (lambda: Path("wav/a/v/1.wav").write_bytes(b"WAV/a/v/1.wav"), "a/v/1.wav", False),
        (lambda: Path("mp4/b/v/1.mp4").unlink(), "b/v/1.mp4", True),
        (lambda: shutil.rmtree("mp4/b"), "b/v/1.mp4", True),
        (lambda: (Path("mp4/b/w").mkdir(), Path("mp4/b/w/3.MKV").touch()), "b/w/3.MKV", True),
        (lambda: Path("wav/a/v/2.flac").touch(), "a/v/2.flac", True),
        (lambda: Path("mp4/b/v/1.wav").touch(), "b/v/1.wav", True),  # two files of one utterance
        (lambda: Path("mp4/a/v/2.wav").unlink(), "a/v/2.wav", True),  # of which one goes
    ],
)
def test_a_change_is_told_by_its_name(tree: Path, change: object, name: str, seen_by_name: bool) -> None:
    change()  # type: ignore[operator]
    text = told()
    assert text.startswith(f"clips: 1 not as they were indexed ({name}")
    assert told() == text
    assert (told("names") != FIRST) == seen_by_name
    assert told("nothing") == FIRST
    write_list(text)  # what fetching does
    assert told() == text


def test_what_is_not_of_the_shard_changes_nothing(tree: Path) -> None:
    Path("mp4/a/v/notes.txt").touch()
    Path("mp4/a/v/9.mp4").touch()
    Path("mp4/a/v/2.wav").write_bytes(b"it lies beside the video and is not used")
    Path("mp4/c").mkdir()
    Path("mp4/a/v/1.txt").symlink_to("nowhere")
    assert told() == FIRST


def test_a_link_that_leads_nowhere_is_a_clip_that_is_missing(tree: Path) -> None:
    Path("mp4/b/w").mkdir()
    Path("mp4/b/w/3.mp4").symlink_to("../../../later.mp4")
    assert told() == FIRST
    Path("later.mp4").touch()
    assert "b/w/3.mp4" in told()


def test_no_two_changes_have_one_text(tree: Path) -> None:
    texts = [told()]
    for i in range(4):
        os.utime("mp4/a/v/1.mp4", ns=(0, 1_000 * (i % 2)))
        texts.append(told())
        write_list(texts[-1])
    assert len(set(texts)) == len(texts)


def test_images_are_watched_and_so_are_the_folders_that_would_be_taken_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("faces/a/v").mkdir(parents=True)
    Path("faces/a/v/1.jpg").write_bytes(b"one")

    def note() -> None:
        stamp = images_stamp((e.name, e.stat()) for e in image_files("faces/a/v"))
        index = media_table([IndexedClip("a/v/u", "train", Place("a/v", 0, 3, IMAGES, stamp))])
        places = [Watched("train_root", "a/v/u", is_images=True), *watched_of(index, ["train_root"])]
        write_watch_list("w.json", FIRST, places, {"train_root": "faces"})

    def changed(how: How) -> bool:
        return tell_changes("w.json", {"train_root": "faces"}, how) != FIRST

    note()
    assert not changed("files")
    assert not changed("names")
    Path("faces/a/v/1.jpg").write_bytes(b"two")
    assert changed("files")
    assert not changed("names")
    note()
    Path("faces/a/v/2.jpg").write_bytes(b"two")
    assert changed("names")
    note()
    Path("faces/a/v/u").mkdir()
    assert not changed("files")
    Path("faces/a/v/u/1.jpg").write_bytes(b"own")
    assert changed("files")
