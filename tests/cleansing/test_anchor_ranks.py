from __future__ import annotations

import json
import re

import numpy as np
import pytest

from avsieve.cleansing.anchor_ranks import read_anchor_table
from avsieve.cleansing.settings import Cleansing
from avsieve.cleansing.write import cleanse
from avsieve.errors import AvsieveError
from avsieve.inspection.anchors_text import known_wrong_lines
from avsieve.review.table import Reviewed, write_review
from avsieve.storage.tables import read_table


@pytest.fixture
def cleansed(scored, tmp_path):
    """Cleanse with a table of anchors, and with what reviewers said where some is given."""

    def make(lines: list[str], reviews: list[Reviewed] | None = None):
        (tmp_path / "anchors.csv").write_text("\n".join(["utterance,status", *lines]) + "\n")
        settings = Cleansing(anchors=str(tmp_path / "anchors.csv"))
        if reviews is not None:
            write_review(tmp_path / "review.csv", reviews)
            settings = settings.model_copy(update={"review": str(tmp_path / "review.csv")})
        out = tmp_path / "out"
        summary = cleanse(scored.scores, scored.corpus.plan["seconds"].tolist(), out, settings)
        return summary, read_table(out / "decisions.parquet")

    return make


def test_a_list_tells_where_it_ranks_what_is_known_to_be_wrong(scored, cleansed) -> None:
    wrong = scored.scores.utterance[np.flatnonzero(scored.wrong)[:10]].tolist()
    summary, decisions = cleansed([*(f"{u},confirmed" for u in wrong), "id99999/v/1,confirmed"])
    found, rows = summary["anchors"], decisions.set_index("utterance")
    assert (found["known"], found["absent"]) == (10, 1)
    assert found["flagged"] == int((rows.loc[wrong, "decision"] == "noisy").sum()) > 0
    assert found["judged"] == int(decisions["p_wrong"].notna().sum())
    for row in found["ranked"]:
        p = rows.loc[row["utterance"], "p_wrong"]
        assert row["rank"] == int((decisions["p_wrong"] > p).sum()) + 1
        assert row["decision"] == rows.loc[row["utterance"], "decision"]
    words = "\n".join(known_wrong_lines(json.loads(json.dumps(found))))
    assert all(u in words for u in wrong)
    assert "This is recall, not precision" in words
    assert known_wrong_lines(None) == []


def test_anchors_change_no_decision_and_a_reviewer_does_not_change_where_the_method_ranks_them(
    scored, cleansed
) -> None:
    anchor = str(scored.scores.utterance[np.flatnonzero(~scored.wrong)[0]])
    summary, table = cleansed([anchor])
    before = table.set_index("utterance").loc[anchor, "decision"]
    again, reviewed = cleansed([anchor], [Reviewed(anchor, "wrong_clip", "wrong", "wrong")])
    assert reviewed.set_index("utterance").loc[anchor, "decision"] == "noisy" != before
    assert again["anchors"] == summary["anchors"]
    assert again["anchors"]["ranked"][0]["decision"] == before


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("speaker\nid1\n", "columns speaker; expected utterance"),
        ("utterance\n", "no utterance; expected a row for each"),
        ("utterance\n../x\n", "line 2: utterance '../x'; expected an id"),
        ("utterance,status\nid1/v/1,sure\n", "line 2: status 'sure'; expected one of confirmed, suspected"),
        ("utterance\nid1/v/1\nid1/v/1\n", "line 3: id1/v/1 stands in an earlier line too"),
    ],
)
def test_a_table_that_cannot_be_is_refused(tmp_path, text: str, told: str) -> None:
    (tmp_path / "a.csv").write_text(text)
    with pytest.raises(AvsieveError, match=re.escape(told)):
        read_anchor_table(tmp_path / "a.csv")


def test_anchors_of_another_corpus_are_refused(cleansed) -> None:
    with pytest.raises(AvsieveError, match="none of the 1 removed utterances is in the run"):
        cleansed(["id99999/v/1,confirmed"])
