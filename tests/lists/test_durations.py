from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from avsieve.errors import AvsieveError
from avsieve.lists.durations import durations_of
from avsieve.storage.tables import write_table


def plan(path: Path, seconds: list[str]) -> Path:
    names = ["a/v/1", "b/v/1", "c/v/1"]
    subset = ["train", "test", "train"]
    write_table(path, pd.DataFrame({"utterance": names, "subset": subset, "seconds": seconds}))
    return path


def test_the_text_of_the_list_wins_over_the_media(tmp_path: Path) -> None:
    write_table(tmp_path / "000.parquet", pd.DataFrame({"utterance": ["a/v/1", "c/v/1"], "duration_s": [9.0, 1.25]}))
    names, seconds = durations_of(plan(tmp_path / "plan.parquet", ["7.36", "", ""]), [tmp_path / "000.parquet"])
    assert names == ["a/v/1", "c/v/1"]
    assert seconds == ["7.36", "1.250"]


def test_what_could_not_be_opened_has_no_duration(tmp_path: Path) -> None:
    write_table(tmp_path / "000.parquet", pd.DataFrame({"utterance": ["a/v/1"], "duration_s": [float("nan")]}))
    table = plan(tmp_path / "plan.parquet", ["", "", ""])
    assert durations_of(table, [tmp_path / "000.parquet"])[1] == ["nan", "nan"]
    assert durations_of(table)[1] == ["nan", "nan"]
    nobody = pd.DataFrame({"utterance": ["a/v/1"], "duration_s": [None]})  # a shard without any that could be opened
    write_table(tmp_path / "000.parquet", nobody)
    assert durations_of(table, [tmp_path / "000.parquet"])[1] == ["nan", "nan"]


def test_a_list_with_all_its_lengths_needs_no_media(tmp_path: Path) -> None:
    table = plan(tmp_path / "plan.parquet", ["1", "2", "3"])
    assert durations_of(table, [tmp_path / "none.parquet"])[1] == ["1", "3"]
    with pytest.raises(AvsieveError, match="no such table"):
        durations_of(plan(tmp_path / "plan.parquet", ["1", "2", ""]), [tmp_path / "none.parquet"])
