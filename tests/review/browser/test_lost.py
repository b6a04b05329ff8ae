"""A server that dies: the page says so, keeps the decision, and goes on by itself."""

from __future__ import annotations

import http.client
import json
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

from avsieve.review.log import ReviewLog
from avsieve.review.server.repeats import due_repeats
from tests.review.browser.conftest import Serve, Visit, free_port
from tests.review.browser.test_queue import decide, said, shown
from tests.review.server.test_start import Running

# What a browser tells of a server that has gone, and of the new one, which has another token.
BROWSERS_OWN = ["net::ERR_", "401 (Unauthorized)"]


def renew(page: Any, server: Running) -> None:
    """Open the new address in another tab, as the page asks."""
    other = page.context.new_page()
    other.goto(f"http://127.0.0.1:{server.port}/?token={server.token}#/progress")
    other.wait_for_selector(".figures")
    other.close()


def answers(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
    try:
        connection.request("GET", "/api/run")
        return connection.getresponse().status == 401
    except OSError:
        return False
    finally:
        connection.close()


def test_a_decision_outlives_a_killed_server(
    visit: Callable[..., Visit], serve: Serve, log: Any, allowed: list[str]
) -> None:
    allowed += BROWSERS_OWN
    port = str(free_port())
    first = serve("--port", port)
    page = visit().open(first)
    before = decide(page, "1")
    here = shown(page)
    first.end(signal.SIGKILL)
    assert not answers(int(port))
    page.keyboard.press("4")
    page.locator(".loud", has_text="NOT SAVED YET. The server does not answer.").wait_for()
    page.keyboard.press("1")  # of no effect: one decision at a time
    assert shown(page) == here
    assert len(log()) == 1
    second = serve("--port", port)
    page.locator(".loud", has_text="Open the address that it printed").wait_for()
    renew(page, second)
    page.wait_for_function("(old) => document.querySelector('.judge .utterance')?.innerText !== old", arg=here)
    assert [(line["utterance"], line["decision"]) for line in log()] == [(before, "right"), (here, "wrong_clip")]
    assert page.locator(".banner.bad").count() == 0
    decide(page, "2")
    decide(page, "3")
    assert [line["decision"] for line in log()] == ["right", "wrong_clip", "wrong_voice", "wrong_face"]
    page.keyboard.press("z")
    said(page, "Taken back: ☹ wrong face")


def test_a_decision_outlives_a_killed_server_and_a_new_address_in_the_same_tab(
    visit: Callable[..., Visit], serve: Serve, log: Any, allowed: list[str]
) -> None:
    allowed += BROWSERS_OWN
    port = str(free_port())
    first = serve("--port", port)
    one = visit()
    page = one.open(first)
    here = shown(page)
    first.end(signal.SIGKILL)
    page.keyboard.press("3")
    page.locator(".loud", has_text="NOT SAVED YET").wait_for()
    one.open(serve("--port", port))
    said(page, f"Saved now, from before: ☹ wrong face of {here}")
    assert [(line["utterance"], line["decision"]) for line in log()] == [(here, "wrong_face")]
    assert shown(page) != here


def test_a_decision_is_not_given_to_another_reviewer(
    visit: Callable[..., Visit], serve: Serve, log: Any, allowed: list[str]
) -> None:
    allowed += BROWSERS_OWN
    port = str(free_port())
    first = serve("--port", port)
    page = visit().open(first)
    here = shown(page)
    first.end(signal.SIGKILL)
    page.keyboard.press("4")
    page.locator(".loud", has_text="NOT SAVED YET").wait_for()
    renew(page, serve("--port", port, reviewer="ben"))
    page.locator(".loud", has_text="NOT SAVED: ✕ wrong clip. The server now takes decisions of ben").wait_for()
    assert shown(page) == here
    assert (log("ann"), log("ben")) == ([], [])


def test_a_repeat_on_show_stays_one_when_the_server_was_killed(
    visit: Callable[..., Visit], serve: Serve, log: Any, allowed: list[str], tmp_path: Path
) -> None:
    allowed += BROWSERS_OWN
    port = str(free_port())
    first = serve("--port", port)
    answer = json.loads(first.ask("GET", "/api/table?limit=60&sort=utterance")[1])
    own = ReviewLog(tmp_path / "reviews", "ann", json.loads(first.ask("GET", "/api/run")[1])["list_sha256"])
    for row in answer["rows"]:
        own.append(row["utterance"], "right")
    (repeat, *_) = due_repeats(own.decisions(), "ann")
    page = visit().open(first, "#/queue/uncertain")
    assert shown(page) == repeat.utterance
    assert page.locator(".stands").count() == 0  # it looks like a first one
    first.end(signal.SIGKILL)
    page.keyboard.press("2")
    page.locator(".loud", has_text="NOT SAVED YET").wait_for()
    renew(page, serve("--port", port))
    page.wait_for_function(
        "(old) => document.querySelector('.judge .utterance').innerText !== old", arg=repeat.utterance
    )
    (line,) = log()[60:]
    assert (line["utterance"], line["decision"], line["repeat"]) == (repeat.utterance, "wrong_voice", True)


def test_an_undo_outlives_a_killed_server_and_comes_before_what_follows(
    visit: Callable[..., Visit], serve: Serve, log: Any, allowed: list[str]
) -> None:
    allowed += BROWSERS_OWN
    port = str(free_port())
    first = serve("--port", port)
    page = visit().open(first)
    one, two = decide(page, "1"), decide(page, "4")
    first.end(signal.SIGKILL)
    page.keyboard.press("z")
    page.locator(".banner.bad", has_text="NOT TAKEN BACK YET. The server does not answer.").wait_for()
    page.keyboard.press("3")
    page.locator(".loud", has_text="The undo before it is not on the server's disk yet").wait_for()
    renew(page, serve("--port", port))
    said(page, f"Taken back: ✕ wrong clip of {two}")
    assert shown(page) == two
    assert decide(page, "3") == two
    found = [(line.get("utterance"), line.get("decision"), line.get("undoes")) for line in log()]
    assert found == [(one, "right", None), (two, "wrong_clip", None), (None, None, 2), (two, "wrong_face", None)]


def test_an_undo_of_a_page_that_was_closed_is_done_by_the_next(
    visit: Callable[..., Visit], serve: Serve, log: Any, allowed: list[str]
) -> None:
    allowed += BROWSERS_OWN
    page = visit().open(serve())
    utterance = decide(page, "4")
    page.route("**/api/undo", lambda route: route.abort())
    page.keyboard.press("z")
    page.locator(".banner.bad", has_text="NOT TAKEN BACK YET").wait_for()
    page.unroute("**/api/undo")
    page.reload()
    said(page, f"Taken back: ✕ wrong clip of {utterance}, from before")
    assert [line.get("undoes") for line in log()] == [None, 1]
    assert shown(page) == utterance


def test_an_undo_whose_answer_was_lost_takes_back_once(
    visit: Callable[..., Visit], serve: Serve, log: Any, allowed: list[str]
) -> None:
    allowed += BROWSERS_OWN
    page = visit().open(serve())
    decide(page, "1")
    two = decide(page, "2")

    def lose(route: Any) -> None:
        route.fetch()
        route.abort()

    page.route("**/api/undo", lose, times=1)
    page.keyboard.press("z")
    said(page, f"Taken back: ♪ wrong voice of {two}")
    assert [line.get("undoes") for line in log()] == [None, None, 2]


def test_an_answer_that_was_lost_is_not_noted_twice(
    visit: Callable[..., Visit], serve: Serve, log: Any, allowed: list[str]
) -> None:
    allowed += BROWSERS_OWN
    page = visit().open(serve())
    here = shown(page)

    def lose(route: Any) -> None:
        route.fetch()
        route.abort()

    page.route("**/api/decide", lose, times=1)
    decide(page, "2")
    assert [(line["utterance"], line["decision"]) for line in log()] == [(here, "wrong_voice")]


def test_a_save_that_is_refused_says_so_and_keeps_the_clip(
    visit: Callable[..., Visit], serve: Serve, log: Any, allowed: list[str]
) -> None:
    allowed.append("500 (Internal Server Error)")
    page = visit().open(serve())
    here = shown(page)
    refusal = {"status": 500, "json": {"error": "the disk is full"}}
    page.route("**/api/decide", lambda route: route.fulfill(**refusal))
    page.keyboard.press("2")
    page.get_by_role("alert").filter(has_text="NOT SAVED: ♪ wrong voice. the disk is full").wait_for()
    assert shown(page) == here
    page.unroute("**/api/decide")
    decide(page, "2")
    assert [line["utterance"] for line in log()] == [here]
