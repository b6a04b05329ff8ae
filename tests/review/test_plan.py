from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from avsieve.errors import AvsieveError
from avsieve.review.draw import draw
from avsieve.review.entry import ReviewError
from avsieve.review.plan import SCHEMA, check_decisions, plan_of, read_plan, write_plan

from .populations import SHA, population


def made(count: int = 40, seed: int = 3):
    some, _ = population()
    return plan_of(some, draw(some, count, seed), count, seed)


def test_a_plan_is_read_as_it_was_written_and_equal_plans_have_equal_bytes(tmp_path: Path) -> None:
    plan = made()
    write_plan(tmp_path / "a.parquet", plan)
    write_plan(tmp_path / "b.parquet", made())
    assert (tmp_path / "a.parquet").read_bytes() == (tmp_path / "b.parquet").read_bytes()
    found = read_plan(tmp_path / "a.parquet")
    assert vars(found) | {"probability": None} == vars(plan) | {"probability": None}
    assert np.array_equal(found.probability, plan.probability)
    table = pq.read_table(tmp_path / "a.parquet")
    assert table.schema.names == SCHEMA.names
    assert table["order"].to_pylist() == list(range(1, len(plan) + 1))
    assert set(table["arm"].to_pylist()) == {"certain", "sampled"}
    assert table["video"][0].as_py() == table["utterance"][0].as_py().rsplit("/", 1)[0]
    assert set(table["decisions_sha256"].to_pylist()) == {SHA}


def test_rows_in_another_order_are_read_in_the_plan_s(tmp_path: Path) -> None:
    plan = made()
    write_plan(tmp_path / "a.parquet", plan)
    table = pq.read_table(tmp_path / "a.parquet").sort_by("utterance")
    pq.write_table(table, tmp_path / "b.parquet")
    assert read_plan(tmp_path / "b.parquet").utterance == plan.utterance


def test_what_is_no_plan_is_refused(tmp_path: Path) -> None:
    with pytest.raises(AvsieveError, match="no such table"):
        read_plan(tmp_path / "a.parquet")
    pq.write_table(SCHEMA.empty_table(), tmp_path / "empty.parquet")
    with pytest.raises(ReviewError, match=r"without a clip; draw one \(avsieve review RESULTS --plan"):
        read_plan(tmp_path / "empty.parquet")
    write_plan(tmp_path / "a.parquet", made())
    table = pq.read_table(tmp_path / "a.parquet")
    pq.write_table(table.drop_columns(["arm"]), tmp_path / "b.parquet")
    with pytest.raises(AvsieveError, match=r"\['arm'\] are missing"):
        read_plan(tmp_path / "b.parquet")
    mixed = pa.array([SHA] * (len(table) - 1) + ["b" * 64])
    place = table.schema.get_field_index("decisions_sha256")
    pq.write_table(table.set_column(place, "decisions_sha256", mixed), tmp_path / "c.parquet")
    with pytest.raises(ReviewError, match="2 values of decisions_sha256; expected one"):
        read_plan(tmp_path / "c.parquet")


def test_other_decisions_than_those_it_was_drawn_from_are_refused_with_the_remedy() -> None:
    plan = made()
    check_decisions("plan", plan, "decisions.parquet", SHA)
    with pytest.raises(ReviewError, match=r"aaaaaaaaaaaa.*is bbbbbbbbbbbb.*cleansed anew.*--new-plan"):
        check_decisions("plan", plan, "decisions.parquet", "b" * 64)
