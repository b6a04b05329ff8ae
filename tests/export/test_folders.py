from __future__ import annotations

import logging
import os
import shutil
import time
from collections import namedtuple
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from avsieve.errors import AvsieveError, TarError
from avsieve.export import folders
from avsieve.export.contents import Contents
from avsieve.export.folders import check_room, write_folders
from avsieve.export.selection import select
from avsieve.export.settings import Wish
from avsieve.lists.train_list import read_clean_list, read_train_list
from avsieve.storage.indexed_tar import TarReader
from avsieve.storage.tables import read_table, write_table

SHARDS = ["000", "001"]


def exported(
    results: Path, out: Path, subset: str = "all", kinds: tuple[str, ...] = ("faces", "wav")
) -> dict[str, int]:
    return write_folders(select(results, Wish(subset=subset)), Contents(results, kinds, SHARDS), out, threads=2)


def test_folders_and_lists_are_avcleanses(results: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    counts = exported(results, out)
    assert (counts["files"], counts["written"]) == (13, 13)  # 5 wavs, 2 faces of 4 utterances
    with TarReader(results / "align/000.faces.tar") as reader:
        assert (out / "frame_align/id1/vA/00001/0010.jpg").read_bytes() == reader.read("id1/vA/00001/0010.jpg")
    assert (out / "wav/id2/v.1/00.1.wav").is_file()
    assert not (out / "frame_align/id2/vC").exists()
    assert len(read_clean_list(out / "train_all_clean.txt")) == 5
    assert len(read_train_list(out / "train_clean.txt")) == 4
    assert read_train_list(out / "train_all.txt")["seconds"].tolist() == ["1.50"] * 5


def test_what_is_there_is_left_and_what_differs_is_replaced(results: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    exported(results, out)
    kept = out / "frame_align/id1/vA/00001/0010.jpg"
    before = kept.stat().st_mtime_ns
    spoiled = out / "frame_align/id1/vA/00001/0020.jpg"
    good = spoiled.read_bytes()
    spoiled.write_bytes(good[:-1] + b"x")  # of the same length
    (out / "wav/id1/vA/00001.wav").unlink()
    left_over = out / "wav/id1/vA/.00001.wav.7.partial"
    left_over.write_bytes(b"half")
    os.utime(left_over, (0, 0))
    counts = exported(results, out)
    assert (counts["written"], counts["replaced"], counts["left"]) == (1, 1, 11)
    assert spoiled.read_bytes() == good
    assert kept.stat().st_mtime_ns == before
    assert not left_over.exists()


def test_two_exports_may_write_at_a_time(results: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    with ThreadPoolExecutor(2) as pool:
        counts = list(pool.map(lambda _: exported(results, out), range(2)))
    assert all(c["written"] + c["left"] + c["replaced"] == 13 for c in counts)
    assert len([p for p in out.rglob("*") if p.is_file() and p.suffix in (".jpg", ".wav")]) == 13
    assert exported(results, out)["left"] == 13


@pytest.mark.parametrize("changed", ["subset", "kinds", "run", "unknown"])
def test_another_export_is_not_mixed_into_a_folder(results: Path, tmp_path: Path, changed: str) -> None:
    out = tmp_path / "out"
    exported(results, out)
    before = sorted(out.rglob("*"))
    if changed == "unknown":
        (out / "export.json").unlink()
    if changed == "run":
        decisions = read_table(results / "lists/decisions.parquet")
        write_table(results / "lists/decisions.parquet", decisions.assign(p_wrong=0.25))
    words = {
        "subset": "utterances 5 there, 1 now",
        "kinds": r"what faces\+wav there, wav now",
        "run": "a run that has changed since",
        "unknown": "no export.json",
    }
    with pytest.raises(AvsieveError, match=words[changed]):
        exported(
            results,
            out,
            "noisy" if changed == "subset" else "all",
            ("wav",) if changed == "kinds" else ("faces", "wav"),
        )
    assert [path for path in sorted(out.rglob("*")) if path.name != "export.json"] == [
        path for path in before if path.name != "export.json"
    ]


def test_an_export_of_two_kinds_at_a_time_has_one_winner(results: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"

    def attempt(subset: str) -> str:
        try:
            exported(results, out, subset)
        except AvsieveError as error:
            return str(error)
        return "written"

    with ThreadPoolExecutor(2) as pool:
        told = list(pool.map(attempt, ["clean", "noisy"]))
    assert told.count("written") == 1
    assert any("another export" in text for text in told)
    wavs = {path.relative_to(out / "wav").with_suffix("").as_posix() for path in (out / "wav").rglob("*.wav")}
    assert wavs in ({"id3/vB/00001"}, {"id2/v.1/00.1", "id1/vA/00001", "id1/vA/00002", "id2/vC/00001"})


def test_people_kept_for_trials_have_a_list_of_their_own(results: Path, tmp_path: Path) -> None:
    exported(results, tmp_path / "out", "test")
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == ["export.json", "frame_align", "test_all.txt", "wav"]


def test_frames_that_were_not_kept_are_told(results: Path) -> None:
    with pytest.raises(AvsieveError, match="no frames were kept"):
        Contents(results, ["frames"], SHARDS)
    with pytest.raises(AvsieveError, match="cannot be exported"):
        Contents(results, ["video"], SHARDS)


def test_a_spoiled_shard_is_not_exported(results: Path, tmp_path: Path) -> None:
    tar = results / "extract/000.wav.tar"
    content = bytearray(tar.read_bytes())
    content[600] ^= 1
    tar.write_bytes(content)
    with pytest.raises(TarError, match="not what was written"):
        exported(results, tmp_path / "out")


def test_an_export_that_cannot_fit_is_refused_and_a_large_one_warned_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage(10**15, 0, 10**15))
    with caplog.at_level(logging.WARNING):
        monkeypatch.setattr(folders.os, "statvfs", lambda path: namedtuple("v", "f_favail")(10**9))
        check_room(tmp_path / "out", 21_000_000, 10**11)
    assert "21000000 separate files" in caplog.text
    monkeypatch.setattr(folders.os, "statvfs", lambda path: namedtuple("v", "f_favail")(100))
    with pytest.raises(AvsieveError, match="inodes"):
        check_room(tmp_path / "out", 101, 1)


def test_lists_that_a_killed_writer_left_are_removed_once_they_are_old(results: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    exported(results, out)
    for name, age_s in ((".lists-old", folders.STALE_S + 60), (".lists-new", 0)):
        (out / name).mkdir()
        (out / name / "train_all.txt").write_text("half")
        when = time.time() - age_s
        os.utime(out / name, (when, when))
    exported(results, out)
    assert [path.name for path in out.glob(".lists-*")] == [".lists-new"]  # may belong to one who is writing now
