"""Decisions that are noted together, and a log that is read on."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from avsieve.review.entry import ReviewError
from avsieve.review.lines import in_force, read_log
from avsieve.review.log import NothingToUndoError, ReviewLog, Wanted

A, B, C = (f"id1/video/0000{k}" for k in (1, 2, 3))


def words(log: ReviewLog) -> dict[str, str]:
    return {entry.utterance: entry.decision for entry in in_force(log.entries)}


def test_several_are_noted_with_where_they_begin_and_end(tmp_path: Path) -> None:
    log = ReviewLog(tmp_path, "ann", "abc")
    log.append(A, "unsure")
    entries = log.extend([Wanted(A, "right"), Wanted(B, "other_speaker", "id2", spread=True, repeat=True)])
    assert [(entry.number, entry.batch, entry.repeat) for entry in entries] == [(2, (2, 3), False), (3, (2, 3), True)]
    found = [json.loads(line) for line in (tmp_path / "ann.jsonl").read_text().splitlines()]
    assert [line.get("batch") for line in found] == [None, [2, 3], [2, 3]]
    assert [line.get("repeat") for line in found] == [None, None, True]
    assert read_log(tmp_path / "ann.jsonl").entries == log.entries
    assert log.extend([]) == []
    assert log.extend([Wanted(C, "right")])[0].batch is None


def test_one_that_is_no_decision_keeps_all_out(tmp_path: Path) -> None:
    log = ReviewLog(tmp_path, "ann")
    with pytest.raises(ReviewError, match="a new line, 2 of 2: decision 'good'"):
        log.extend([Wanted(A, "right"), Wanted(B, "good")])
    assert not (tmp_path / "ann.jsonl").exists()


@pytest.mark.parametrize("kept", range(1, 4))
def test_of_a_batch_that_was_cut_nothing_counts(tmp_path: Path, kept: int) -> None:
    log = ReviewLog(tmp_path, "ann")
    log.append(A, "wrong_clip")
    log.extend([Wanted(name, "right") for name in (A, B, C)])
    lines = log.path.read_bytes().splitlines(keepends=True)
    log.path.write_bytes(b"".join(lines[:kept]) + lines[kept][:25])
    again = ReviewLog(tmp_path, "ann")
    again.append(B, "unsure")
    assert words(again) == {A: "wrong_clip", B: "unsure"}
    assert again.undo().undoes == kept + 2


def test_what_was_noted_together_is_taken_back_together(tmp_path: Path) -> None:
    log = ReviewLog(tmp_path, "ann")
    log.append(A, "wrong_clip")
    log.extend([Wanted(name, "right") for name in (A, B, C)])
    log.undo(3)
    undos = log.undo_act()
    assert [entry.undoes for entry in undos] == [2, 4]
    assert words(log) == {A: "wrong_clip"}
    log.undo_act(undos[0].number)  # both undos again
    assert words(log) == {A: "right", C: "right"}
    log.undo_act()
    log.undo_act()
    with pytest.raises(NothingToUndoError, match="no decision is in force, so there is nothing to undo"):
        log.undo_act()
    with pytest.raises(NothingToUndoError, match="line 4 is no entry in force"):
        log.undo_act(4)


def test_a_log_is_read_on_without_being_written(tmp_path: Path) -> None:
    writer, reader = ReviewLog(tmp_path, "ann"), ReviewLog(tmp_path, "ann")
    assert reader.read_on() == 0
    assert not writer.path.exists()
    writer.append(A, "right")
    assert (reader.read_on(), reader.read_on()) == (1, 0)
    writer.append(B, "right")
    whole = writer.path.read_bytes()
    writer.path.write_bytes(whole + b'{"utterance": "id1/vi')  # somebody is writing
    assert reader.read_on() == 1
    assert writer.path.read_bytes().endswith(b'"id1/vi')
    assert reader.append(C, "right").number == 4
    assert len(reader.torn()) == 1
    assert words(reader) == dict.fromkeys((A, B, C), "right")


def test_a_log_that_is_cut_or_gone_is_told(tmp_path: Path) -> None:
    log = ReviewLog(tmp_path, "ann")
    log.append(A, "right")
    log.path.write_bytes(log.path.read_bytes()[:-5])
    with pytest.raises(ReviewError, match="is shorter than it was"):
        log.read_on()
    log.path.unlink()
    with pytest.raises(ReviewError, match="is gone; a log is only appended to"):
        log.read_on()


@pytest.mark.parametrize("batch", ["2", [1], [1, 2, 3], [0, 1], [2, 1], [2, 3], [True, True], [1.0, 1.0], {"first": 1}])
def test_a_batch_that_cannot_be_is_told(tmp_path: Path, batch: object) -> None:
    (tmp_path / "ann.jsonl").write_text(json.dumps({"utterance": A, "decision": "right", "batch": batch}) + "\n")
    with pytest.raises(ReviewError, match=r"line 1: batch .*; expected its first and last line, such as \[1, 1\]"):
        read_log(tmp_path / "ann.jsonl")


def test_a_repeat_that_is_no_flag_is_told(tmp_path: Path) -> None:
    (tmp_path / "ann.jsonl").write_text(json.dumps({"utterance": A, "decision": "right", "repeat": 1}) + "\n")
    with pytest.raises(ReviewError, match="repeat 1; expected true or false"):
        read_log(tmp_path / "ann.jsonl")
