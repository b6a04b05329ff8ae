from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from avsieve.errors import AvsieveError
from avsieve.inspection.run_files import find_run
from avsieve.review.server.table import COLUMNS
from tests.review.server.conftest import Make, Server


@pytest.fixture(scope="module")
def plain(many: Path) -> pd.DataFrame:
    """Return the decisions, to count with."""
    table = pd.read_parquet(find_run(many).decisions)
    table["video"] = table["utterance"].str.rpartition("/")[0]
    return table


@pytest.fixture
def server(make: Make, many: Path) -> Server:
    return make(folder=many)


def ids(found: dict[str, Any]) -> list[str]:
    return [row["utterance"] for row in found["rows"]]


NAMES = {
    "utterance": "utterance", "speaker": "speaker", "video": "video", "p": "p_wrong", "p_audio": "p_audio_wrong",
    "p_visual": "p_visual_wrong", "audio_sim": "audio_similarity", "visual_sim": "visual_similarity",
    "machine": "decision", "kind": "kind", "suggested": "suggested_speaker", "p_suggested": "p_suggested",
}  # fmt: skip


@pytest.mark.parametrize("order", ["asc", "desc"])
@pytest.mark.parametrize("column", NAMES)
def test_each_column_sorts_as_pandas_would(server: Server, plain: pd.DataFrame, column: str, order: str) -> None:
    values = plain[NAMES[column]].replace("", None)
    expected = plain.loc[values.sort_values(ascending=order == "asc", kind="stable", na_position="last").index]
    found = server.get("/api/table", sort=column, order=order, limit=500)
    assert found["total"] == len(plain)
    assert [None if row[column] == "" else row[column] for row in found["rows"]] == [
        None if v is None or v != v else v if isinstance(v, str) else round(float(v), 6)
        for v in expected[NAMES[column]].replace("", None)
    ]
    if order == "asc" or column == "p":
        assert ids(found) == expected["utterance"].tolist()


def test_pages_follow_one_another_and_end(server: Server, plain: pd.DataFrame) -> None:
    pages = [server.get("/api/table", sort="audio_sim", offset=k, limit=37) for k in range(0, 480, 37)]
    together = [name for page in pages for name in ids(page)]
    assert together == ids(server.get("/api/table", sort="audio_sim", limit=500))
    assert sorted(together) == sorted(plain["utterance"])
    for offset in (480, 10**6, 2**53):
        assert server.get("/api/table", offset=offset) == {"total": 480, "offset": offset, "rows": []}


@pytest.mark.parametrize(
    ("given", "query"),
    [
        ({"flagged": "yes"}, "decision == 'noisy'"),
        ({"flagged": "no"}, "decision != 'noisy'"),
        ({"kind": "audio"}, "kind == 'audio'"),
        ({"modality": "visual"}, "kind in ('visual', 'video')"),
        ({"speaker": "id00004"}, "speaker == 'id00004'"),
        ({"video": "id00004/v2-04_Aa"}, "video == 'id00004/v2-04_Aa'"),
        ({"p_min": "0.3"}, "p_wrong >= 0.3"),
        ({"p_min": "0.1", "p_max": "0.2"}, "p_wrong >= 0.1 and p_wrong <= 0.2"),
        ({"q": "4/v0"}, "utterance.str.contains('4/v0', regex=False)"),
        ({"q": ".*"}, "utterance == ''"),
        ({"speaker": "nobody"}, "speaker == 'nobody'"),
        (
            {"flagged": "yes", "q": "00002", "p_max": "0.9"},
            "decision == 'noisy' and p_wrong <= 0.9 and utterance.str.contains('00002')",
        ),
    ],
)  # fmt: skip
def test_filters_are_those_of_pandas(server: Server, plain: pd.DataFrame, given: dict[str, str], query: str) -> None:
    expected = plain.query(query).sort_values("p_wrong", ascending=False, kind="stable")["utterance"].tolist()
    for _ in range(2):  # the second time from what is kept
        found = server.get("/api/table", limit=500, **given)
        assert (found["total"], ids(found)) == (len(expected), expected)
    part = server.get("/api/table", limit=3, offset=2, **given)
    assert (part["total"], ids(part)) == (len(expected), expected[2:5])


