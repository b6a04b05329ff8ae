"""Names that no list could hold, names twice, and very long ones: each clip is read or has a row."""

from __future__ import annotations

import io
import logging
import os
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import pytest

from avsieve.export.samples import key_of
from avsieve.media.extract import extract_shard
from avsieve.sources.archive import fetch as archive_fetch
from avsieve.sources.archive import plan as archive_plan
from avsieve.sources.archive.contract import Archive
from avsieve.sources.plan import build_plan
from avsieve.sources.tree import fetch, plan
from avsieve.sources.tree.contract import Tree
from avsieve.storage.indexed_tar import TarReader
from avsieve.storage.tables import read_table, write_table
from avsieve.storage.wav import wav_bytes
from tests.sources.blocks import settings

WAV = wav_bytes((8000 * np.sin(np.arange(16_000) / 5)).astype(np.int16))
LATIN = os.fsdecode(b"caf\xe9")
ODD = [
    "00001 (1).wav", "clip#1.wav", "clip=231.wav", "Zoë.wav", "Zoe\u0308.wav", "a|b.wav", "a:b.wav", "a%d.wav",
    "two\nlines.wav", "quote'\".wav", "ein Umlaut äöü.wav", "日本語.wav", "я" * 120 + ".wav", "x" * 250 + ".wav",
    f"{LATIN}.wav",
]  # fmt: skip


def options(root: Path, **others: object) -> Tree:
    return settings(Tree, root=root, **others)


def put(path: Path, content: bytes = WAV) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def test_clips_of_any_name_are_planned_fetched_and_extracted(tmp_path: Path, caplog, monkeypatch) -> None:
    caplog.set_level(logging.INFO)
    for number, name in enumerate(ODD):
        put(tmp_path / "in" / "Anna B." / "vidéo 1" / name, wav_bytes(np.full(16_000, 100 + number, np.int16)))
    put(tmp_path / "in/id1/vA/00001.wav")
    monkeypatch.chdir(tmp_path / "in")  # where `a:b.wav` could be taken for a protocol
    for root in (tmp_path / "in", Path()):
        args = options(root)
        rows = build_plan(plan.plan(args), 1)
        write_table(tmp_path / "plan.parquet", rows)
        index, status = fetch.fetch(read_table(tmp_path / "plan.parquet"), args)
        assert set(status.frame()["code"]) == {"ok"}
        assert len(set(rows["utterance"])) == len(ODD) + 1
        write_table(tmp_path / "index.parquet", index)
        tars = {"frames_tar": tmp_path / "f.tar", "wav_tar": tmp_path / "w.tar"}
        settings = {"interval_s": 0.4, "jpeg_quality": 90, "min_audio_s": 0.5, "want_video": False}
        done = extract_shard(read_table(tmp_path / "index.parquet"), {"train": root}, **tars, **settings).frame()
        assert dict(zip(done["utterance"], done["code"], strict=True)) == dict.fromkeys(rows["utterance"], "ok")
    with TarReader(tmp_path / "w.tar") as wavs:
        levels = {int(np.frombuffer(wavs.read(f"{u}.wav")[44:], "<i2")[0]) for u in rows["utterance"]}
    assert levels >= set(range(100, 100 + len(ODD)))  # each its own sound
    with tarfile.open(tmp_path / "w.tar") as tar:
        assert sorted(tar.getnames()) == sorted(f"{u}.wav" for u in rows["utterance"])
    told = [r.message for r in caplog.records if "no id can have" in r.message]
    assert len(told) == 2  # once a run
    assert f"{len(ODD)} with names that no id can have" in told[0]
    assert "Anna=20B./vid=C3=A9o=201/" in told[0]
    assert key_of("Zo=C3=AB/v/1.5") == "Zo=C3=AB/v/1%2E5"


def test_a_list_may_name_a_file_by_its_id_or_as_it_is_called(tmp_path: Path) -> None:
    put(tmp_path / "in/id1/v/clip#1.wav")
    put(tmp_path / "in/id1/v/take=23.wav")
    (tmp_path / "l.txt").write_text("id1 id1/v/clip=231.wav 1\nid1 id1/v/take=23.wav 1\nid1 id1/v/none=23.wav 1\n")
    args = options(tmp_path / "in", train_list=tmp_path / "l.txt")
    index, status = fetch.fetch(plan.plan(args), args)
    assert status.frame()["code"].tolist() == ["ok", "ok", "media_missing"]
    assert index["path"].tolist()[:2] == ["id1/v/clip#1.wav", "id1/v/take=23.wav"]
    put(tmp_path / "in/id1/v/take#.wav")  # now the list may mean either
    assert fetch.fetch(plan.plan(args), args)[1].frame()["code"].tolist()[1] == "clip_twice"


