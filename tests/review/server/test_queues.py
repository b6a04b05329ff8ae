from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from avsieve.inspection.run_files import find_run
from avsieve.review.entry import Entry
from avsieve.review.plan import NAME, Plan, write_plan
from avsieve.review.plan_command import run_estimate, run_plan
from avsieve.review.server.repeats import LEAST, SPAN, due_repeats
from avsieve.storage import paths as P
from avsieve.storage.provenance import sha256_of
from tests.review.server.conftest import Make, Server, until_a_repeat

MARK = "0" * 12


@pytest.fixture(scope="module")
def plain(many: Path) -> pd.DataFrame:
    return pd.read_parquet(find_run(many).decisions)


@pytest.fixture
def server(make: Make, many: Path) -> Server:
    return make(folder=many)


def drawn(server: Server, name: str, count: int) -> list[str]:
    found: list[str] = []
    after = ""
    while len(found) < count and after is not None:
        page = server.get(f"/api/queue/{name}", limit=7, **({"after": after} if after else {}))
        found += [item["utterance"] for item in page["items"]]
        after = page["next"]
    return found[:count]


def test_queues_are_in_their_orders(server: Server, plain: pd.DataFrame) -> None:
    uncertain = plain.assign(far=(plain["p_wrong"] - 0.5).abs()).sort_values("far", kind="stable")["utterance"]
    assert drawn(server, "uncertain", 480) == uncertain.tolist()
    flagged = plain[plain["decision"] == "noisy"].sort_values("p_wrong", ascending=False, kind="stable")["utterance"]
    assert drawn(server, "flagged", 480) == flagged.tolist()
    lengths = {queue["name"]: queue["length"] for queue in server.get("/api/run")["queues"]}
    assert lengths == {"uncertain": 480, "flagged": len(flagged), "mine": 0}
    assert server.get("/api/queue/flagged", limit=20)["total"] == len(flagged)


def test_one_goes_on_where_one_was(make: Make, many: Path) -> None:
    server = make(folder=many)
    before = server.get("/api/queue/flagged", limit=3)["items"]
    for item in before:
        server.post("/api/decide", {"utterance": item["utterance"], "decision": "wrong_clip", "place": item["place"]})
    again = make(folder=many).get("/api/queue/flagged", limit=2)
    assert again["done"] == 3
    assert not {item["utterance"] for item in before} & {item["utterance"] for item in again["items"]}
    assert server.get("/api/progress", queue="flagged")["left_in_queue"] == again["total"] - 3


def test_a_decision_is_answered_with_the_next_item(server: Server) -> None:
    page = server.get("/api/queue/flagged", limit=2)["items"]
    found = server.post(
        "/api/decide", {"utterance": page[0]["utterance"], "decision": "unsure", "place": page[0]["place"]}
    )
    assert found["next"]["utterance"] == page[1]["utterance"]
    assert found["progress"]["queue"] == "flagged"


def test_what_was_decided_is_shown_newest_first(server: Server, plain: pd.DataFrame) -> None:
    names = plain["utterance"].iloc[[5, 17, 3, 100]].tolist()
    for name in names:
        server.post("/api/decide", {"utterance": name, "decision": "right"})
    assert drawn(server, "mine", 9) == names[::-1]
    page = server.get("/api/queue/mine", limit=2)
    assert [item["decision"] for item in page["items"]] == ["right", "right"]
    server.post("/api/decide", {"utterance": names[0], "decision": "unsure"})
    assert drawn(server, "mine", 9) == [names[0], *names[:0:-1]]
    more = server.get("/api/queue/mine", limit=2, after=page["next"])
    assert [item["utterance"] for item in more["items"]] == [names[1]]


@pytest.mark.parametrize(
    ("name", "given", "status", "told"),
    [
        ("nothing", {}, 404, "queue 'nothing': no such queue; expected one of uncertain, flagged, mine"),
        ("plan", {}, 404, "queue 'plan': no such queue"),
        ("%2e%2e", {}, 404, "queue '..': no such queue"),
        ("flagged", {"limit": "21"}, 400, "limit '21'; expected a whole number from 1 to 20"),
        (
            "flagged",
            {"after": f"uncertain.1.0.0.{MARK}"},
            400,
            "place 'uncertain.1.0.0.000000000000': not one of",
        ),
        ("flagged", {"after": "flagged.1.0"}, 400, "place 'flagged.1.0': not one of queue flagged"),
        (
            "flagged",
            {"after": f"flagged.-1.0.0.{MARK}"},
            400,
            "place 'flagged.-1.0.0.000000000000': not one of",
        ),
        ("flagged", {"after": f"flagged.{'9' * 30}.0.0.{MARK}"}, 400, "place 'flagged.999"),
        (
            "flagged",
            {"after": f"flagged.1.0.0.{MARK}"},
            400,
            "place 'flagged.1.0.0.000000000000': of another",
        ),
        ("flagged", {"before": "x"}, 400, "parameter 'before': not known; expected any of after, limit"),
    ],
)
def test_what_is_no_queue_or_place_is_told(
    server: Server, name: str, given: dict[str, str], status: int, told: str
) -> None:
    assert server.refused(f"/api/queue/{name}", status, **given).startswith(told)


