from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from avsieve.inspection.run_files import find_run
from avsieve.review.server.repeats import LEAST
from tests.review.made_up import made_up_results
from tests.review.server.conftest import Make, Server

CLIP = "id00001/v0-01_Aa/00001"
"""A clip that is another person's whole: id00002's."""


def test_a_clip_is_shown_beside_trusted_ones_of_other_videos(server: Server, results: Path) -> None:
    item = server.get(f"/api/item/{CLIP}")
    assert (item["utterance"], item["speaker"], item["video"]) == (CLIP, "id00001", "id00001/v0-01_Aa")
    assert (len(item["faces"]), item["siblings"], item["decision"], item["row"]) == (8, 3, None, 0)
    table = pd.read_parquet(find_run(results).decisions).set_index("utterance")
    found = item["references"]["label"]
    videos = [reference["video"] for reference in found]
    assert len(found) == 3 == len(set(videos))
    assert item["video"] not in videos
    for reference in found:
        row = table.loc[reference["utterance"]]
        assert (row["speaker"], row["decision"]) == ("id00001", "clean")
        same = table[(table.index.str.startswith(reference["video"] + "/")) & (table["decision"] == "clean")]
        assert row["p_wrong"] == same["p_wrong"].min()
        assert len(reference["faces"]) == 4
        assert server.client.get(reference["voice"]).status_code == 200


def test_whom_the_machine_suggests_is_told_by_the_opinion_alone(server: Server) -> None:
    item = server.get(f"/api/item/{CLIP}")
    assert item["references"]["suggested"] is None
    assert "id00002" not in str(item)
    opinion = server.get(item["opinion_url"])
    assert (opinion["flag"], opinion["machine"], opinion["kind"]) == (True, "noisy", "video")
    assert opinion["suggested"]["speaker"] == "id00002"
    assert opinion["suggested"]["probability"] == pytest.approx(0.9)
    assert {r["utterance"].split("/")[0] for r in opinion["suggested"]["references"]} == {"id00002"}
    assert opinion["reasons"][0] == "Flagged: voice and face are another person's."
    scale = opinion["scale"]["audio"]
    assert scale["value"] < scale["low"] < scale["median"] < scale["high"]
    assert server.get("/api/opinion/id00001/v2-01_Aa/00001")["suggested"] is None


def test_the_opinion_is_in_the_words_of_avsieve_show(server: Server, results: Path) -> None:
    from avsieve.inspection.utterance import utterance_facts
    from avsieve.inspection.utterance_text import why

    for utterance in (CLIP, "id00003/v0-03_Aa/00001", "id00005/v3-05_Aa/00002"):
        assert server.get(f"/api/opinion/{utterance}")["reasons"] == why(utterance_facts(find_run(results), utterance))


def test_what_a_reviewer_found_wrong_is_no_reference_and_what_is_right_comes_first(server: Server) -> None:
    before = [r["utterance"] for r in server.get(f"/api/item/{CLIP}")["references"]["label"]]
    server.post("/api/decide", {"utterance": before[0], "decision": "wrong_voice"})
    server.post("/api/decide", {"utterance": before[2], "decision": "right"})
    after = [r["utterance"] for r in server.get(f"/api/item/{CLIP}")["references"]["label"]]
    assert after[0] == before[2]
    assert before[0] not in after


def test_a_recording_does_not_vouch_for_itself_under_another_name(tmp_path: Path, make: Make) -> None:
    results = made_up_results(tmp_path, faces=False, voices=False)
    path = find_run(results).decisions
    table = pd.read_parquet(path)
    # The recording of the first clip stands under the person who is suggested for it, too.
    table["utterance"] = table["utterance"].str.replace("id00002/v1-02_Aa", "id00002/v0-01_Aa")
    table.to_parquet(path)
    suggested = make(folder=results).get(f"/api/opinion/{CLIP}")["suggested"]
    assert {r["video"] for r in suggested["references"]} == {f"id00002/v{k}-02_Aa" for k in (0, 2, 3)}


@pytest.mark.parametrize("kind", ["item", "opinion"])
@pytest.mark.parametrize(
    "path",
    [
        "nobody/x/1", "id00001", "id00001/v0-01_Aa", "id00001/v0-01_Aa/00001.wav", "..%2f..%2fetc%2fpasswd",
        "%2e%2e/%2e%2e/x", "id00001/%2e%2e/id00001/v0-01_Aa/00001", "id00001/v0-01_Aa/00001/", "%00", "ä/ö/ü",
        "<script>alert(1)</script>", "a" * 5000,
    ],
)  # fmt: skip
def test_what_is_no_utterance_of_the_run_is_not_there(server: Server, kind: str, path: str) -> None:
    found = server.client.get(f"/api/{kind}/{path}")
    assert found.status_code == 404
    assert found.headers["content-type"] == "application/json"
    assert found.json()["error"]


