from __future__ import annotations

import tarfile
from pathlib import Path

import pytest

from avsieve.errors import AvsieveError, ShardError
from avsieve.shards import ShardReader, ShardWriter, index_path

MEMBERS = [
    ("a/v/1", "a/v/1/0010.jpg", b"x" * 513),
    ("a/v/1", "a/v/1/0020.jpg", b""),
    ("b/v/1", "b/v/1/0010.jpg", b"y" * 512),
]


@pytest.fixture
def shard(tmp_path: Path) -> Path:
    path = tmp_path / "000.frames.tar"
    with ShardWriter(path) as writer:
        for utterance, name, content in MEMBERS:
            writer.add(utterance, name, content)
    return path


def test_members_come_back_by_name_and_by_utterance(shard: Path) -> None:
    with ShardReader(shard) as reader:
        assert [reader.read(name) for _, name, _ in MEMBERS] == [content for _, _, content in MEMBERS]
        assert list(reader.of("a/v/1")) == [(n, c) for u, n, c in MEMBERS if u == "a/v/1"]
        assert list(reader.of("nobody/v/1")) == []
        assert reader.utterances == ["a/v/1", "b/v/1"]
        assert "a/v/1/0010.jpg" in reader
        assert len(reader) == 3


def test_the_tar_is_a_plain_tar(shard: Path) -> None:
    with tarfile.open(shard) as tar:
        assert tar.getnames() == [name for _, name, _ in MEMBERS]
        member = tar.extractfile("b/v/1/0010.jpg")
        assert member is not None
        assert member.read() == b"y" * 512


def test_equal_content_gives_equal_bytes(shard: Path, tmp_path: Path) -> None:
    again = tmp_path / "again.tar"
    with ShardWriter(again) as writer:
        for member in MEMBERS:
            writer.add(*member)
    assert again.read_bytes() == shard.read_bytes()
    assert index_path(again).read_bytes() == index_path(shard).read_bytes()


def test_a_shard_without_members_can_be_read(tmp_path: Path) -> None:
    with ShardWriter(tmp_path / "empty.tar"):
        pass
    with ShardReader(tmp_path / "empty.tar") as reader:
        assert len(reader) == 0


def test_an_error_while_writing_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError), ShardWriter(tmp_path / "x.tar") as writer:
        writer.add("a/v/1", "a/v/1/0010.jpg", b"x")
        raise RuntimeError
    assert list(tmp_path.iterdir()) == []


def test_a_name_cannot_be_written_twice(tmp_path: Path) -> None:
    with pytest.raises(ShardError, match="written before"), ShardWriter(tmp_path / "x.tar") as writer:
        writer.add("a/v/1", "same", b"x")
        writer.add("a/v/1", "same", b"y")


def test_changed_content_is_found_by_its_checksum(shard: Path) -> None:
    raw = bytearray(shard.read_bytes())
    raw[600] ^= 1
    shard.write_bytes(raw)
    with ShardReader(shard) as reader:
        assert reader.verify()["name"].tolist() == ["a/v/1/0010.jpg"]


def test_a_tar_that_was_cut_off_is_refused(shard: Path) -> None:
    shard.write_bytes(shard.read_bytes()[:1024])
    with pytest.raises(ShardError, match="the index reaches to byte"):
        ShardReader(shard)


def test_an_unknown_member_and_a_missing_index_are_named(shard: Path) -> None:
    with ShardReader(shard) as reader, pytest.raises(ShardError, match="no member c/v/1"):
        reader.read("c/v/1")
    index_path(shard).unlink()
    with pytest.raises(AvsieveError, match="no such table"):
        ShardReader(shard)
