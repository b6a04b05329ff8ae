from __future__ import annotations

import numpy as np
import pytest

from avsieve.errors import ListError
from avsieve.lists.train_list import (
    format_seconds,
    read_clean_list,
    read_train_list,
    utterance_of,
    write_clean_list,
    write_train_list,
)

ALL = "id1 id1/vidA/00001.wav 7.36\nid1 id1/vid.B/00002.wav 5.0\nid2 id2/vidC/00001.wav 11.200\n"


def test_train_list_comes_back_to_the_byte(tmp_path):
    path, again = tmp_path / "train_all.txt", tmp_path / "again.txt"
    path.write_text(ALL)
    frame = read_train_list(path)
    assert frame["utterance"].tolist() == ["id1/vidA/00001", "id1/vid.B/00002", "id2/vidC/00001"]
    assert frame["video"].tolist() == ["id1/vidA", "id1/vid.B", "id2/vidC"]
    write_train_list(again, frame["utterance"], frame["seconds"])
    assert again.read_bytes() == ALL.encode()


def test_clean_list_has_three_decimals_nan_for_missing_and_one_for_clean(tmp_path):
    path = tmp_path / "train_all_clean.txt"
    audio, visual = np.array([0.61249, 0.05, np.nan]), np.array([0.6291, np.nan, np.nan])
    names = ["id1/v/00001", "id1/v/00002", "id2/v/00001"]
    write_clean_list(path, names, ["6.272", "7.36", "nan"], audio, visual, np.array([True, False, False]))
    assert path.read_text().splitlines() == [
        "id1 id1/v/00001.wav 6.272 0.612 0.629 1",
        "id1 id1/v/00002.wav 7.36 0.050 nan 0",
        "id2 id2/v/00001.wav nan nan nan 0",
    ]
    assert path.read_bytes().endswith(b" 0\n")
    frame = read_clean_list(path)
    assert frame["clean"].tolist() == [True, False, False]
    assert np.isnan(frame["visual_similarity"][1])
    assert frame["audio_similarity"][0] == 0.612


@pytest.mark.parametrize(
    ("line", "utterance", "seconds"),
    [
        ("id1 id1/v/1.wav 3.0", "id1/v/1", "3.0"),
        ("id1 id1/v/1.wav.wav 3", "id1/v/1.wav", "3"),
        ("id1 id1/v/1.part2.wav 3.0", "id1/v/1.part2", "3.0"),
        ("id1 id1/v/1.mp4 3.0", "id1/v/1", "3.0"),
        ("id1 ./id1/v/1.WAV 3.0", "id1/v/1", "3.0"),
        ("id1 /data/id1/v/1.wav 3.0", "id1/v/1", "3.0"),
        (" id1\tid1/v/1.wav  nan ", "id1/v/1", "nan"),
        ("id1 id1/v/1.wav 1e3", "id1/v/1", "1e3"),
    ],
)
def test_a_line_is_read_alike_however_it_was_written(tmp_path, line, utterance, seconds):
    path = tmp_path / "train_all.txt"
    path.write_text(line + "\n")
    assert read_train_list(path).iloc[0].tolist() == [utterance, "id1", "id1/v", seconds]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("id1 id1/v/1.wav\n", "line 1: 2 columns"),
        ("id1 id1/v/1.wav 3.0\n\nid1 v/1.wav 3.0\n", "line 3: wav 'v/1.wav'"),
        ("id1 id2/v/1.wav 3.0\n", "line 1: speaker 'id1' but"),
        ("id1 id1/v/1.wav long\n", "line 1: seconds is 'long'"),
        ("id1 id1/v/1.wav 3.0\nid1 id1/v/1.wav 3.0\n", "id1/v/1 is listed 2 times"),
    ],
)
def test_a_bad_train_list_is_refused_with_its_line(tmp_path, text, complaint):
    path = tmp_path / "list.txt"
    path.write_text(text)
    with pytest.raises(ListError) as error:
        read_train_list(path)
    assert complaint in str(error.value)


def test_a_flag_that_is_neither_0_nor_1_is_refused(tmp_path):
    path = tmp_path / "list.txt"
    path.write_text("id1 id1/v/1.wav 3.0 0.5 0.5 2\n")
    with pytest.raises(ListError, match="line 1: flag '2'"):
        read_clean_list(path)


def test_only_a_suffix_of_letters_is_taken_off_a_wav():
    assert utterance_of("id1/v/00001.m4a") == "id1/v/00001"
    assert utterance_of("id1/v/take.2") == "id1/v/take.2"


def test_an_unknown_duration_is_written_as_nan():
    assert format_seconds(7.3599) == "7.360"
    assert format_seconds(float("nan")) == "nan"
