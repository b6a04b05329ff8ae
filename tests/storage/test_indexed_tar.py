from __future__ import annotations

import hashlib
import shutil
import subprocess
import tarfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from avsieve.errors import AvsieveError, TarError
from avsieve.storage.indexed_tar import Member, TarReader, TarWriter, index_path, intact, partial_path

MEMBERS = [
    ("a/v/1", "a/v/1/0010.jpg", b"x" * 513),
    ("a/v/1", "a/v/1/0020.jpg", b""),
    ("b/v/1", "b/v/1/0010.jpg", b"y" * 512),
]


@pytest.fixture
def indexed(tmp_path: Path) -> Path:
    path = tmp_path / "000.frames.tar"
    with TarWriter(path) as writer:
        for utterance, name, content in MEMBERS:
            writer.add(utterance, name, content)
    return path


def test_members_come_back_by_name_and_by_utterance(indexed: Path) -> None:
    with TarReader(indexed) as reader:
        assert [reader.read(name) for _, name, _ in MEMBERS] == [content for _, _, content in MEMBERS]
        assert list(reader.of("a/v/1")) == [(n, c) for u, n, c in MEMBERS if u == "a/v/1"]
        assert list(reader.of("nobody/v/1")) == []
        assert reader.utterances == ["a/v/1", "b/v/1"]
        assert "a/v/1/0010.jpg" in reader
        assert len(reader) == 3


def test_the_tar_is_a_plain_tar(indexed: Path) -> None:
    with tarfile.open(indexed) as tar:
        assert tar.getnames() == [name for _, name, _ in MEMBERS]
        member = tar.extractfile("b/v/1/0010.jpg")
        assert member is not None
        assert member.read() == b"y" * 512


def test_equal_content_gives_equal_bytes(indexed: Path, tmp_path: Path) -> None:
    again = tmp_path / "again.tar"
    with TarWriter(again) as writer:
        for member in MEMBERS:
            writer.add(*member)
    assert again.read_bytes() == indexed.read_bytes()
    assert index_path(again).read_bytes() == index_path(indexed).read_bytes()


def test_a_tar_without_members_can_be_read(tmp_path: Path) -> None:
    with TarWriter(tmp_path / "empty.tar"):
        pass
    with TarReader(tmp_path / "empty.tar") as reader:
        assert len(reader) == 0


def test_an_error_while_writing_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError), TarWriter(tmp_path / "x.tar") as writer:
        writer.add("a/v/1", "a/v/1/0010.jpg", b"x")
        raise RuntimeError
    assert list(tmp_path.iterdir()) == []


def test_a_name_cannot_be_written_twice(tmp_path: Path) -> None:
    with pytest.raises(TarError, match="written before"), TarWriter(tmp_path / "x.tar") as writer:
        writer.add("a/v/1", "a/v/1/same", b"x")
        writer.add("a/v/1", "a/v/1/same", b"y")


def test_changed_content_is_found_by_its_checksum(indexed: Path) -> None:
    raw = bytearray(indexed.read_bytes())
    raw[600] ^= 1
    indexed.write_bytes(raw)
    with TarReader(indexed) as reader:
        assert reader.verify()["name"].tolist() == ["a/v/1/0010.jpg"]


def test_a_member_that_is_not_what_was_written_is_refused_when_it_is_read(indexed: Path) -> None:
    raw = bytearray(indexed.read_bytes())
    raw[600] ^= 1
    indexed.write_bytes(raw)
    with TarReader(indexed) as reader:
        assert reader.read("b/v/1/0010.jpg") == b"y" * 512  # the others are whole
        told = r"000\.frames\.tar: a/v/1/0010\.jpg is not what was written .*; remove it and run Snakemake again"
        with pytest.raises(TarError, match=told):
            reader.read("a/v/1/0010.jpg")
        with pytest.raises(TarError, match=told):
            list(reader.of("a/v/1"))


def test_a_tar_that_was_cut_off_is_refused(indexed: Path) -> None:
    indexed.write_bytes(indexed.read_bytes()[:1024])
    with pytest.raises(TarError, match="the index reaches to byte"):
        TarReader(indexed)


def test_an_unknown_member_and_a_missing_index_are_named(indexed: Path) -> None:
    with TarReader(indexed) as reader, pytest.raises(TarError, match="no member c/v/1"):
        reader.read("c/v/1")
    index_path(indexed).unlink()
    with pytest.raises(AvsieveError, match="no such table"):
        TarReader(indexed)


