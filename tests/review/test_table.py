from __future__ import annotations

from pathlib import Path

import pytest

from avsieve.review.entry import ReviewError
from avsieve.review.table import Reviewed, read_review, write_review


def test_a_table_of_two_columns_is_enough(tmp_path: Path) -> None:
    path = tmp_path / "review.csv"
    path.write_text("decision,utterance,note\nwrong_face,id1/v/1,?\nunsure,id1/v/2,\n")
    assert read_review(path) == [
        Reviewed("id1/v/1", "wrong_face", "right", "wrong"),
        Reviewed("id1/v/2", "unsure", "unsure", "unsure"),
    ]


def test_what_is_written_is_read_again_in_the_order_of_the_ids(tmp_path: Path) -> None:
    rows = [
        Reviewed("id2/v/1", "wrong_voice", "wrong", "unsure", "", True, 3, "ann bob", True, "tie", "T", "abc"),
        Reviewed("id1/v/1", "other_speaker", "wrong", "wrong", "id2"),
    ]
    write_review(tmp_path / "review.csv", rows)
    assert read_review(tmp_path / "review.csv") == rows[::-1]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "columns nothing; expected utterance and decision"),
        ("utterance,why\nid1/v/1,x\n", "columns utterance, why; expected utterance and decision"),
        ("utterance,decision\nid1/v/1,good\n", "1 of 1 rows cannot be read: line 2: decision 'good'; expected one of"),
        ("utterance,decision\nid1/v/1,\n", "id1/v/1 has no decision"),
        ("utterance,decision\nid1/v/1,right\nid1/v/1,right\n", "line 3: id1/v/1 stands in an earlier line too"),
        ("utterance,decision\nid1,right\n", "utterance 'id1'; expected an id"),
        ("utterance,decision\nid1/v/1\n", "1 values; expected 2"),
        ("utterance,decision,spread\nid1/v/1,right,often\n", "spread 'often'; expected yes or no"),
        ("utterance,decision,speaker\nid1/v/1,right,id2\n", "speaker 'id2' and nothing is wrong"),
        ("utterance,decision,speaker\nid1/v/1,wrong_clip,id1\n", "its own label"),
        ("utterance,decision\nid1/v/1,other_speaker\n", "other_speaker without a speaker"),
        ("utterance,audio,visual\nid1/v/1,bad,right\n", "audio 'bad'; expected one of right, wrong, unsure"),
    ],
)
def test_what_cannot_be_is_refused_with_its_line(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "review.csv"
    path.write_text(text)
    with pytest.raises(ReviewError, match=message):
        read_review(path)


def test_many_wrong_rows_are_counted_and_three_are_shown(tmp_path: Path) -> None:
    path = tmp_path / "review.csv"
    path.write_text("utterance,decision\n" + "".join(f"id1/v/{i},good\n" for i in range(9)) + "id1/v/9,right\n")
    with pytest.raises(ReviewError, match=r"9 of 10 rows cannot be read: line 2: .* \(and 6 more\)"):
        read_review(path)