def test_what_was_reviewed_is_found_and_kept_in_step(make: Make, many: Path) -> None:
    ann, bob = make(folder=many), make("bob", folder=many)
    first, second, third = "id00001/v1-01_Aa/00001", "id00002/v1-02_Aa/00001", "id00003/v1-03_Aa/00001"
    assert ann.get("/api/table", reviewed="yes")["total"] == 0
    ann.post("/api/decide", {"utterance": first, "decision": "right"})
    bob.post("/api/decide", {"utterance": first, "decision": "unsure"})
    bob.post("/api/decide", {"utterance": second, "decision": "wrong_clip"})
    ann.post("/api/decide", {"utterance": third, "decision": "wrong_face"})
    assert set(ids(ann.get("/api/table", reviewed="yes"))) == {first, second, third}
    assert set(ids(ann.get("/api/table", reviewed="mine"))) == {first, third}
    assert ann.get("/api/table", reviewed="no")["total"] == 477
    assert ids(ann.get("/api/table", decision="wrong_face")) == [third]
    assert ids(bob.get("/api/table", decision="unsure")) == [first]
    row = ann.get("/api/table", q=first)["rows"][0]
    assert (row["decision"], row["others"]) == ("right", 1)
    assert ids(ann.get("/api/table", sort="others", limit=2)) == [first, second]
    assert set(ids(ann.get("/api/table", sort="decision", limit=2))) == {first, third}
    ann.post("/api/undo", {})
    assert ids(ann.get("/api/table", reviewed="mine")) == [first]


def test_a_second_opinion_is_compared_with(make: Make, many: Path, tmp_path: Path, plain: pd.DataFrame) -> None:
    told = make(folder=many).refused("/api/table", 400, disagree="yes")
    assert "--against" in told
    clean = (plain["decision"] == "clean").to_numpy()
    other = clean.copy()
    other[[3, 100]] = ~other[[3, 100]]
    # A list that leaves the last utterances out says nothing of them.
    lines = [
        f"{s} {u}.wav 2.0 0.9 0.9 {int(c)}\n"
        for s, u, c in zip(plain["speaker"], plain["utterance"], other, strict=True)
    ]
    (tmp_path / "other.txt").write_text("".join(lines[:-1]))
    server = make(folder=many, against=tmp_path / "other.txt")
    assert server.get("/api/run")["has_second_opinion"]
    found = server.get("/api/table", disagree="yes", sort="utterance", order="asc")
    assert ids(found) == plain["utterance"].iloc[[3, 100]].tolist()
    assert np.array_equal(sorted(row["row"] for row in found["rows"]), [3, 100])
    assert "says nothing of 1 of the 480 utterances" in server.get("/api/run")["warnings"][0]
    assert make(folder=many, against=many).get("/api/table", disagree="yes")["total"] == 0
    (tmp_path / "foreign.txt").write_text("id7 id7/video/00001.wav 2.0 0.9 0.9 1\n")
    with pytest.raises(AvsieveError, match="none of the 480 utterances is in it; its ids look like id7/video/00001"):
        make(folder=many, against=tmp_path / "foreign.txt")


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"sort": "x"}, f"sort 'x'; expected one of {', '.join(COLUMNS)}"),
        ({"order": "up"}, "order 'up'; expected one of asc, desc"),
        ({"limit": "0"}, "limit '0'; expected a whole number from 1 to 500"),
        ({"limit": "501"}, "limit '501'; expected a whole number from 1 to 500"),
        ({"limit": "1e9"}, "limit '1e9'; expected a whole number from 1 to 500"),
        ({"offset": "-1"}, "offset '-1'; expected a whole number from 0 to 9,007,199,254,740,992"),
        ({"offset": "9" * 5000}, f"offset '{'9' * 76}...; expected a whole number from 0 to 9,007,199,254,740,992"),
        ({"offset": "٣"}, "offset '٣'; expected a whole number from 0 to 9,007,199,254,740,992"),
        ({"p_min": "1.1"}, "p_min '1.1'; expected a number from 0 to 1"),
        ({"p_max": "nan"}, "p_max 'nan'; expected a number from 0 to 1"),
        ({"p_min": "0.5", "p_max": "0.4"}, "p_min 0.5 is above p_max 0.4; expected p_min to be the smaller one"),
        ({"kind": "smell"}, "kind 'smell'; expected one of video, audio, visual"),
        ({"modality": "both"}, "modality 'both'; expected one of audio, visual"),
        ({"flagged": "1"}, "flagged '1'; expected one of yes, no"),
        ({"reviewed": "bob"}, "reviewed 'bob'; expected one of yes, no, mine"),
        ({"decision": "good"}, "decision 'good'; expected one of right, wrong_voice"),
        ({"disagree": "no"}, "disagree 'no'; expected one of yes"),
        ({"q": "x" * 601}, "q: 601 characters; expected 600 at most"),
        ({"sorted": "p"}, "parameter 'sorted': not known; expected any of sort, order"),
    ],
)
def test_a_value_that_cannot_be_is_named_with_what_is_expected(
    server: Server, given: dict[str, str], told: str
) -> None:
    assert server.refused("/api/table", 400, **given).startswith(told)


def test_an_empty_value_is_none(server: Server) -> None:
    empty = dict.fromkeys(["q", "speaker", "video", "kind", "p_min", "flagged", "decision", "sort", "limit"], "")
    assert server.get("/api/table", **empty) == server.get("/api/table")
