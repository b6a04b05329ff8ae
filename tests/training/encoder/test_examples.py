from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import pytest

from avsieve.errors import ListError
from avsieve.lists.train_list import write_train_list
from avsieve.storage.indexed_tar import TarWriter
from avsieve.training.encoder.examples import Listed


class Notes(Listed):
    ABSENT = "have no note in"
    LACKING = "have no note"


@pytest.fixture
def train_list(tmp_path: Path) -> Path:
    """Three people; the utterances of two shards, and one of none."""
    for shard, speakers in (("0", "ab"), ("1", "c")):
        with TarWriter(tmp_path / f"{shard}.tar") as out:
            for speaker in speakers:
                out.add(f"{speaker}/v/1", f"{speaker}/v/1.txt", speaker.encode())
    utterances = ["c/v/1", "a/v/1", "b/v/1", "b/v/2"]
    write_train_list(tmp_path / "list.txt", utterances, ["1.0"] * 4)
    return tmp_path / "list.txt"


def tars(train_list: Path, names: str) -> list[Path]:
    return [train_list.with_name(f"{name}.tar") for name in names]


def test_speakers_are_ranked_and_utterances_keep_the_order_of_the_list(train_list: Path) -> None:
    notes = Notes(train_list, tars(train_list, "01"))
    assert notes.utterances == ["c/v/1", "a/v/1", "b/v/1"]
    assert np.array_equal(notes.labels, [2, 0, 1])
    assert notes.labels.dtype == np.int64
    assert (len(notes), notes.classes) == (3, 3)


def test_each_utterance_is_read_from_its_shard(train_list: Path) -> None:
    notes = Notes(train_list, tars(train_list, "01"))
    assert [notes.reader(i).read(f"{u}.txt") for i, u in enumerate(notes.utterances)] == [b"c", b"a", b"b"]


def test_a_speaker_without_shard_keeps_the_class(train_list: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        notes = Notes(train_list, tars(train_list, "1"), max_missing=0.75)
    assert notes.labels.tolist() == [2]
    assert "3 of 4 utterances have no note and are left out" in caplog.text


def test_shards_that_lack_too_much_are_refused(train_list: Path) -> None:
    with pytest.raises(ListError, match="3 of 4 utterances have no note in 1 shards; expected at most 50%"):
        Notes(train_list, tars(train_list, "1"))
