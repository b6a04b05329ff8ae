"""Two tabs of one reviewer: neither shows nor notes what the other has decided."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.review.browser.conftest import Open, Serve, Visit
from tests.review.browser.test_queue import decide, said, shown
from tests.review.browser.test_views import CLIP

CONFLICT = "409 (Conflict)"


@pytest.fixture
def tab(opened: Open) -> Callable[..., Any]:
    """Return what opens another tab of a page's browser."""

    def beside(page: Any, route: str = "", awaited: str = ".judge") -> Any:
        other = page.context.new_page()
        other.set_default_timeout(10_000)
        other.goto(page.url.partition("#")[0] + route)
        other.wait_for_selector(awaited)
        return other

    return beside


def wait_for(page: Any, utterance: str) -> None:
    page.wait_for_function("(it) => document.querySelector('.judge .utterance')?.innerText === it", arg=utterance)


def test_what_one_tab_decides_the_other_shows_no_more(opened: Open, tab: Callable[..., Any], log: Any) -> None:
    one = opened()
    two = tab(one)
    names = [decide(one, "1")]
    wait_for(two, shown(one))
    said(two, f"Decided in another tab: ✓ right of {names[0]}")
    names.append(decide(two, "4"))
    wait_for(one, shown(two))
    names.append(decide(one, "j"))  # passed over in one alone
    names.append(decide(one, "2"))
    names.append(decide(two, "3"))
    assert names[2] == names[4]
    wait_for(two, shown(one))
    assert [line["utterance"] for line in log()] == [names[0], names[1], names[3], names[4]]
    assert one.locator("header .tally").inner_text() == two.locator("header .tally").inner_text() == "4 decisions"
    while one.locator(".judge").count():
        name = shown(one)
        one.keyboard.press("1")
        one.wait_for_function("(old) => document.querySelector('.judge .utterance')?.innerText !== old", arg=name)
    two.get_by_text("The end of this queue.").wait_for()
    decided = [line["utterance"] for line in log()]
    assert len(decided) == len(set(decided)) == 10


def test_what_one_tab_takes_back_the_other_shows_as_undecided(opened: Open, tab: Callable[..., Any], log: Any) -> None:
    one = opened()
    two = tab(one)
    name = decide(one, "1")
    wait_for(two, shown(one))
    two.keyboard.press("z")
    said(two, f"Taken back: ✓ right of {name}")
    one.keyboard.press("k")
    wait_for(one, name)
    assert one.locator(".stands").count() == 0
    decide(one, "2")
    assert [line.get("decision") for line in log()] == ["right", None, "wrong_voice"]


def test_two_browsers_do_not_decide_about_a_clip_twice(
    visit: Callable[..., Visit], serve: Serve, log: Any, allowed: list[str]
) -> None:
    allowed.append(CONFLICT)
    server = serve()
    one, two = visit().open(server), visit().open(server)  # they share nothing but the server
    name = decide(one, "1")
    assert shown(two) == name
    two.keyboard.press("4")
    two.locator(".loud", has_text=f"NOT SAVED: ✕ wrong clip. {name}: decided right meanwhile").wait_for()
    two.locator(".stands", has_text="right").wait_for()
    assert len(log()) == 1
    decide(two, "4")  # whoever has read that may change it
    assert [(line["utterance"], line["decision"]) for line in log()] == [(name, "right"), (name, "wrong_clip")]
    two.keyboard.press("z")
    said(two, f"Taken back: ✕ wrong clip of {name}")
    two.locator(".stands", has_text="right").wait_for()


def test_an_undo_leaves_what_another_browser_has_decided_since(
    visit: Callable[..., Visit], serve: Serve, log: Any
) -> None:
    server = serve()
    one, two = visit().open(server), visit().open(server, f"#/item/{CLIP}")
    name = decide(one, "1")
    two.keyboard.press("2")
    said(two, "Saved")
    one.keyboard.press("z")
    said(one, f"Taken back: ✓ right of {name}")
    assert [line.get("undoes") for line in log()] == [None, None, 1]


def test_a_sheet_does_not_take_as_right_what_was_found_wrong_meanwhile(
    visit: Callable[..., Visit], serve: Serve, log: Any, allowed: list[str], tab: Callable[..., Any]
) -> None:
    allowed.append(CONFLICT)
    server = serve()
    sheet = visit().open(server, "#/sheet/id00001/v1-01_Aa", ".tile")
    other = visit().open(server, f"#/item/{CLIP}")
    other.keyboard.press("4")
    said(other, "Saved")
    sheet.keyboard.press("Enter")
    sheet.locator(".loud", has_text="NOT SAVED, nothing of this sheet.").wait_for()
    sheet.locator(".tile.wrong_clip").wait_for()
    assert len(log()) == 1
    beside = tab(sheet, "#/item/id00001/v1-01_Aa/00002")
    beside.keyboard.press("3")
    sheet.locator(".tile.wrong_face").wait_for()  # a tab of the same browser is told at once
    sheet.keyboard.press("Enter")
    said(sheet, "Saved: 0 ✕ wrong clip, 1 right")
    assert [line["decision"] for line in log()] == ["wrong_clip", "wrong_face", "right"]


def test_the_table_shows_what_was_decided_in_the_tab_of_a_clip(opened: Open, tab: Callable[..., Any]) -> None:
    table = opened(route="#/table?q=v1-01_Aa", awaited="[role=cell].c-utterance a")
    clip = tab(table, f"#/item/{CLIP}")
    clip.keyboard.press("2")
    table.wait_for_selector("[role=cell].c-decision:has-text('wrong voice')")
    table.keyboard.press("z")
    said(table, f"Taken back: ♪ wrong voice of {CLIP}")
    clip.locator(".stands").wait_for(state="detached")
