from __future__ import annotations

import json
import os
import threading
from pathlib import Path
from typing import Any

import pytest

from avsieve.review.fold import fold
from avsieve.review.log import ReviewLog
from tests.review.server.conftest import Make, Server

A, B, C = (f"id00001/v1-01_Aa/0000{k}" for k in (1, 2, 3))


def lines(folder: Path, reviewer: str = "ann") -> list[dict[str, Any]]:
    path = folder / "reviews" / f"{reviewer}.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def test_a_decision_is_a_line_before_it_is_answered(server: Server, tmp_path: Path) -> None:
    found = server.post(
        "/api/decide", {"utterance": A, "decision": "other_speaker", "speaker": "id00003", "spread": True}
    )
    line = lines(tmp_path)[0]
    assert (found["entry"], found["decision"], found["next"]) == (1, "other_speaker", None)
    assert (line["utterance"], line["speaker"], line["spread"], line["reviewer"]) == (A, "id00003", True, "ann")
    assert line["list_sha256"] == server.get("/api/run")["list_sha256"] != ""
    assert "repeat" not in line
    assert found["progress"]["by_decision"]["other_speaker"] == 1


@pytest.mark.parametrize(
    ("body", "status", "told"),
    [
        ({}, 400, "utterance None; expected text"),
        ({"utterance": 5, "decision": "right"}, 400, "utterance 5; expected text"),
        ({"utterance": A}, 400, "decision None; expected text"),
        ({"utterance": A, "decision": "right", "spread": "yes"}, 400, "spread 'yes'; expected true or false"),
        ({"utterance": A, "decision": "right", "note": "x"}, 400, "key 'note': not known; expected any of utterance"),
        ({"utterance": "x" * 601, "decision": "right"}, 400, "utterance: 601 characters; expected 600 at most"),
        ({"utterance": A, "decision": "right", "place": "x"}, 400, "place 'x': not one of queue any"),
        (
            {"utterance": A, "decision": "right", "place": "flagged.1.0.0.000000000000"},
            400,
            "place 'flagged.1.0.0.000000000000': not one that was",
        ),
        ({"utterance": "../../x", "decision": "right"}, 404, "utterance '../../x': not one of this run's"),
        ({"utterance": "id1/v/9", "decision": "right"}, 404, "utterance 'id1/v/9': not one of this run's"),
        ({"utterance": A, "decision": "good"}, 422, "decision: decision 'good'; expected one of right, wrong_voice"),
        ({"utterance": A, "decision": "other_speaker"}, 422, "decision: other_speaker with no speaker; name who it is"),
        ({"utterance": A, "decision": "right", "speaker": "id00002"}, 422, "decision: decision 'right' with speaker"),
        (
            {"utterance": A, "decision": "other_speaker", "speaker": "id00001"},
            422,
            "decision: other_speaker with speaker",
        ),
        ({"utterance": A, "decision": "other_speaker", "speaker": "../x"}, 422, "speaker '../x'; expected a label"),
        ({"utterance": A, "decision": "other_speaker", "speaker": "a\nb"}, 422, "speaker 'a\\nb'; expected a label"),
        ({"utterance": A, "decision": "other_speaker", "speaker": "x" * 252}, 422, "speaker 'xxx"),
    ],
)
def test_what_is_no_decision_is_refused_and_not_noted(
    server: Server, tmp_path: Path, body: dict[str, Any], status: int, told: str
) -> None:
    assert server.refused("/api/decide", status, body).startswith(told)
    assert lines(tmp_path) == []