def test_a_sheet_has_a_face_of_each_clip(server: Server) -> None:
    found = server.get("/api/sheet", speaker="id00002")
    assert found["total"] == 12 == len(found["items"])
    assert [clip["utterance"] for clip in found["items"]] == sorted(clip["utterance"] for clip in found["items"])
    assert [clip["flag"] for clip in found["items"]] == [True] + [False] * 11
    assert all(server.client.get(clip["face"]).status_code == 200 for clip in found["items"])
    part = server.get("/api/sheet", video="id00002/v1-02_Aa", offset=1, limit=1)
    assert (part["total"], [clip["utterance"] for clip in part["items"]]) == (3, ["id00002/v1-02_Aa/00002"])
    assert part == server.get("/api/sheet", speaker="id00002", video="v1-02_Aa", offset=1, limit=1)


@pytest.mark.parametrize(
    ("given", "status", "told"),
    [
        ({}, 400, "speaker '' and video ''; expected a speaker"),
        ({"speaker": "id00020"}, 404, "speaker 'id00020': no utterance has it; did you mean id0000"),
        ({"video": "../x"}, 404, "video '../x': no utterance has it"),
        ({"speaker": "id00001", "video": "id00002/v1-02_Aa"}, 404, "video 'id00002/v1-02_Aa': no utterance has it"),
        ({"speaker": "id00001", "limit": "501"}, 400, "limit '501'; expected a whole number from 1 to 500"),
    ],
)
def test_a_sheet_of_nobody_is_told(server: Server, given: dict[str, str], status: int, told: str) -> None:
    assert server.refused("/api/sheet", status, **given).startswith(told)


def test_speakers_are_found_by_their_beginning(server: Server) -> None:
    assert server.get("/api/speakers", q="id0000", limit=2) == {"total": 6, "speakers": ["id00001", "id00002"]}
    assert server.get("/api/speakers", q="id00006")["speakers"] == ["id00006"]
    assert server.get("/api/speakers", q="x") == {"total": 0, "speakers": []}


def test_a_run_of_embeddings_alone_is_reviewed_without_media(make: Make, many: Path) -> None:
    server = make(folder=many)
    facts = server.get("/api/run")
    assert (facts["has_faces"], facts["has_voices"]) == (False, False)
    item = server.get("/api/queue/flagged", limit=1)["items"][0]
    assert (item["faces"], item["voice"], item["peaks"], item["duration_s"]) == ([], None, None, None)
    assert len(item["references"]["label"]) == 4
    assert "no sound" in server.refused("/media/voice/0.wav", 404)
    assert "it has 0" in server.refused("/media/face/0/0.jpg", 404)
    assert server.get("/api/sheet", speaker="id00003")["items"][0]["face"] is None
    done = server.post(
        "/api/decide", {"utterance": item["utterance"], "decision": "wrong_clip", "place": item["place"]}
    )
    assert done["next"]["utterance"] != item["utterance"]


def test_the_folder_of_avsieve_cleanse_is_reviewed(tmp_path: Path, many: Path, make: Make) -> None:
    flat = tmp_path / "cleansed"
    flat.mkdir()
    for path in (many / "lists").iterdir():
        (flat / path.name).write_bytes(path.read_bytes())
    server = make(folder=flat, reviews=None)
    assert server.get("/api/run")["utterances"] == 480
    assert server.get(f"/api/opinion/{CLIP}")["reasons"]
    server.post("/api/decide", {"utterance": CLIP, "decision": "right"})
    assert (flat / "reviews" / "ann.jsonl").is_file()


def test_what_stands_in_an_id_stays_text(tmp_path: Path, make: Make) -> None:
    results = made_up_results(tmp_path)
    path = find_run(results).decisions
    table = pd.read_parquet(path)
    bad = "<img src=x onerror=alert(1)>/v\"'&/00001"
    table.loc[0, ["utterance", "speaker"]] = [bad, "<img src=x onerror=alert(1)>"]
    table.to_parquet(path)
    server = make(folder=results)
    for found in (server.client.get("/api/table", params={"q": "onerror"}), server.client.get(f"/api/item/{bad}")):
        assert found.status_code == 200
        assert found.headers["content-type"] == "application/json"
        assert found.headers["x-content-type-options"] == "nosniff"
    assert server.get("/api/table", q="onerror")["rows"][0]["utterance"] == bad
    told = server.client.get("/api/item/<b>nobody</b>")
    assert (told.status_code, told.headers["content-type"]) == (404, "application/json")


def test_a_repeat_looks_as_a_first_one(make: Make, many: Path) -> None:
    server = make(folder=many)
    seen: dict[str, int] = {}
    after, again, count = "", [], 0
    while count < 80:
        item = server.get("/api/queue/uncertain", limit=1, after=after)["items"][0]
        if item["utterance"] in seen:
            again.append((item, count - seen[item["utterance"]]))
        seen.setdefault(item["utterance"], count)
        server.post("/api/decide", {"utterance": item["utterance"], "decision": "right", "place": item["place"]})
        after, count = item["place"], count + 1
    assert 3 <= len(again) <= 20
    for item, distance in again:
        assert item["decision"] is None
        assert distance >= LEAST
        plain = server.get(f"/api/item/{item['utterance']}")
        assert plain["decision"] == "right"
        assert item.keys() == plain.keys()
    agreement = server.get("/api/progress")["agreement"]["self"]
    assert (agreement["n"], agreement["agree"], agreement["kappa"]) == (len(again), len(again), None)
