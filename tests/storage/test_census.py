from __future__ import annotations

import os
from pathlib import Path

import pytest

from avsieve.storage import census
from avsieve.storage.census import of_archives, of_file, of_files, of_names


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_a_small_file_is_told_by_its_content_whatever_its_time() -> None:
    Path("l.txt").write_text("id1 id1/v/1.wav 2.0\n")
    first = of_files("lists", ["l.txt"])
    assert first.startswith("lists: l.txt 20 bytes sha256 ")
    os.utime("l.txt", (0, 0))
    assert of_files("lists", ["l.txt"]) == first
    Path("l.txt").write_text("id1 id1/v/1.wav 2.1\n")
    os.utime("l.txt", (-5, -5))  # older than the one before, as from an archive
    assert of_files("lists", ["l.txt"]) != first


def test_a_large_file_is_told_by_size_and_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(census, "SMALL", 10)
    Path("t.npz").write_bytes(bytes(11))
    first = of_file("t.npz")
    os.utime("t.npz", ns=(0, 1))
    assert of_file("t.npz") == "t.npz 11 bytes of 1970-01-01 00:00:00 (1 ns)" != first


def test_folders_and_what_is_absent_are_told() -> None:
    Path("pack").mkdir()
    assert of_file("pack") == "pack holds nothing"
    Path("pack/det.onnx").write_bytes(b"x")
    assert of_file("pack").startswith("pack holds det.onnx 1 bytes sha256 ")
    assert of_files("models", ["gone.onnx"]) == "models: gone.onnx absent"
    assert of_files("models", []) == "models: none"


def test_names_are_told_apart_and_contents_are_not() -> None:
    for name in ("r/a/v/1.mp4", "r/a/w/x/y/2.MP4", "r/a/v/readme.txt", "r/.hidden/3.mp4"):
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).touch()
    Path("r/a/loop").symlink_to(Path("r").resolve(), target_is_directory=True)
    first = of_names("clips", ["r"], (".mp4",))
    Path("r/a/v/1.mp4").write_text("other")
    Path("r/a/v/other.txt").touch()
    assert of_names("clips", ["r"], (".mp4",)) == first
    assert of_names("clips", ["r"], (".mp4",), times=True) != of_names("clips", ["r"], (".mp4",))
    seen = {first}
    for move in (("r/a/v/1.mp4", "r/a/w/1.mp4"), ("r/a/w/1.mp4", "r/a/w/1.mkv"), ("r/a", "r/b")):
        Path(move[0]).rename(move[1])
        seen.add(of_names("clips", ["r"], (".mp4", ".mkv")))
    assert len(seen) == 4
    assert "No such file" in of_names("clips", ["nowhere"], (".mp4",))


def test_archives_are_told_by_their_parts() -> None:
    for part in ("ab", "aa"):
        Path(f"x_part{part}").write_bytes(b"x")
        os.utime(f"x_part{part}", (0, 0))
    first = of_archives("archives", ["x_part*"])
    assert first.startswith("archives: 2 files, 2 bytes, newest 1970-01-01 00:00:00, digest ")
    os.utime("x_partab", ns=(0, 1))
    assert of_archives("archives", ["x_part*"]) != first
    assert of_archives("archives", ["nothing*"]).startswith("archives: 0 files")
