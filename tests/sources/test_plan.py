from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from avsieve.errors import AvsieveError
from avsieve.sources.plan import PLAN_COLUMNS, build_plan, hold_out, rows_in_words, write_plan
from avsieve.storage.ids import shard_names, shard_of
from avsieve.storage.tables import read_table
from tests.kills import survives_kills


def rows(*utterances: str, subset: str = "train") -> pd.DataFrame:
    return pd.DataFrame({"utterance": utterances, "subset": subset, "path": utterances, "seconds": ""})


def test_a_speakers_utterances_share_a_shard() -> None:
    plan = build_plan(rows(*[f"id{s}/v{v}/1" for s in range(50) for v in range(3)]), shards=8)
    assert list(plan.columns) == PLAN_COLUMNS
    assert (plan.groupby("speaker")["shard"].nunique() == 1).all()
    assert plan["shard"].nunique() == 8
    assert plan["utterance"].tolist() == [f"id{s}/v{v}/1" for s in range(50) for v in range(3)]


def test_shards_are_written_with_their_rows_and_empty_ones_too(tmp_path: Path) -> None:
    plan = build_plan(rows("id1/v/1", "id2/v/1"), shards=16)
    write_plan(plan, tmp_path / "plan.parquet", tmp_path / "shards", shards=16)
    tables = [read_table(p) for p in sorted((tmp_path / "shards").iterdir())]
    assert len(tables) == 16
    assert sorted(u for t in tables for u in t["utterance"]) == ["id1/v/1", "id2/v/1"]
    assert all(list(t.columns) == PLAN_COLUMNS for t in tables)


def test_an_utterance_twice_or_none_at_all_is_refused() -> None:
    with pytest.raises(AvsieveError, match="id1/v/1 occurs twice"):
        build_plan(rows("id1/v/1", "id1/v/1"), shards=1)
    with pytest.raises(AvsieveError, match="no training utterance"):
        build_plan(rows("id1/v/1", subset="test"), shards=1)


def test_speakers_are_held_out_only_without_a_test_set() -> None:
    train = rows(*[f"id{s}/v/1" for s in range(10)])
    plan = build_plan(train, shards=1, holdout=0.3, seed=1)
    assert plan["held_out"].sum() == 3
    both = pd.concat([train, rows("id77/v/1", subset="test")], ignore_index=True)
    assert build_plan(both, shards=1, holdout=0.3, seed=1)["held_out"].sum() == 0


def test_where_too_few_are_left_nobody_is_held_out_and_it_is_said(caplog: pytest.LogCaptureFixture) -> None:
    assert hold_out([f"id{i}" for i in range(10)], 0.1, 0) == set()
    assert "leaves 1 to test and 9 to train" in caplog.text
    assert hold_out(["a", "b"], 0.0, 0) == set()


def test_a_shard_is_told_by_what_fetching_reads_of_its_own_rows() -> None:
    people = [f"id{k}/v/1" for k in range(1, 7)]
    before = rows_in_words(build_plan(rows(*people), 3, 0.4, 0), 3)
    more = rows_in_words(build_plan(rows(*people, "id7/v/1"), 3, 0.4, 0), 3)
    assert list(before) == ["000", "001", "002"]
    assert [before[name] == more[name] for name in before] == [False, True, True]  # whoever is held out now
    assert before["000"].startswith("1 utterance of 1 speaker, digest ")
    for column in ("path", "seconds"):
        other = rows(*people)
        other.loc[0, column] = "other"
        told = rows_in_words(build_plan(other, 3), 3)
        assert [name for name in before if told[name] != before[name]] == ["002"]


def test_an_empty_shard_is_told_too() -> None:
    told = rows_in_words(build_plan(rows("id1/v/1"), 3), 3)
    assert told["000"].startswith("0 utterances of 0 speakers, digest ")
    assert told["002"].startswith("1 utterance of 1 speaker, digest ")


def test_a_plan_that_is_killed_gives_the_same_when_it_is_made_again(tmp_path: Path) -> None:
    plan = build_plan(rows("id1/v/1", "id2/v/1"), shards=4)
    assert survives_kills(lambda out: write_plan(plan, out / "plan.parquet", out / "shards", 4), tmp_path) == 5


def test_a_plan_has_what_its_ids_say() -> None:
    plan = build_plan(rows("id1/v x/1", "Zoë/日/2", "a/b/c"), shards=3)
    assert plan["speaker"].tolist() == ["id1", "Zoë", "a"]
    assert plan["video"].tolist() == ["v x", "日", "b"]
    assert plan["shard"].tolist() == [shard_names(3)[shard_of(s, 3)] for s in ("id1", "Zoë", "a")]