def test_several_decisions_are_noted_all_or_none(server: Server, tmp_path: Path) -> None:
    right = [{"utterance": name, "decision": "right"} for name in (A, B, C)]
    for bad in (
        {"utterance": "id1/v/9", "decision": "right"},
        {"utterance": A, "decision": "good"},
        {"utterance": A, "decision": "right"},
        "x",
    ):
        found = server.client.post("/api/decide_many", json={"decisions": [*right, bad]})
        assert found.status_code in (400, 404, 422)
        assert found.json()["error"].endswith("none was noted")
    assert lines(tmp_path) == []
    assert server.post("/api/decide_many", {"decisions": right})["entries"] == [1, 2, 3]
    assert [line["batch"] for line in lines(tmp_path)] == [[1, 3]] * 3
    assert {row.utterance for row in fold(tmp_path / "reviews").rows} == {A, B, C}
    for wrong in ([], [right[0]] * 1001, "x", None):
        assert "expected a list of 1 to 1,000" in server.refused("/api/decide_many", 400, {"decisions": wrong})


def test_of_several_that_a_kill_has_cut_none_counts(make: Make, tmp_path: Path) -> None:
    server = make()
    server.post("/api/decide", {"utterance": A, "decision": "wrong_clip"})
    server.post("/api/decide_many", {"decisions": [{"utterance": name, "decision": "right"} for name in (A, B, C)]})
    path = tmp_path / "reviews" / "ann.jsonl"
    path.write_bytes(path.read_bytes()[:-20])
    again = make()
    assert again.get("/api/progress")["by_decision"]["wrong_clip"] == 1 == again.get("/api/progress")["mine"]
    again.post("/api/decide", {"utterance": B, "decision": "unsure"})
    rows = {row.utterance: row.decision for row in fold(tmp_path / "reviews").rows}
    assert rows == {A: "wrong_clip", B: "unsure"}
    assert any("cannot be read and counts for nothing" in line for line in make().get("/api/run")["warnings"])