def test_a_place_far_beyond_the_end_has_nothing(server: Server) -> None:
    mark = server.get("/api/queue/flagged", limit=1)["next"].split(".")[4]
    found = server.get("/api/queue/flagged", after=f"flagged.999999999999.0.0.{mark}")
    assert (found["items"], found["next"]) == ([], None)


def test_repeats_are_a_share_and_come_late_and_once() -> None:
    entries = [Entry(k + 1, "ann", utterance=f"id1/v/{k:05d}", decision="right") for k in range(4000)]
    found = due_repeats(entries, "ann")
    assert 0.13 < len(found) / len(entries) < 0.17
    places = {entry.utterance: k for k, entry in enumerate(entries)}
    assert all(repeat.due - places[repeat.utterance] >= LEAST for repeat in found)
    assert len({repeat.due for repeat in found}) == len(found)
    assert sorted(found, key=lambda repeat: repeat.due) == found
    assert max(repeat.due - places[repeat.utterance] for repeat in found) < LEAST + 2 * SPAN
    assert {r.utterance for r in due_repeats(entries, "bob")} != {r.utterance for r in found}
    again = Entry(4001, "ann", utterance=found[0].utterance, decision="right", repeat=True)
    assert due_repeats([*entries, again], "ann") == found[1:]
    together = [Entry(e.number, "ann", utterance=e.utterance, decision="right", batch=(1, 4000)) for e in entries]
    assert due_repeats(together, "ann") == []


def test_pages_that_are_fetched_ahead_have_each_repeat_once(make: Make, many: Path) -> None:
    ahead, one = make(folder=many), make("ann", folder=many)
    items: list[dict[str, str]] = []
    names: list[str] = []
    after = ""
    for count in range(150):
        if len(items) - count < 4:
            page = ahead.get("/api/queue/uncertain", limit=8, after=after)
            items += page["items"]
            after = page["next"]
        item = items[count]
        names.append(item["utterance"])
        one.post("/api/decide", {"utterance": item["utterance"], "decision": "right", "place": item["place"]})
        assert ahead.session.queues.queue_of(item["place"]) == "uncertain"
    twice = {name for name in names if names.count(name) > 1}
    assert 8 <= len(twice) <= 35
    assert all(names.count(name) == 2 for name in twice)
    assert one.get("/api/progress")["agreement"]["self"]["n"] == len(twice)


def test_a_repeat_on_show_is_one_for_a_server_that_was_started_again(make: Make, many: Path) -> None:
    repeat = until_a_repeat(make(folder=many), "uncertain")
    again = make(folder=many)
    assert repeat["decision"] is None
    body = {"utterance": repeat["utterance"], "decision": "unsure", "place": repeat["place"]}
    other = make("bob", folder=many)
    assert "not one that was given to this utterance" in other.refused("/api/decide", 400, body)
    again.post("/api/decide", body)
    assert again.session.reviews.own.log.entries[-1].repeat
    assert again.get("/api/progress")["agreement"]["self"]["n"] == 1
    ahead = again.get("/api/queue/uncertain", after=repeat["place"], limit=20)
    assert repeat["utterance"] not in [item["utterance"] for item in ahead["items"]]


def test_a_place_of_another_cleansing_begins_anew_and_its_repeat_still_counts(
    make: Make, many: Path, tmp_path: Path
) -> None:
    repeat = until_a_repeat(make(folder=many), "uncertain")
    other = tmp_path / "again" / P.RESULTS
    shutil.copytree(many, other)
    path = P.below(other, P.lists.decisions)
    table = pq.read_table(path)
    pq.write_table(table.take(np.arange(len(table))[::-1]), path)  # each clip in another row, and ties in another order
    again = make(folder=other)
    told = again.refused("/api/queue/uncertain", 400, after=repeat["place"])
    assert "of another order of queue uncertain; leave it out to begin anew" in told
    found = again.post(
        "/api/decide", {"utterance": repeat["utterance"], "decision": "unsure", "place": repeat["place"]}
    )
    assert again.session.reviews.own.log.entries[-1].repeat
    assert found["next"] is None


