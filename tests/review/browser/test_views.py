"""The sheet, the table, the progress and the ways between them, in a browser."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from avsieve.storage import paths as P
from tests.review.browser.conftest import Open, Serve
from tests.review.browser.test_queue import decide, said, shown

CLIP = "id00001/v1-01_Aa/00001"
MARKUP = "<img src=x onerror=alert(1)>"


def ids(page: Any) -> list[str]:
    """Return the ids on show in the table."""
    page.wait_for_selector("[role=cell].c-utterance a")
    return list(page.locator("[role=cell].c-utterance").all_inner_texts())


def column(page: Any, name: str) -> list[str]:
    return list(page.locator(f"[role=cell].c-{name}").all_inner_texts())


def counted(page: Any, text: str) -> None:
    """Wait until the table tells how many it found."""
    page.locator("main.table [role=status]", has_text=text).wait_for()


def test_a_sheet_takes_marked_clips_as_wrong_and_the_rest_as_right(opened: Open, log: Any) -> None:
    page = opened(route="#/sheet?speaker=id00001", awaited=".tile")
    tiles = page.locator(".tile")
    assert tiles.count() == 12
    tiles.nth(0).click()
    tiles.nth(2).click()
    assert tiles.nth(2).get_attribute("aria-pressed") == "true"
    page.keyboard.press("Enter")
    said(page, "Saved: 2 ✕ wrong clip, 10 right")
    found = {line["utterance"]: line["decision"] for line in log()}
    wrong = [f"id00001/v0-01_Aa/0000{k}" for k in (1, 3)]
    assert sorted(name for name, decision in found.items() if decision == "wrong_clip") == wrong
    assert len(found) == 12
    assert {tuple(line["batch"]) for line in log()} == {(1, 12)}
    page.locator(".tile .state", has_text="right").nth(9).wait_for()
    page.keyboard.press("z")
    said(page, "and 11 others")
    page.locator(".tile .state", has_text="–").nth(11).wait_for()


def test_a_sheet_by_the_keyboard_alone(opened: Open, log: Any) -> None:
    page = opened(route="#/sheet?speaker=id00002&video=id00002/v0-02_Aa", awaited=".tile")
    page.locator(".tile").nth(1).focus()
    page.keyboard.press("Space")
    page.locator(".tile.marked").wait_for()
    page.keyboard.press("Enter")
    said(page, "Saved: 1 ✕ wrong clip, 2 right")
    assert [line["decision"] for line in sorted(log(), key=lambda line: line["utterance"])] == [
        "right",
        "wrong_clip",
        "right",
    ]


def test_a_sheet_is_named_in_the_path_too(opened: Open, allowed: list[str]) -> None:
    allowed.append("404 (Not Found)")
    page = opened(route="#/sheet/id00001", awaited=".tile")
    assert page.locator(".tile").count() == 12
    assert page.get_by_label("Speaker, or speaker/video").input_value() == "id00001"
    for route in ("id00001/v1-01_Aa", CLIP, "id00001%2Fv1-01_Aa/"):
        page.evaluate("(route) => { location.hash = `#/sheet/${route}`; }", route)
        page.get_by_text("3 clips of id00001/v1-01_Aa.").wait_for()
        page.evaluate("() => { location.hash = '#/sheet'; }")
        page.get_by_text("Name a speaker").wait_for()
    for route, told in {
        "id00009": "speaker 'id00009'",
        "id00001/x": "video 'id00001/x'",
        "a/b/c/d": "video 'a/b/c/d'",
    }.items():
        page.evaluate("(route) => { location.hash = `#/sheet/${route}`; }", route)
        page.get_by_role("alert").filter(has_text=f"{told}: no utterance has it").wait_for()


def test_a_link_that_is_clicked_while_the_table_notes_its_place_is_followed(opened: Open) -> None:
    page = opened(route="#/table", awaited="[role=cell].c-utterance a")
    address = page.evaluate(
        "async () => { const { replace } = await import('/page/route.js'); location.hash = '#/sheet/id00001';"
        " replace('#/table?at=3'); return location.hash; }"
    )
    assert address == "#/sheet/id00001"
    page.locator(".tile").first.wait_for()


def test_a_speaker_that_is_not_there_is_told(opened: Open, allowed: list[str]) -> None:
    allowed.append("404 (Not Found)")
    page = opened(route="#/sheet?speaker=id00009", awaited="main.sheet")
    page.get_by_role("alert").wait_for()
    assert "no utterance has it; did you mean" in page.get_by_role("alert").inner_text()


def test_the_table_is_sorted_filtered_and_searched(opened: Open) -> None:
    page = opened(route="#/table", awaited="[role=cell].c-p")
    counted(page, "72 utterances")
    ids(page)
    p = [float(text) for text in column(page, "p")]
    assert p == sorted(p, reverse=True)
    page.get_by_role("columnheader", name="utterance").get_by_role("button").click()
    page.wait_for_selector("[role=columnheader].c-utterance[aria-sort=ascending]")
    page.wait_for_selector(f"text={CLIP.replace('v1', 'v0')}")
    assert ids(page) == sorted(ids(page))
    page.locator("select[name=flagged]").select_option("yes")
    counted(page, "10 utterances")
    page.wait_for_function("() => document.querySelectorAll('[role=cell].c-machine').length === 10")
    assert set(column(page, "machine")) == {"⚑ flagged"}
    page.get_by_label("Id has").fill("id00002")
    counted(page, "1 utterance")
    assert ids(page) == ["id00002/v0-02_Aa/00001"]
    assert "flagged=yes" in page.url
    assert "q=id00002" in page.url
    page.reload()
    counted(page, "1 utterance")
    assert page.get_by_label("Id has").input_value() == "id00002"
    page.get_by_role("button", name="Clear").click()
    counted(page, "72 utterances")


def test_a_probability_that_cannot_be_is_told(opened: Open, allowed: list[str]) -> None:
    allowed.append("400 (Bad Request)")
    page = opened(route="#/table?p_min=0.9&p_max=0.1", awaited="main.table")
    page.get_by_role("alert").wait_for()
    assert "p_min 0.9 is above p_max 0.1" in page.get_by_role("alert").inner_text()


def test_the_table_keeps_few_rows_of_many_and_scrolls_to_the_last(
    serve: Serve, opened: Open, embeddings_only: Path
) -> None:
    page = opened(serve(folder=embeddings_only), "#/table?sort=utterance&order=asc", "[role=cell].c-utterance a")
    counted(page, "480 utterances")
    assert len(ids(page)) < 60
    window = page.locator(".window")
    window.focus()
    page.keyboard.press("End")
    page.wait_for_selector("text=id00024/v4-24_Aa/00004")
    assert page.locator("[role=row]").count() < 60
    page.wait_for_function("() => location.hash.includes('at=')")
    page.reload()
    page.wait_for_selector("text=id00024/v4-24_Aa/00004")
    window.focus()
    page.keyboard.press("Home")
    page.wait_for_selector("text=id00001/v0-01_Aa/00001")
    page.keyboard.press("PageDown")
    page.wait_for_function("() => document.querySelector('.window').scrollTop > 300")


def test_a_million_rows_are_reached_to_the_last(serve: Serve, opened: Open, embeddings_only: Path) -> None:
    page = opened(serve(folder=embeddings_only), "#/progress", ".figures")
    total = 1_092_009

    def answer(route: Any) -> None:
        given = {name: values[0] for name, values in parse_qs(urlsplit(route.request.url).query).items()}
        offset = int(given["offset"])
        numbers = range(offset, min(offset + int(given["limit"]), total))
        rows = [{"row": k, "utterance": f"id/v/{k}", "speaker": "id", "p": 0.5, "decision": None} for k in numbers]
        route.fulfill(json={"total": total, "offset": offset, "rows": rows})

    page.route("**/api/table**", answer)
    page.get_by_role("link", name="Table").click()
    counted(page, "1,092,009 utterances")
    window = page.locator(".window")
    for key, first in (("End", total - 1), ("Home", 0), ("PageDown", 10), ("ArrowDown", 11)):
        window.press(key)
        page.get_by_role("link", name=f"id/v/{first}", exact=True).wait_for()
    window.press("Home")
    window.hover()
    page.mouse.wheel(0, 340)
    page.wait_for_function("() => location.hash.includes('at=10')")
    page.wait_for_selector("text=id/v/12")
    heads = page.locator(".row.head").bounding_box()
    below = heads["y"] + heads["height"]
    for k in (10, 15, 20):  # below the heads rows follow each other without a gap
        row = page.get_by_role("row").filter(has_text=re.compile(rf"id/v/{k}(?!\d)")).bounding_box()
        assert abs(row["y"] - below - (k - 10) * 34) <= 3


def test_a_row_leads_to_its_clip_and_its_label(opened: Open, log: Any) -> None:
    page = opened(route="#/table?q=v1-01_Aa", awaited="[role=cell].c-utterance a")
    counted(page, "3 utterances")
    page.get_by_role("link", name=CLIP).click()
    page.wait_for_selector(".judge")
    assert shown(page) == CLIP
    page.keyboard.press("2")
    said(page, "Saved: ♪ wrong voice")
    assert (log()[0]["utterance"], log()[0]["decision"]) == (CLIP, "wrong_voice")
    page.go_back()
    counted(page, "3 utterances")
    page.wait_for_selector("[role=cell].c-decision:has-text('wrong voice')")
    page.get_by_role("link", name="id00001", exact=True).first.click()
    page.wait_for_selector(".tile")


def test_a_deep_link_shows_its_clip(opened: Open) -> None:
    page = opened(route=f"#/item/{CLIP}")
    assert shown(page) == CLIP
    assert page.locator(".clip .faces img").count() == 8


def test_a_link_to_nothing_says_so(opened: Open, allowed: list[str]) -> None:
    allowed.append("404 (Not Found)")
    page = opened(route="#/item/id00001/nowhere/00001", awaited="main")
    page.get_by_role("alert").wait_for()
    assert "not one of this run's" in page.get_by_role("alert").inner_text()


def test_the_progress_counts(opened: Open, tmp_path: Path) -> None:
    page = opened()
    for key in "114":
        decide(page, key)
    page.get_by_role("link", name="Progress").click()
    page.wait_for_selector(".figures")
    page.locator(".figures", has_text="left in queue flagged7").wait_for()
    assert "Right\t2" in page.locator("table.plain").first.inner_text()
    page.get_by_role("button", name="Write it now").click()
    page.get_by_text("3 utterances written.").wait_for()
    assert (tmp_path / "reviews" / "review.csv").is_file()


def test_two_reviewers_see_only_their_own_decisions(serve: Serve, opened: Open, log: Any) -> None:
    ann, ben = serve(reviewer="ann"), serve(reviewer="ben")
    one, two = opened(ann), opened(ben)
    first = decide(one, "4")
    assert shown(two) == first
    decide(two, "1")
    assert [(line["utterance"], line["decision"]) for line in log("ann")] == [(first, "wrong_clip")]
    assert [(line["utterance"], line["decision"]) for line in log("ben")] == [(first, "right")]
    one.get_by_role("link", name="Table").click()
    one.get_by_label("Id has").fill(first)
    counted(one, "1 utterance")
    assert (column(one, "decision"), column(one, "others")) == (["✕ wrong clip"], ["1"])


def test_embeddings_alone_say_so_and_show_the_table(
    serve: Serve, opened: Open, embeddings_only: Path, log: Any
) -> None:
    page = opened(serve(folder=embeddings_only), awaited="[role=cell].c-utterance a")
    assert "there is nothing to see or hear" in page.locator(".banner").inner_text()
    assert page.locator("nav a").all_inner_texts() == ["Table", "Progress"]
    page.locator("[role=cell].c-utterance a").first.click()
    page.wait_for_selector(".judge")
    page.keyboard.press("4")
    said(page, "Saved: ✕ wrong clip")
    assert len(log()) == 1


def test_markup_in_an_id_is_text(serve: Serve, opened: Open, results: Path, tmp_path: Path) -> None:
    folder = tmp_path / "marked" / P.RESULTS
    shutil.copytree(results, folder)
    path = P.below(folder, P.lists.decisions)
    table = pq.read_table(path)
    for name in ("speaker", "suggested_speaker"):
        where = table.schema.get_field_index(name)
        texts = pc.replace_substring(table[name].cast(pa.string()), "id00001", MARKUP)
        table = table.set_column(where, name, texts)
    pq.write_table(table, path)
    page = opened(serve(folder=folder), "#/table?sort=utterance&order=asc", "[role=cell].c-utterance a")
    page.wait_for_selector("[role=cell].c-speaker a")
    assert MARKUP in column(page, "speaker")
    page.get_by_role("link", name=MARKUP).first.click()
    page.wait_for_selector(".tile")
    assert MARKUP in page.locator("main").inner_text()
    assert page.locator("img[onerror]").count() == 0


def test_help_tells_the_keys(opened: Open) -> None:
    page = opened()
    page.keyboard.press("?")
    dialog = page.get_by_role("dialog", name="Keys")
    dialog.wait_for()
    assert "Take back the last decision" in dialog.inner_text()
    page.keyboard.press("1")
    assert dialog.count() == 1
    page.keyboard.press("Escape")
    dialog.wait_for(state="detached")
