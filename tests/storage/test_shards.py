from __future__ import annotations

import resource
from pathlib import Path

import numpy as np
import pytest

from avsieve.errors import TarError
from avsieve.storage import shards as module
from avsieve.storage import tar_index
from avsieve.storage.indexed_tar import TarReader, TarWriter, index_path
from avsieve.storage.shards import Shards
from avsieve.storage.tables import read_table, write_table
from avsieve.storage.utterance_keys import key_of, keys_of


def write(path: Path, utterances: list[str], content: bytes = b"x") -> Path:
    with TarWriter(path) as writer:
        for utterance in utterances:
            for name in ("0010", "0020"):
                writer.add(utterance, f"{utterance}/{name}.jpg", content)
    return path


@pytest.fixture
def tars(tmp_path: Path) -> list[Path]:
    """Three shards of 40 utterances, and one of none."""
    names = [[f"id{s}/v{i}/0000{i % 3}" for i in range(40)] for s in range(3)]
    return [write(tmp_path / f"{s}.tar", own) for s, own in enumerate([*names, []])]


def test_each_utterance_is_found_in_its_shard_and_others_in_none(tars: list[Path]) -> None:
    with Shards(tars) as shards:
        for reader in shards.readers:
            for utterance in reader.utterances:
                assert shards.of(utterance) is reader
        names = ["id1/v7/00001", "id9/v/1", "id0/v0/00000", "id0/v0/00000", ""]
        assert shards.hold(names).tolist() == [True, False, True, True, False]
        assert [shards.of(name) is not None for name in names] == [True, False, True, True, False]
        assert shards.hold([]).tolist() == []


def test_the_last_shard_that_has_an_utterance_counts(tmp_path: Path) -> None:
    tars = [write(tmp_path / f"{k}.tar", ["a/v/1"], str(k).encode()) for k in range(3)]
    with Shards(tars) as shards:
        found = shards.of("a/v/1")
        assert found is not None
        assert found.read("a/v/1/0010.jpg") == b"2"


def test_no_shard_at_all_holds_nothing() -> None:
    with Shards([]) as shards:
        assert shards.of("a/v/1") is None
        assert shards.hold(["a/v/1"]).tolist() == [False]


def test_utterances_whose_numbers_begin_alike_are_told_apart(tars: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_half", lambda keys: (keys >> np.uint64(61)).astype(np.uint32))  # 3 bits
    with Shards(tars) as shards:
        for reader in shards.readers:
            assert all(shards.of(utterance) is reader for utterance in reader.utterances)
        assert shards.of("nobody/v/1") is None


def test_two_utterances_of_one_number_are_told_and_never_mixed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tar_index, "keys_of", lambda names: np.zeros(len(list(names)), np.uint64))
    monkeypatch.setattr(tar_index, "key_of", lambda name: np.uint64(0))
    reader = TarReader(write(tmp_path / "x.tar", ["a/v/1", "b/v/1"]))
    with pytest.raises(TarError, match=r"b/v/1/0010\.jpg stands where the index has a member of a/v/1"):
        list(reader.members("a/v/1"))


def test_the_index_of_another_tar_is_told_when_it_is_read(tmp_path: Path) -> None:
    one, other = write(tmp_path / "1.tar", ["a/v/1"]), write(tmp_path / "2.tar", ["b/v/1"])
    index_path(one).write_bytes(index_path(other).read_bytes())
    with TarReader(one) as reader, pytest.raises(TarError, match=r"a/v/1/0010\.jpg stands where .* of b/v/1"):
        next(reader.of("b/v/1"))


def test_an_index_between_the_blocks_of_a_tar_is_refused(tmp_path: Path) -> None:
    tar = write(tmp_path / "1.tar", ["a/v/1", "b/v/1"])
    table = read_table(index_path(tar))
    write_table(index_path(tar), table.assign(offset=table["offset"] + [0, 7, 0, 0]))
    with pytest.raises(TarError, match=r"1\.parquet: members begin between the blocks of 512 bytes"):
        TarReader(tar)


def test_members_of_an_utterance_in_several_places_are_all_found(tmp_path: Path) -> None:
    with TarWriter(tmp_path / "1.tar") as writer:
        for k, utterance in enumerate(("a/v/1", "b/v/1", "a/v/1", "c/v/1", "a/v/1")):
            writer.add(utterance, f"{utterance}/{k:04d}.jpg", str(k).encode())
    with TarReader(tmp_path / "1.tar") as reader:
        assert [content for _, content in reader.of("a/v/1")] == [b"0", b"2", b"4"]
        assert [content for _, content in reader.of("c/v/1")] == [b"3"]
        assert reader.utterances == ["a/v/1", "b/v/1", "c/v/1"]


def test_an_utterance_has_one_number_alone_or_among_others() -> None:
    names = ["id00012/21Uxsk56VDQ/00001", "ü/v/1", ""]
    assert keys_of(names).tolist() == [int(key_of(name)) for name in names]
    assert int(key_of("a/v/1")) == 0xF4A831A550913313  # whatever the machine
    assert keys_of([]).dtype == np.uint64


def test_as_many_files_as_there_are_shards_are_allowed(tars: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    limits: list[tuple[int, int]] = []
    monkeypatch.setattr(resource, "getrlimit", lambda _: (256, 4096))
    monkeypatch.setattr(resource, "setrlimit", lambda _, limit: limits.append(limit))
    with Shards(tars):
        assert limits == [(4 + 512, 4096)]


def test_too_many_shards_for_the_system_are_told(tars: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: Path) -> TarReader:
        raise OSError(24, "Too many open files")

    monkeypatch.setattr(module, "TarReader", full)
    with pytest.raises(TarError, match=r"4 shards, and the system lets .*; raise the limit \(ulimit -n 516\)"):
        Shards(tars)
