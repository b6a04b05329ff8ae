from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from avsieve.errors import ListError
from avsieve.inspection import list_facts as module
from avsieve.inspection.list_facts import list_facts, read_listed
from avsieve.lists.train_list import read_clean_list


def test_a_cleansed_list_is_read_in_columns_as_line_by_line(made: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = made / "results" / "lists" / "train_all_clean.txt"
    fast = read_listed(path)
    monkeypatch.setattr(module, "_in_columns", lambda *_: None)
    slow, frame = read_listed(path), read_clean_list(path)
    for found in (fast, slow):
        assert found.utterance.to_pylist() == frame["utterance"].tolist()
        assert np.array_equal(found.clean, frame["clean"])
        np.testing.assert_allclose(found.similarities["audio_similarity"], frame["audio_similarity"])
        assert found.seconds.tolist() == [2.5] * len(frame)


def test_counts_of_a_cleansed_list_are_those_of_its_lines(made: Path, table: pd.DataFrame) -> None:
    found = list_facts(made / "results" / "lists" / "train_all_clean.txt", top=3)
    clean = int((table["decision"] == "clean").sum())
    assert (found.flag_1, found.flag_0) == (clean, len(table) - clean)
    assert found.hours == round(len(table) * 2.5 / 3600, 3)
    assert len(found.most_flag_0) == 3
    assert found.as_json()["of"] == "list"
    json.dumps(found.as_json(), allow_nan=False)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("a a/v/1.wav nan\nb b/v/1.wav 2\n", 1), ("a a/v/1.wav\nb b/v/1.wav\n", 2), ("a/v/1.wav\nb/v/1.wav\n", 2)],
)
def test_lengths_that_are_not_known_are_counted(tmp_path: Path, text: str, seconds: int) -> None:
    (tmp_path / "list.txt").write_text(text)
    found = list_facts(tmp_path / "list.txt")
    assert (found.utterances, found.lengths_unknown, found.flag_0) == (2, seconds, None)
    assert found.single_utterance_speakers == 2
    assert found.hours == (None if seconds == 2 else 0.001)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a a/v/1.wav 1\na b/v/1.wav 1\n", r"line 2: speaker 'a' but the wav 'b/v/1.wav' lies in 'b'"),
        ("a a/v/1.wav 1\na a/v/1.wav 1\n", r"utterance a/v/1 is listed 2 times"),
        ("a a/v/1.wav 1\na a/v/2.wav x\n", r"line 2: seconds is 'x'; expected a number"),
        ("a a/v/1.wav 1 0.1 0.2 1\na a/v/2.wav 1 0.1 0.2 2\n", r"line 2: flag '2'; expected 1 \(clean\) or 0"),
        ("a a/v/1.wav 1\na a/v/2.wav\n", r"line 2: 2 columns"),
    ],
)
def test_a_bad_line_is_told_as_by_every_reader_of_lists(tmp_path: Path, text: str, told: str) -> None:
    (tmp_path / "list.txt").write_text(text)
    with pytest.raises(ListError, match=told):
        list_facts(tmp_path / "list.txt")
