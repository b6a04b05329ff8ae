"""The report by the rules of axe-core; skips where `tests/review/browser` does, and says why."""

import shutil

import pytest

from avsieve.report.page import render_page
from tests.review.browser.test_accessible import axe, serious  # noqa: F401

from .test_page import run  # noqa: F401

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_serious_and_nothing_wider_than_the_window(run, axe, scheme, width, tmp_path):  # noqa: F811
    playwright = pytest.importorskip("playwright.sync_api")
    if BROWSER is None:
        pytest.skip("there is no Chromium")
    (tmp_path / "page.html").write_text(render_page(run), encoding="utf-8")
    with playwright.sync_playwright() as tool:
        browser = tool.chromium.launch(executable_path=BROWSER, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme, bypass_csp=True)
        told = []
        page.on("console", lambda message: told.append(message.text))
        page.goto((tmp_path / "page.html").as_uri())
        assert serious(page, axe) == []
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert told == []
        browser.close()


def test_the_table_is_searched_sorted_and_linked(run, tmp_path):  # noqa: F811
    playwright = pytest.importorskip("playwright.sync_api")
    if BROWSER is None:
        pytest.skip("there is no Chromium")
    (tmp_path / "page.html").write_text(render_page(run), encoding="utf-8")
    flagged = run.decisions[run.decisions["decision"] == "noisy"]
    name = flagged["utterance"].iloc[0]
    with playwright.sync_playwright() as tool:
        browser = tool.chromium.launch(executable_path=BROWSER, args=["--no-sandbox"])
        page = browser.new_page()
        errors = []
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", lambda message: errors.append(message.text))
        page.goto((tmp_path / "page.html").as_uri())

        def names():
            return page.locator("#flagged-rows tr td:first-child code").all_inner_texts()

        assert sorted(names()) == sorted(flagged["utterance"])
        page.get_by_role("button", name="utterance").click()
        assert names() == sorted(flagged["utterance"])
        page.get_by_role("button", name="utterance").click()
        assert names() == sorted(flagged["utterance"], reverse=True)
        page.fill("#flagged-search", name)
        assert names() == [name]
        address = page.url
        assert "#find=" in address
        page.goto("about:blank")
        page.goto(address)
        assert names() == [name]
        assert errors == []
        browser.close()
