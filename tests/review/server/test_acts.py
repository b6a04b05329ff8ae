"""What a page does is noted once, however often it is sent, and not over what another page has done meanwhile."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.review.server.conftest import Make, Server, until_a_repeat
from tests.review.server.test_decisions import A, B, C, lines


def test_a_decision_that_is_sent_again_is_noted_once_by_any_server(make: Make, tmp_path: Path) -> None:
    body = {"utterance": A, "decision": "right", "stands": "", "act": "decision-1"}
    first, second = make(), make()
    entry = first.post("/api/decide", body)["entry"]
    assert first.post("/api/decide", body)["entry"] == second.post("/api/decide", body)["entry"] == entry
    second.post("/api/decide", {"utterance": B, "decision": "unsure"})
    assert make().post("/api/decide", body)["entry"] == entry
    assert [line["utterance"] for line in lines(tmp_path)] == [A, B]
    assert first.post("/api/decide", {**body, "stands": "right", "act": "decision-2"})["entry"] == 3


def test_an_undo_that_is_sent_again_takes_back_once(make: Make, tmp_path: Path) -> None:
    server = make()
    for name in (A, B):
        server.post("/api/decide", {"utterance": name, "decision": "right"})
    found = server.post("/api/undo", {"act": "undo-of-b"})
    again = make().post("/api/undo", {"act": "undo-of-b"})
    assert (again["undone"], again["entry"]) == (found["undone"], found["entry"])
    assert [line.get("undoes") for line in lines(tmp_path)] == [None, None, 2]
    server.post("/api/undo", {"act": "undo-of-a"})
    assert "there is nothing to undo" in server.refused("/api/undo", 409, {"act": "undo-of-more"})
    assert server.post("/api/undo", {"act": "undo-of-b"})["undone"]["utterance"] == B


def test_several_that_are_sent_again_are_noted_once(make: Make, tmp_path: Path) -> None:
    body = {"decisions": [{"utterance": name, "decision": "right"} for name in (A, B, C)], "act": "a-sheet-1"}
    assert make().post("/api/decide_many", body)["entries"] == make().post("/api/decide_many", body)["entries"]
    assert len(lines(tmp_path)) == 3
    undo = {"act": "undo-of-it"}
    assert make().post("/api/undo", undo)["all"] == make().post("/api/undo", undo)["all"]
    assert len(lines(tmp_path)) == 6
    # What a kill has cut was not noted: the same act is noted now.
    path = tmp_path / "reviews" / "ann.jsonl"
    path.write_bytes(path.read_bytes()[:-20])
    assert make().get("/api/progress")["mine"] == 3
    assert len(make().post("/api/undo", undo)["all"]) == 3
    assert make().get("/api/progress")["mine"] == 0


def test_an_undo_that_comes_late_leaves_what_was_decided_meanwhile(server: Server) -> None:
    first = server.post("/api/decide", {"utterance": A, "decision": "right"})["entry"]
    server.post("/api/decide", {"utterance": B, "decision": "right"})
    assert server.post("/api/undo", {"upto": first})["undone"]["utterance"] == A
    assert "nothing to undo" in server.refused("/api/undo", 409, {"upto": first})
    assert "nothing to undo" in server.refused("/api/undo", 409, {"upto": 0})
    assert server.get("/api/run")["newest"] == 3
    assert server.post("/api/undo", {"upto": 3, "queue": "uncertain"})["progress"]["queue"] == "uncertain"


def test_a_decision_over_what_another_page_has_decided_is_refused(server: Server, tmp_path: Path) -> None:
    body = {"utterance": A, "decision": "wrong_clip", "stands": ""}
    server.post("/api/decide", {"utterance": A, "decision": "right"})
    told = server.refused("/api/decide", 409, body)
    assert told.startswith(
        f"{A}: decided right meanwhile, in another tab or window (this page showed it as not decided)"
    )
    many = {"decisions": [{"utterance": B, "decision": "right", "stands": ""}, body]}
    assert server.refused("/api/decide_many", 409, many).endswith("none was noted")
    assert [line["utterance"] for line in lines(tmp_path)] == [A]
    server.post("/api/decide", {**body, "stands": "right"})
    server.post("/api/undo", {})
    server.post("/api/undo", {})
    told = server.refused("/api/decide", 409, {**body, "stands": "right"})
    assert told.startswith(f"{A}: not decided meanwhile")
    assert server.post("/api/decide", body)["entry"] == 5


def test_a_repeat_that_another_page_has_answered_is_not_answered_again(make: Make, many: Path) -> None:
    server = make(folder=many)
    repeat = until_a_repeat(server, "uncertain")
    body = {"utterance": repeat["utterance"], "decision": "unsure", "place": repeat["place"], "stands": ""}
    server.post("/api/decide", body)
    assert "decided unsure meanwhile" in server.refused("/api/decide", 409, body)
    assert server.get("/api/progress")["agreement"]["self"]["n"] == 1


def test_a_repeat_that_was_taken_back_stays_a_hidden_repeat(make: Make, many: Path) -> None:
    server = make(folder=many)
    repeat = until_a_repeat(server, "uncertain")
    name = repeat["utterance"]
    server.post("/api/decide", {"utterance": name, "decision": "unsure", "place": repeat["place"], "stands": ""})
    found = server.post("/api/undo", {})
    assert (found["undone"]["utterance"], found["now"]) == (name, None)
    again = make(folder=many)
    again.post("/api/decide", {"utterance": name, "decision": "unsure", "place": found["place"], "stands": ""})
    assert again.session.reviews.own.log.entries[-1].repeat
    server.post("/api/decide", {"utterance": name, "decision": "right", "stands": "unsure"})
    assert server.post("/api/undo", {})["now"] == "unsure"


@pytest.mark.parametrize(
    ("path", "body", "told"),
    [
        ("decide", {"utterance": A, "decision": "right", "act": "short"}, "act 'short'; expected 8 to 64 letters"),
        ("decide", {"utterance": A, "decision": "right", "act": 5}, "act 5; expected text"),
        ("decide", {"utterance": A, "decision": "right", "stands": 5}, "stands 5; expected text"),
        (
            "decide_many",
            {"decisions": [{"utterance": A, "decision": "right", "act": "x" * 9}]},
            "decision 1 of 1: key 'act'",
        ),
        ("undo", {"act": "../../../x"}, "act '../../../x'; expected 8 to 64 letters"),
        ("undo", {"upto": -1}, "upto -1; expected the number of a line of the log, 0 or more"),
        ("undo", {"queue": "nothing"}, "queue 'nothing'; expected one of uncertain, flagged"),
        ("undo", [], "the body is []; expected a JSON object"),
    ],
)
def test_what_is_no_act_is_refused(server: Server, tmp_path: Path, path: str, body: object, told: str) -> None:
    server.post("/api/decide", {"utterance": C, "decision": "right"})
    assert server.refused(f"/api/{path}", 400, body).startswith(told)
    assert len(lines(tmp_path)) == 1


def test_an_id_of_an_act_is_for_one_act(server: Server) -> None:
    server.post("/api/decide", {"utterance": A, "decision": "right", "act": "the-same-id"})
    assert "was a decision; expected an id of its own" in server.refused("/api/undo", 400, {"act": "the-same-id"})
    server.post("/api/undo", {"act": "another-id"})
    body = {"utterance": A, "decision": "right", "act": "another-id"}
    assert "was an undo; expected an id of its own" in server.refused("/api/decide", 400, body)
