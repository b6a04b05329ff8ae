"""The page by the rules of axe-core, on a screen and on a phone, by day and by night; and what is shipped of others."""

from __future__ import annotations

import hashlib
import os
import re
from pathlib import Path
from typing import Any

import pytest

import avsieve.review
from tests.review.browser.conftest import Open

PAGE = Path(avsieve.review.__file__).parent / "page"
VIEWS = {
    "queue": ("", ".judge"),
    "sheet": ("#/sheet?speaker=id00001", ".tile"),
    "table": ("#/table", "[role=cell].c-utterance a"),
    "progress": ("#/progress", ".figures"),
}


@pytest.fixture(scope="session")
def axe() -> str:
    path = os.environ.get("AVSIEVE_AXE")
    if not path:
        pytest.skip("AVSIEVE_AXE does not name axe.min.js (npm pack axe-core)")
    return Path(path).read_text(encoding="utf-8")


def serious(page: Any, axe: str) -> list[str]:
    """Return what axe-core finds serious or critical: rule and place."""
    page.evaluate(axe)
    found = page.evaluate("async () => (await axe.run(document)).violations")
    return [
        f"{one['id']}: {node['target']} {node.get('failureSummary', '')}"
        for one in found
        if one["impact"] in ("serious", "critical")
        for node in one["nodes"]
    ]


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("view", VIEWS)
def test_nothing_serious(opened: Open, axe: str, view: str, scheme: str, width: int) -> None:
    route, awaited = VIEWS[view]
    size = {"width": width, "height": 844 if width == 390 else 800}
    page = opened(route=route, awaited=awaited, viewport=size, color_scheme=scheme)
    page.wait_for_timeout(300)
    assert serious(page, axe) == []
    if view == "queue":
        page.keyboard.press("o")
        page.wait_for_selector(".opinion")
        page.keyboard.press("5")
        page.wait_for_selector("#who-list li")
        assert serious(page, axe) == []
        page.keyboard.press("Escape")
        page.locator("dialog").wait_for(state="detached")
        page.keyboard.press("?")
        page.wait_for_selector("dialog.help")
        assert serious(page, axe) == []
    if view == "sheet":
        page.locator(".tile").first.click()
        page.wait_for_selector(".tile.marked")
        assert serious(page, axe) == []


@pytest.mark.parametrize("view", VIEWS)
def test_a_phone_scrolls_down_alone(opened: Open, view: str) -> None:
    route, awaited = VIEWS[view]
    page = opened(route=route, awaited=awaited, viewport={"width": 390, "height": 844}, has_touch=True)
    wide = page.evaluate("() => document.documentElement.scrollWidth")
    assert wide <= 390


def test_a_phone_has_a_button_for_each_decision(opened: Open, log: Any) -> None:
    page = opened(viewport={"width": 390, "height": 844}, has_touch=True)
    for button in page.locator(".decision").all():
        box = button.bounding_box()
        assert box["y"] + box["height"] <= 844
        assert box["height"] >= 44
    before = page.locator(".judge .utterance").inner_text()
    page.locator(".decision.wrong_clip").tap()
    page.wait_for_function("(old) => document.querySelector('.judge .utterance')?.innerText !== old", arg=before)
    assert log()[0]["decision"] == "wrong_clip"


def test_every_control_has_a_name_and_is_seen_when_it_has_the_focus(opened: Open) -> None:
    page = opened()
    seen = set()
    for _ in range(25):
        page.keyboard.press("Tab")
        found = page.evaluate(
            "() => { const e = document.activeElement; const s = getComputedStyle(e);"
            " const name = e.innerText || e.ariaLabel || e.labels?.[0]?.innerText || '';"
            " return [e.tagName, name, s.outlineStyle, s.outlineWidth]; }"
        )
        if found[0] == "BODY":
            continue
        assert found[1].strip(), found
        assert (found[2], found[3]) == ("solid", "3px"), found
        seen.add(found[1])
    assert len(seen) >= 15


def test_what_is_shipped_of_others_is_what_the_table_says() -> None:
    text = (PAGE / "vendor" / "VENDORED.md").read_text(encoding="utf-8")
    sums = dict(re.findall(r"^\| `([\w.]+\.js)` .*`([0-9a-f]{64})` \|$", text, re.MULTILINE))
    shipped = {path.name: path for path in (PAGE / "vendor").glob("*.js")}
    assert {name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in shipped.items()} == sums


def test_the_page_asks_for_nothing_from_elsewhere() -> None:
    for path in [*PAGE.glob("*.js"), *PAGE.glob("*.css"), *PAGE.glob("*.html")]:
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"https?://|dangerouslySetInnerHTML|innerHTML|eval\(", text), path.name
        assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\sstyle=\"|\son\w+=\"", text), path.name