def test_ordinary_names_have_the_bytes_that_they_always_had(indexed: Path) -> None:
    # A contract: tars of earlier runs and of this one are the same, so nothing is made anew.
    assert (
        hashlib.sha256(indexed.read_bytes()).hexdigest()
        == "953a83334e2f6ab37e827bc9bb091c9959f72889e4838280e2f7a47d2ff7034b"
    )


LONG = [f"id1/vA/{'x' * n}" for n in (80, 97, 100, 120, 251)] + [f"{'s' * 251}/{'v' * 251}/{'u' * 251}"]


@pytest.fixture
def long_tar(tmp_path: Path) -> Path:
    path = tmp_path / "000.tar"
    with TarWriter(path) as writer:
        for name in LONG:
            writer.add(name, f"{name}.wav", name.encode())
            writer.add(name, f"{name}/000033.jpg", b"x")
    return path


def test_names_as_long_as_a_file_system_has_them_are_written_and_read(long_tar: Path, tmp_path: Path) -> None:
    with TarReader(long_tar) as reader:
        assert [reader.read(f"{name}.wav") for name in LONG] == [name.encode() for name in LONG]
        assert reader.verify().empty
    names = [f"{name}{end}" for name in LONG for end in (".wav", "/000033.jpg")]
    with tarfile.open(long_tar) as tar:
        assert tar.getnames() == names
    before = long_tar.read_bytes()
    with TarWriter(tmp_path / "again.tar") as writer:
        for name in LONG:
            writer.add(name, f"{name}.wav", name.encode())
            writer.add(name, f"{name}/000033.jpg", b"x")
    assert (tmp_path / "again.tar").read_bytes() == before


def test_other_programs_read_long_names(long_tar: Path, tmp_path: Path) -> None:
    program = shutil.which("tar")
    if program is None:
        pytest.skip("no tar on PATH")
    (tmp_path / "out").mkdir()
    subprocess.run([program, "-xf", long_tar, "-C", tmp_path / "out"], check=True)
    assert {p.relative_to(tmp_path / "out").as_posix() for p in (tmp_path / "out").rglob("*.wav")} == {
        f"{name}.wav" for name in LONG
    }


def test_webdataset_reads_long_names(long_tar: Path) -> None:
    webdataset = pytest.importorskip("webdataset")
    samples = {s["__key__"]: s for s in webdataset.WebDataset([str(long_tar)], shardshuffle=False)}
    assert {key: samples[key]["wav"] for key in LONG} == {name: name.encode() for name in LONG}


def test_a_tar_with_long_names_that_was_killed_is_taken_up(tmp_path: Path, long_tar: Path) -> None:
    path = tmp_path / "broken.tar"
    with pytest.raises(RuntimeError), TarWriter(path, kept=[]) as writer:
        for name in LONG[:4]:
            writer.add(name, f"{name}.wav", name.encode())
            writer.add(name, f"{name}/000033.jpg", b"x")
        raise RuntimeError
    kept = writer.members
    assert intact(path, kept) == 8
    with partial_path(path).open("r+b") as file:
        file.truncate(kept[-1].offset)  # its last content is gone
    assert intact(path, kept) == 7
    with TarWriter(path, kept=[Member(*m) for m in kept[:7]]) as writer:
        writer.add(LONG[3], f"{LONG[3]}/000033.jpg", b"x")
        for name in LONG[4:]:
            writer.add(name, f"{name}.wav", name.encode())
            writer.add(name, f"{name}/000033.jpg", b"x")
    assert path.read_bytes() == long_tar.read_bytes()


def test_long_names_are_read_from_several_threads(tmp_path: Path) -> None:
    utterances = [f"{'s' * 60}{k}/{'v' * 90}/{k:05d}" for k in range(40)]
    with TarWriter(tmp_path / "x.tar") as writer:
        for k, utterance in enumerate(utterances):
            writer.add(utterance, f"{utterance}/0010.jpg", bytes([k]) * (k + 1))
    with TarReader(tmp_path / "x.tar") as reader, ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda u: list(reader.of(u)), utterances * 20))
    assert found == [[(f"{u}/0010.jpg", bytes([k]) * (k + 1))] for k, u in enumerate(utterances)] * 20