def test_several_decisions_wait_for_the_disk_once(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    server.post("/api/decide", {"utterance": A, "decision": "right"})
    waits, real = [], os.fsync
    monkeypatch.setattr(os, "fsync", lambda handle: (waits.append(handle), real(handle)))
    server.post("/api/decide_many", {"decisions": [{"utterance": name, "decision": "right"} for name in (A, B, C)]})
    assert len(waits) == 1


def test_a_disk_that_fails_is_told(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    server.post("/api/decide", {"utterance": A, "decision": "right"})

    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    assert "No space left on device" in server.refused("/api/decide", 500, {"utterance": B, "decision": "right"})


def test_undo_goes_to_any_depth_and_over_restarts(make: Make, tmp_path: Path) -> None:
    first = make()
    for name, decision in ((A, "right"), (B, "unsure"), (A, "wrong_face")):
        first.post("/api/decide", {"utterance": name, "decision": decision})
    found = first.post("/api/undo", {})
    assert found["undone"] == {"entry": 3, "utterance": A, "decision": "wrong_face"}
    assert (found["entry"], found["now"], found["progress"]["mine"]) == (4, "right", 2)
    again = make()
    assert again.post("/api/undo", {})["undone"]["utterance"] == B
    assert again.post("/api/undo", {})["undone"] == {"entry": 1, "utterance": A, "decision": "right"}
    told = again.refused("/api/undo", 409, {})
    assert told == f"{tmp_path / 'reviews' / 'ann.jsonl'}: no decision is in force, so there is nothing to undo"
    # The undo of an undo, by its entry.
    back = again.post("/api/undo", {"entry": 6})
    assert (back["undone"], back["now"]) == ({"entry": 6, "utterance": A, "decision": "right"}, "right")
    assert make().get(f"/api/item/{A}")["decision"] == "right"
    assert "line 6 is no entry in force" in again.refused("/api/undo", 409, {"entry": 6})
    assert "line 99 is no entry in force" in again.refused("/api/undo", 409, {"entry": 99})
    for wrong in ("1", 0, -1, True, 1.5, [1]):
        assert "expected the number of a line" in again.refused("/api/undo", 400, {"entry": wrong})


def test_what_was_decided_at_once_is_undone_at_once(make: Make) -> None:
    server = make()
    server.post("/api/decide", {"utterance": A, "decision": "wrong_clip"})
    server.post("/api/decide_many", {"decisions": [{"utterance": name, "decision": "right"} for name in (A, B, C)]})
    found = server.post("/api/undo", {})
    assert [one["utterance"] for one in found["all"]] == [A, B, C]
    assert found["progress"]["by_decision"] | {"wrong_clip": 0} == dict.fromkeys(found["progress"]["by_decision"], 0)
    assert make().get(f"/api/item/{A}")["decision"] == "wrong_clip"
    back = server.post("/api/undo", {"entry": found["entry"]})
    assert back["progress"]["mine"] == 3
    assert make().get("/api/progress")["by_decision"]["right"] == 3
    # A line of it alone, by its number.
    assert server.post("/api/undo", {"entry": 3})["undone"]["utterance"] == B
    assert server.get("/api/progress")["mine"] == 2


def test_two_servers_of_one_reviewer_see_each_other(make: Make, tmp_path: Path) -> None:
    one, two = make(), make()
    one.post("/api/decide", {"utterance": A, "decision": "right"})
    assert two.get(f"/api/item/{A}")["decision"] == "right"
    two.post("/api/decide", {"utterance": B, "decision": "unsure"})
    assert one.post("/api/undo", {})["undone"]["utterance"] == B
    assert two.get("/api/progress")["mine"] == 1
    assert [line["entry"] for line in lines(tmp_path)] == [1, 2, 3]


def test_two_reviewers_decide_at_once_and_nothing_is_lost(make: Make, tmp_path: Path) -> None:
    servers = [make("ann"), make("ann"), make("bob")]
    names = [row["utterance"] for row in servers[0].get("/api/table", limit=60, sort="utterance")["rows"]]

    def work(server: Server, part: list[str]) -> None:
        for name in part:
            server.post("/api/decide", {"utterance": name, "decision": "right"})

    parts = [names[:30], names[30:], names]
    threads = [threading.Thread(target=work, args=pair) for pair in zip(servers, parts, strict=True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for who in ("ann", "bob"):
        found = lines(tmp_path, who)
        assert [line["entry"] for line in found] == list(range(1, 61))
        assert {line["utterance"] for line in found} == set(names)
    progress = servers[0].get("/api/progress")
    assert (progress["decided"], progress["mine"]) == (60, 60)
    assert (progress["agreement"]["others"]["n"], progress["agreement"]["others"]["agree"]) == (60, 60)


def test_decisions_of_another_run_or_list_are_told_and_kept(make: Make, tmp_path: Path) -> None:
    other = ReviewLog(tmp_path / "reviews", "ann", "f" * 64)
    other.append("id9/elsewhere/00001", "right")
    other.append(A, "wrong_voice")
    server = make()
    first, second = server.get("/api/run")["warnings"]
    assert "1 of 2 decisions are about utterances that this run does not have, such as id9/elsewhere/00001" in first
    assert "2 of 2 decisions by ann were made on another list (ffffffffffff; this is " in second
    assert server.get("/api/table", reviewed="mine")["total"] == 1
    assert [item["utterance"] for item in server.get("/api/queue/mine")["items"]] == [A]
    assert server.get("/api/progress")["agreement"]["machine"]["n"] == 1
    server.post("/api/undo", {})
    assert server.post("/api/undo", {})["undone"]["utterance"] == "id9/elsewhere/00001"


def test_a_log_with_a_line_that_is_no_decision_is_told(make: Make, tmp_path: Path) -> None:
    server = make()
    (tmp_path / "reviews").mkdir()
    (tmp_path / "reviews" / "bob.jsonl").write_text('{"utterance": "a/b/c", "decision": "good"}\n')
    assert "bob.jsonl, line 1: decision 'good'" in server.refused("/api/progress", 500)


def test_the_logs_are_folded_when_asked(server: Server, tmp_path: Path) -> None:
    assert server.post("/api/fold", {})["path"] is None
    server.post("/api/decide", {"utterance": A, "decision": "right"})
    found = server.post("/api/fold", {})
    assert (found["path"], found["utterances"]) == (str(tmp_path / "reviews" / "review.csv"), 1)
    assert A in (tmp_path / "reviews" / "review.csv").read_text()