def plan_of(many: Path, folder: Path, names: list[str], digest: str | None = None, third: str = "") -> None:
    digest = sha256_of(find_run(many).decisions) if digest is None else digest
    speakers, videos = [name.split("/")[0] for name in names], [name.rpartition("/")[0] for name in names]
    k = len(names)
    plan = Plan(names, speakers, videos, ["certain"] * k, ["certain"] * k, np.ones(k), [third] * k, k, 1, digest)
    write_plan(folder / NAME, plan)


def test_a_plan_is_a_queue_in_its_order(make: Make, many: Path, tmp_path: Path, plain: pd.DataFrame) -> None:
    names = plain["utterance"].iloc[[30, 2, 400, 7]].tolist()
    plan_of(many, tmp_path / "reviews", names)
    server = make(folder=many)
    facts = server.get("/api/run")
    assert facts["has_plan"]
    assert {"name": "plan", "label": "sampling plan", "length": 4} in facts["queues"]
    assert drawn(server, "plan", 9) == names
    server.post("/api/decide", {"utterance": names[1], "decision": "right"})
    assert drawn(server, "plan", 9) == [names[0], names[2], names[3]]


def test_third_clips_come_behind_the_plan(make: Make, many: Path, tmp_path: Path, plain: pd.DataFrame) -> None:
    video = plain["utterance"].str.rpartition("/")[0]
    name = video.value_counts().loc[lambda count: count >= 3].index[0]
    first, second, third = plain["utterance"][video == name].iloc[:3]
    other = plain["utterance"][video != name].iloc[77]
    plan_of(many, tmp_path / "reviews", [first, other, second], third=third)
    server = make(folder=many)
    assert drawn(server, "plan", 9) == [first, other, second]
    server.post("/api/decide", {"utterance": first, "decision": "wrong_clip"})
    assert drawn(server, "plan", 9) == [other, second]
    server.post("/api/decide", {"utterance": second, "decision": "wrong_clip"})
    assert drawn(server, "plan", 9) == [other, third]
    server.post("/api/undo", {})
    assert drawn(server, "plan", 9) == [other, second]


def test_a_plan_that_is_drawn_while_the_server_runs_is_seen(
    make: Make, many: Path, tmp_path: Path, plain: pd.DataFrame
) -> None:
    server = make(folder=many)
    assert not server.get("/api/run")["has_plan"]
    names = plain["utterance"].iloc[[30, 2]].tolist()
    plan_of(many, tmp_path / "reviews", names)
    assert server.get("/api/run")["has_plan"]
    assert drawn(server, "plan", 9) == names


def test_a_decision_that_was_noted_is_not_answered_with_an_error(
    make: Make, many: Path, tmp_path: Path, plain: pd.DataFrame
) -> None:
    names = plain["utterance"].iloc[[30, 2]].tolist()
    plan_of(many, tmp_path / "reviews", names)
    server = make(folder=many)
    item = server.get("/api/queue/plan")["items"][0]
    (tmp_path / "reviews" / NAME).write_bytes(b"a table that was cut off")
    found = server.post("/api/decide", {"utterance": names[0], "decision": "right", "place": item["place"]})
    assert (found["next"], found["progress"]["mine"]) == (None, 1)
    assert NAME in found["next_error"]


def test_the_page_is_told_what_the_reviewed_plan_says(make: Make, many: Path, tmp_path: Path) -> None:
    reviews = tmp_path / "reviews"
    server = make(folder=many)
    assert server.get("/api/progress")["estimate"] is None
    run_plan(many, 30, reviews=reviews)
    for name in drawn(server, "plan", 9):
        server.post("/api/decide", {"utterance": name, "decision": "right"})
    server.get("/api/progress")
    server.session.estimates.wait(60)
    lines = server.get("/api/progress")["estimate"]
    assert lines == run_estimate(many, reviews=reviews).lines()
    assert "judged              9 of" in lines[0]
    # What cannot be told is said where it would stand.
    plan_of(many, reviews, ["id00001/v1-01_Aa/00001"], "0" * 64)
    server.get("/api/progress")
    server.session.estimates.wait(60)
    assert "drawn from decisions 000000000000" in server.get("/api/progress")["estimate"][0]


def test_a_plan_of_other_decisions_is_refused(make: Make, many: Path, tmp_path: Path) -> None:
    plan_of(many, tmp_path / "reviews", ["id00001/v1-01_Aa/00001"], "0" * 64)
    server = make(folder=many)
    assert "drawn from decisions 000000000000" in server.refused("/api/queue/plan", 409)
    assert server.get("/api/queue/flagged")["items"]
