from __future__ import annotations

from pathlib import Path

import pytest

from avsieve.errors import TooManyFailuresError
from avsieve.storage.reasons import DESCRIPTIONS, Reason
from avsieve.storage.status import StatusTable
from avsieve.storage.tables import read_table


def table_with(ok: int, bad: int) -> StatusTable:
    status = StatusTable("extract_media")
    for i in range(ok):
        status.add(f"a/v/{i}", n_frames=7)
    for i in range(bad):
        status.add(f"b/v/{i}", Reason.MEDIA_EMPTY, "0 bytes", n_frames=0)
    return status


def test_every_reason_is_described() -> None:
    assert set(DESCRIPTIONS) == set(Reason)


def test_rows_are_written_with_their_measures(tmp_path: Path) -> None:
    table_with(1, 1).write(tmp_path / "s.parquet")
    rows = read_table(tmp_path / "s.parquet").to_dict("records")
    assert rows == [
        {"utterance": "a/v/0", "code": "ok", "detail": "", "n_frames": 7},
        {"utterance": "b/v/0", "code": "media_empty", "detail": "0 bytes", "n_frames": 0},
    ]


def test_a_table_without_rows_keeps_its_columns(tmp_path: Path) -> None:
    StatusTable("x").write(tmp_path / "s.parquet")
    assert list(read_table(tmp_path / "s.parquet").columns) == ["utterance", "code", "detail"]


def test_a_table_without_rows_has_the_measures_that_the_next_stage_reads(tmp_path: Path) -> None:
    StatusTable("extract_media", n_frames="int64").write(tmp_path / "s.parquet")
    table = read_table(tmp_path / "s.parquet")
    assert list(table.columns) == ["utterance", "code", "detail", "n_frames"]
    assert table["n_frames"].dtype == "int64"


def test_few_failures_pass_and_many_name_their_reasons() -> None:
    table_with(9, 1).check(0.1)
    with pytest.raises(TooManyFailuresError, match=r"2 of 10 .*20\.0%.*max_failed \(10\.0%\).*media_empty x 2.*b/v/0"):
        table_with(8, 2).check(0.1)


def test_failures_of_an_earlier_stage_do_not_count_again() -> None:
    table_with(8, 2).check(0.0, already_failed=2)
    table_with(0, 2).check(0.0, already_failed=2)
    with pytest.raises(TooManyFailuresError):
        table_with(8, 3).check(0.1, already_failed=2)
