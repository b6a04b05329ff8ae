"""One clip after the other, in a browser."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.review.browser.conftest import Open, Serve


def shown(page: Any) -> str:
    """Return the utterance on show."""
    return str(page.locator(".judge .utterance").inner_text())


def decide(page: Any, key: str, before: str | None = None) -> str:
    """Press a key of a decision, wait for the next clip, and return the utterance that was decided."""
    utterance = before or shown(page)
    page.keyboard.press(key)
    page.wait_for_function("(old) => document.querySelector('.judge .utterance')?.innerText !== old", arg=utterance)
    return utterance


def said(page: Any, text: str) -> None:
    """Wait until the page says something."""
    page.locator(".said", has_text=text).wait_for()


def test_the_first_clip_is_seen_and_heard_after_one_click(opened: Open) -> None:
    page = opened()
    assert page.locator(".clip .faces img").count() == 8
    assert page.locator(".references li").count() == 3
    button = page.get_by_role("button", name="Turn the sound on")
    button.wait_for()
    assert page.evaluate("window.played") == []
    button.click()
    page.wait_for_function("() => window.played.length > 0")
    assert button.count() == 0
    page.locator(".clip .play.on").wait_for()
    wide = page.evaluate("() => [...document.querySelectorAll('.clip img')].map((image) => image.naturalWidth)")
    assert wide == [112] * 8


def test_the_next_voice_plays_by_itself_once_the_page_may_sound(opened: Open) -> None:
    page = opened()
    page.get_by_role("button", name="Turn the sound on").click()
    page.wait_for_function("() => window.played.length === 1")
    decide(page, "1")
    page.wait_for_function("() => window.played.length === 2")
    page.locator(".clip .play.on").wait_for()


def test_a_click_on_the_wave_goes_there(opened: Open) -> None:
    page = opened()
    wave = page.get_by_role("slider", name="Place in the voice")
    box = wave.bounding_box()
    wave.click(position={"x": box["width"] * 0.75, "y": box["height"] / 2})
    page.wait_for_function("() => Number(document.querySelector('.wave').getAttribute('aria-valuenow')) >= 70")
    drawn = page.evaluate(
        "() => { const c = document.querySelector('.wave');"
        " return c.getContext('2d').getImageData(0, 0, c.width, c.height).data.some((x) => x > 0); }"
    )
    assert drawn


def test_decisions_by_keys_are_in_the_log_when_the_page_goes_on(opened: Open, log: Any) -> None:
    page = opened()
    wanted = []
    for key, name in (("1", "right"), ("2", "wrong_voice"), ("3", "wrong_face"), ("4", "wrong_clip"), ("6", "unsure")):
        wanted.append((decide(page, key), name))
        assert (log()[-1]["utterance"], log()[-1]["decision"]) == wanted[-1]
    assert len(log()) == 5
    assert page.locator("header .tally").inner_text() == "5 decisions"


def test_a_button_decides_and_space_does_not_press_it_again(opened: Open, log: Any) -> None:
    page = opened()
    before = shown(page)
    page.get_by_role("button", name="Wrong face").click()
    page.wait_for_function("(old) => document.querySelector('.judge .utterance')?.innerText !== old", arg=before)
    page.keyboard.press("Space")
    page.wait_for_timeout(300)
    assert [line["decision"] for line in log()] == ["wrong_face"]


def test_a_name_is_completed(opened: Open, log: Any) -> None:
    page = opened()
    before = shown(page)
    page.keyboard.press("5")
    field = page.get_by_role("combobox", name="Who is it?")
    field.fill("id0000")
    options = page.locator("#who-list").get_by_role("option")
    wanted = [f"id0000{k}" for k in range(1, 7) if f"id0000{k}" != before.split("/")[0]]
    page.wait_for_function("(n) => document.querySelectorAll('#who-list [role=option]').length === n", arg=len(wanted))
    assert options.all_inner_texts() == wanted
    field.press("ArrowDown")
    field.press("Enter")
    page.wait_for_function("(old) => document.querySelector('.judge .utterance')?.innerText !== old", arg=before)
    assert (log()[0]["decision"], log()[0]["speaker"]) == ("other_speaker", "id00002")


def test_keys_in_a_text_field_are_text(opened: Open, log: Any) -> None:
    page = opened()
    page.keyboard.press("5")
    page.get_by_role("combobox", name="Who is it?").press_sequentially("12z")
    assert page.get_by_role("combobox", name="Who is it?").input_value() == "12z"
    page.keyboard.press("Escape")
    page.locator("dialog").wait_for(state="detached")
    assert log() == []


def test_spread_is_noted_and_does_not_stay(opened: Open, log: Any) -> None:
    page = opened()
    page.keyboard.press("s")
    page.locator(".spread input:checked").wait_for()
    decide(page, "4")
    assert log()[0]["spread"] is True
    assert not page.locator(".spread input").is_checked()


def test_two_undos_show_both_clips_again(opened: Open, log: Any, allowed: list[str]) -> None:
    allowed.append("409 (Conflict)")
    page = opened()
    first = decide(page, "1")
    second = decide(page, "4")
    page.keyboard.press("z")
    said(page, f"Taken back: ✕ wrong clip of {second}")
    assert shown(page) == second
    page.keyboard.press("z")
    said(page, f"Taken back: ✓ right of {first}")
    assert shown(page) == first
    assert [line.get("undoes") for line in log()] == [None, None, 2, 1]
    page.keyboard.press("z")
    said(page, "There is nothing to take back.")
    decide(page, "3")
    assert log()[-1]["utterance"] == first


def test_an_undo_after_a_reload(opened: Open, log: Any) -> None:
    page = opened()
    first = decide(page, "4")
    page.reload()
    page.locator(".judge").wait_for()
    assert shown(page) != first
    page.keyboard.press("z")
    said(page, "Taken back")
    assert shown(page) == first
    assert log()[-1]["undoes"] == 1


def test_a_reload_resumes_where_one_was(opened: Open) -> None:
    page = opened()
    decide(page, "1")
    passed = decide(page, "j")
    here = shown(page)
    page.reload()
    page.locator(".judge").wait_for()
    assert shown(page) == here
    for _ in range(8):
        decide(page, "1")
    page.get_by_text("1 clip was passed over.").wait_for()
    page.get_by_role("button", name="Show it").click()
    page.locator(".judge").wait_for()
    assert shown(page) == passed


def test_back_shows_what_was_decided(opened: Open) -> None:
    page = opened()
    first = decide(page, "2")
    page.keyboard.press("k")
    page.locator(".stands", has_text="wrong voice").wait_for()
    assert shown(page) == first
    assert page.get_by_role("button", name=re.compile("Wrong voice")).get_attribute("aria-pressed") == "true"


def test_the_opinion_is_hidden_until_asked_for(opened: Open) -> None:
    page = opened()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    assert "flagged" not in page.locator(".judge").inner_text()
    page.keyboard.press("t")
    said(page, "hidden until you press o")
    assert not [url for url in asked if "/api/opinion/" in url]
    page.keyboard.press("o")
    opinion = page.locator(".opinion")
    opinion.wait_for()
    assert "The machine: flagged" in opinion.inner_text()
    page.get_by_role("region", name=re.compile("It suggests id0000")).wait_for()
    for seen in (opinion, page.get_by_role("region", name=re.compile("It suggests id0000")).locator("li").first):
        assert seen.bounding_box()["y"] + seen.bounding_box()["height"] <= 800  # without scrolling
    assert page.evaluate("scrollY") == 0
    before = page.evaluate("window.played.length")
    page.keyboard.press("t")
    page.wait_for_function("(n) => window.played.length > n", arg=before)
    page.keyboard.press("o")
    opinion.wait_for(state="detached")


def test_references_play_in_turn(opened: Open) -> None:
    page = opened()
    for k in (1, 2, 3):
        page.keyboard.press("r")
        page.locator(f"button.on[aria-label='Play the voice of reference {k}']").wait_for()


def test_the_last_clip_is_followed_by_the_end(opened: Open) -> None:
    page = opened()
    while page.locator(".judge").count():
        before = shown(page)
        page.keyboard.press("1")
        page.wait_for_function("(old) => document.querySelector('.judge .utterance')?.innerText !== old", arg=before)
    page.get_by_text("The end of this queue.").wait_for()
    page.keyboard.press("z")
    page.locator(".judge").wait_for()
    assert shown(page) == before


def test_keys_from_a_file(serve: Serve, opened: Open, log: Any, tmp_path: Path) -> None:
    keys = tmp_path / "keys.json"
    keys.write_text(json.dumps({"right": ["a"], "undo": ["Backspace"]}))
    page = opened(serve("--keys", str(keys)))
    page.keyboard.press("1")
    first = decide(page, "a")
    assert [line["decision"] for line in log()] == ["right"]
    page.keyboard.press("Backspace")
    said(page, f"Taken back: ✓ right of {first}")
    page.keyboard.press("?")
    row = page.get_by_role("row", name="Right: voice and face are the label's")
    row.wait_for()
    assert row.locator("kbd").all_inner_texts() == ["a"]


@pytest.mark.parametrize("key", ["Control+1", "Alt+1", "Meta+1"])
def test_keys_with_a_modifier_are_the_browsers(opened: Open, log: Any, key: str) -> None:
    page = opened()
    page.keyboard.press(key)
    page.wait_for_timeout(200)
    assert log() == []