@pytest.mark.parametrize("names", [("1.mp4", "1.webm"), ("1.mp4", "1.MP4"), ("1.wav", "1.WAV")])
def test_a_clip_that_is_there_twice_is_a_row_and_the_others_go_on(tmp_path: Path, names: tuple[str, str]) -> None:
    for name in names:
        put(tmp_path / "in/id1/v" / name)
    put(tmp_path / "in/id1/v/2.wav")
    args = options(tmp_path / "in")
    _, status = fetch.fetch(plan.plan(args), args)
    assert [(r["code"], r["detail"]) for r in status.rows] == [
        ("clip_twice", f"id1/v/{min(names)} and id1/v/{max(names)}"),
        ("ok", ""),
    ]


def test_a_file_under_an_ending_that_is_not_taken_has_a_reason_of_its_own(tmp_path: Path) -> None:
    put(tmp_path / "in/id1/v/1.bik")
    put(tmp_path / "in/id1/v/2")
    put(tmp_path / "in/id1/v/3.wav")
    (tmp_path / "l.txt").write_text("".join(f"id1 id1/v/{n}.wav 1.0\n" for n in (1, 2, 3, 4)))
    args = options(tmp_path / "in", train_list=tmp_path / "l.txt")
    _, status = fetch.fetch(plan.plan(args), args)
    assert [r["code"] for r in status.rows] == ["ending_unknown", "ending_unknown", "ok", "media_missing"]
    assert "id1/v/1.bik is there" in status.rows[0]["detail"]


def test_archives_take_the_same_names(tmp_path: Path) -> None:
    names = {f"data/Zoë/v 1/{name}": bytes([n]) * 9 for n, name in enumerate(["clip#1.mp4", "clip=231.mp4", "é.MP4"])}
    others = {"$RECYCLE.BIN/x/y/1.mp4": b"x", "data/Zoë/v 1/.hidden.mp4": b"x", "data/Zoë/v 1/notes.txt": b"x"}
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        for name, content in (names | others).items():
            archive.writestr(name, content)
    args = settings(Archive, video=[tmp_path / "a.zip"])
    rows = archive_plan.plan(args)
    assert rows["utterance"].tolist() == [f"Zo=C3=AB/v=201/{part}" for part in ("=C3=A9", "clip=231", "clip=3D231")]
    _, status = archive_fetch.fetch(rows, args)
    assert {r["code"] for r in status.rows} == {"ok"}


def test_names_of_a_zip_that_does_not_say_they_are_utf8(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("a/v/Zo??.mp4", b"one")
        archive.writestr("a/v/caf?.mp4", b"two")
    content = (tmp_path / "a.zip").read_bytes().replace(b"Zo??", "Zoë".encode()).replace(b"caf?", b"caf\xe9")
    (tmp_path / "a.zip").write_bytes(content)
    args = settings(Archive, video=[tmp_path / "a.zip"], verify=True)
    rows = archive_plan.plan(args)
    assert rows["utterance"].tolist() == ["a/v/Zo=C3=AB", "a/v/caf=E9"]
    assert {r["code"] for r in archive_fetch.fetch(rows, args)[1].rows} == {"ok"}


def test_names_of_a_tar_in_another_encoding(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "a.tar", "w", format=tarfile.GNU_FORMAT) as archive:
        info = tarfile.TarInfo(f"a/v/{LATIN}.mp4")
        info.size = 3
        archive.addfile(info, io.BytesIO(b"one"))
        archive.addfile(info.replace(name=f"b/v/{LATIN}.webm"), io.BytesIO(b"two"))
        archive.addfile(info.replace(name=f"x/b/v/{LATIN}.avi"), io.BytesIO(b"new"))
    args = settings(Archive, video=[tmp_path / "a.tar"], verify=True)
    write_table(tmp_path / "plan.parquet", archive_plan.plan(args))
    index, status = archive_fetch.fetch(read_table(tmp_path / "plan.parquet"), args)
    write_table(tmp_path / "index.parquet", index)
    status.write(tmp_path / "status.parquet")
    assert [(r["utterance"], r["code"]) for r in status.rows] == [("a/v/caf=E9", "ok"), ("b/v/caf=E9", "clip_twice")]
