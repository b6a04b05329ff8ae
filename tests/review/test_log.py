from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from avsieve.review.entry import Entry, ReviewError
from avsieve.review.lines import in_force, read_log
from avsieve.review.log import ReviewLog

CLIP = "id1/video/00001"

WRITER = """
import sys
from avsieve.review.log import ReviewLog
log = ReviewLog(sys.argv[1], sys.argv[2], "abc")
for i in range(int(sys.argv[3])):
    log.append(f"id1/{sys.argv[4]}/{i:05d}", "right" if i % 2 else "wrong_voice", spread=bool(i % 3))
    print(i, flush=True)
"""


def writer(folder: Path, name: str, count: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", WRITER, str(folder), "ann", str(count), name]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def test_a_decision_is_a_line_with_its_number_time_and_list(tmp_path: Path) -> None:
    log = ReviewLog(tmp_path, "ann", "abc")
    log.append(CLIP, "other_speaker", speaker="id2", spread=True)
    found = json.loads((tmp_path / "ann.jsonl").read_text())
    assert found.pop("time").endswith("Z")
    assert found == {
        "entry": 1, "utterance": CLIP, "decision": "other_speaker", "speaker": "id2", "spread": True,
        "reviewer": "ann", "list_sha256": "abc",
    }  # fmt: skip
    assert [(e.utterance, e.speaker, e.spread) for e in read_log(tmp_path / "ann.jsonl").entries] == [
        (CLIP, "id2", True)
    ]


def test_an_undo_is_a_line_too_and_may_be_undone(tmp_path: Path) -> None:
    log = ReviewLog(tmp_path, "ann")
    for decision in ("right", "wrong_voice", "wrong_face"):
        log.append(CLIP, decision)
    assert [log.undo().undoes for _ in range(3)] == [3, 2, 1]
    assert log.decisions() == []
    with pytest.raises(ReviewError, match="no decision is in force, so there is nothing to undo"):
        log.undo()
    log.undo(5)  # the undoing of line 2
    assert [e.decision for e in log.decisions()] == ["wrong_voice"]
    with pytest.raises(ReviewError, match="line 5 is no entry in force"):
        log.undo(5)
    assert len((tmp_path / "ann.jsonl").read_text().splitlines()) == 7


@pytest.mark.parametrize("seed", range(20))
def test_any_sequence_of_decisions_and_undos_leaves_what_a_stack_would(tmp_path: Path, seed: int) -> None:
    chance, log = random.Random(seed), ReviewLog(tmp_path, "ann")
    stack: list[Entry] = []
    taken: list[tuple[Entry, int, Entry]] = []  # what was taken back, from where, and by what
    for _ in range(25):
        doing = chance.choice(["append", "append", "undo", "redo", "reopen"])
        if doing == "append":
            stack.append(log.append(f"id1/v/{chance.randrange(6)}", chance.choice(["right", "unsure"])))
            taken.clear()
        elif doing == "undo" and stack:
            taken.append((stack[-1], len(stack) - 1, log.undo()))
            stack.pop()
        elif doing == "redo" and taken:
            entry, at, undo = taken.pop()
            log.undo(undo.number)
            stack.insert(at, entry)
        elif doing == "reopen":
            log = ReviewLog(tmp_path, "ann")
        assert log.decisions() == stack


def test_a_torn_line_is_told_closed_by_the_next_one_and_loses_no_other(tmp_path: Path) -> None:
    path = tmp_path / "ann.jsonl"
    log = ReviewLog(tmp_path, "ann")
    log.append(CLIP, "right")
    whole = len(path.read_bytes())
    log.append("id1/video/00002", "wrong_clip")
    content = path.read_bytes()
    for end in range(whole + 1, len(content) - 1, 7):
        path.write_bytes(content[:end])
        found = read_log(path)
        assert [e.decision for e in found.entries] == ["right"]
        assert "ann.jsonl, line 2: cannot be read and counts for nothing" in found.told()[0]
        again = ReviewLog(tmp_path, "ann")
        assert again.append("id1/video/00003", "unsure").number == 3
        assert [e.number for e in again.decisions()] == [1, 3]
        assert again.undo().undoes == 3
        assert len(again.told()) == 1
    path.write_bytes(content[:-1])  # whole but for its end
    assert [e.number for e in read_log(path).entries] == [1, 2]


def test_a_killed_process_loses_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    for kill in (3, 40, 111):
        folder = tmp_path / str(kill)
        with writer(folder, "v", 100_000) as process:
            assert process.stdout is not None
            told = [process.stdout.readline() for _ in range(kill)]
            process.send_signal(signal.SIGKILL)
            told += process.stdout.readlines()  # acknowledged before the signal came
        acknowledged = [int(line) for line in told if line.endswith("\n")]
        found = [e.utterance for e in read_log(folder / "ann.jsonl").entries]
        assert len(acknowledged) >= kill
        assert set(found) >= {f"id1/v/{i:05d}" for i in acknowledged}
        log = ReviewLog(folder, "ann")
        log.append(CLIP, "right")
        assert log.decisions()[-1].utterance == CLIP


def test_two_processes_of_one_reviewer_do_not_tear_or_renumber_each_other(tmp_path: Path) -> None:
    processes = [writer(tmp_path, name, 60) for name in ("a", "b")]
    assert [p.communicate()[0].count("\n") for p in processes] == [60, 60]
    found = read_log(tmp_path / "ann.jsonl")
    assert not found.torn
    assert [e.number for e in found.entries] == list(range(1, 121))
    for name in ("a", "b"):
        own = [e.utterance for e in found.entries if f"/{name}/" in e.utterance]
        assert own == [f"id1/{name}/{i:05d}" for i in range(60)]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (
            {"utterance": CLIP, "decision": "maybe"},
            "line 1: decision 'maybe'; expected one of right, wrong_voice",
        ),
        ({"utterance": "id1", "decision": "right"}, "utterance 'id1'; expected an id"),
        ({"utterance": CLIP, "decision": "other_speaker"}, "other_speaker with no speaker; name who it is"),
        ({"utterance": CLIP, "decision": "other_speaker", "speaker": "id1"}, "its own label"),
        ({"utterance": CLIP, "decision": "right", "speaker": "id2"}, "only other_speaker names one"),
        ({"utterance": CLIP, "decision": "right", "spread": "yes"}, "spread 'yes'; expected true or false"),
        ({"utterance": CLIP, "decision": "right", "time": "2024-05-01"}, "expected ISO 8601 in UTC"),
        ({"utterance": CLIP, "decision": "right", "entry": 7}, "entry 7; expected 1 .lines were removed or added"),
        ({"utterance": CLIP, "decision": "right", "reviewer": "bob"}, "reviewer 'bob'; expected 'ann'"),
        (
            {"utterance": CLIP, "decision": "other_speaker", "speaker": '=HYPERLINK("http://x";"b")'},
            "speaker '=HYPERLINK.*expected a label, of letters",
        ),
        ({"utterance": CLIP, "decision": "right", "list_sha256": "=1+1|x!A1"}, "expected the digest of a list"),
        ({"undoes": 1}, "undoes 1; expected the number of an earlier line"),
        ([1], "expected a JSON object with utterance and decision"),
    ],
)
def test_a_line_of_another_tool_that_cannot_be_is_refused_in_words(tmp_path: Path, values, message: str) -> None:
    (tmp_path / "ann.jsonl").write_text(json.dumps(values) + "\n")
    with pytest.raises(ReviewError, match=message):
        read_log(tmp_path / "ann.jsonl")


def test_a_tool_may_leave_out_what_is_not_needed(tmp_path: Path) -> None:
    (tmp_path / "ann.jsonl").write_text(f'{{"utterance": "{CLIP}", "decision": "right", "note": "blurred"}}\n')
    assert in_force(read_log(tmp_path / "ann.jsonl").entries) == [Entry(1, "ann", None, CLIP, "right")]


def test_names_that_could_be_no_file_and_impossible_decisions_write_nothing(tmp_path: Path) -> None:
    for name in ("../ann", "", "a b", ".ann"):
        with pytest.raises(ReviewError, match="expected letters, digits"):
            ReviewLog(tmp_path, name)
    with pytest.raises(ReviewError, match="decision 'good'"):
        ReviewLog(tmp_path, "ann").append(CLIP, "good")
    assert not list(tmp_path.iterdir())
