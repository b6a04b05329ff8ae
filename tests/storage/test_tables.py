from __future__ import annotations

from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from avsieve.errors import AvsieveError
from avsieve.storage.tables import read_table, write_parts, write_table


def test_equal_rows_give_equal_bytes_whatever_their_index(tmp_path: Path) -> None:
    frame = pd.DataFrame({"utterance": ["a/v/1", "b/v/1"], "n": [1, 2]})
    write_table(tmp_path / "a.parquet", frame)
    write_table(tmp_path / "b.parquet", frame.set_axis([7, 9]))
    assert (tmp_path / "a.parquet").read_bytes() == (tmp_path / "b.parquet").read_bytes()
    assert read_table(tmp_path / "b.parquet").equals(frame)


def test_tables_are_packed_with_zstd(tmp_path: Path) -> None:
    write_table(tmp_path / "t.parquet", pa.table({"n": list(range(100))}))
    assert pq.read_metadata(tmp_path / "t.parquet").row_group(0).column(0).compression == "ZSTD"


def test_some_columns_alone_are_read(tmp_path: Path) -> None:
    write_table(tmp_path / "t.parquet", pa.table({"a": [1], "b": [2], "c": [3]}))
    assert list(read_table(tmp_path / "t.parquet", ["c", "a"]).columns) == ["c", "a"]


def test_a_table_that_cannot_be_used_is_told_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(AvsieveError, match=r"none\.parquet: no such table; run the stage that makes it first"):
        read_table(tmp_path / "none.parquet")
    (tmp_path / "text.parquet").write_text("no table")
    with pytest.raises(
        AvsieveError, match=r"text\.parquet: not a Parquet table, or damaged .*; remove it and run its stage again"
    ):
        read_table(tmp_path / "text.parquet")
    write_table(tmp_path / "t.parquet", pa.table({"a": [1]}))
    with pytest.raises(AvsieveError, match=r"columns \['b'\] are missing, found \['a'\]; run its stage again"):
        read_table(tmp_path / "t.parquet", ["a", "b"])


def test_a_table_of_parts_has_a_row_group_of_each(tmp_path: Path) -> None:
    parts = [pa.table({"n": [1, 2], "x": ["a", "b"]}), pa.table({"n": [3], "x": ["c"]})]
    write_parts(tmp_path / "t.parquet", iter(parts))
    assert read_table(tmp_path / "t.parquet").to_dict("list") == {"n": [1, 2, 3], "x": ["a", "b", "c"]}
    assert pq.read_metadata(tmp_path / "t.parquet").num_row_groups == 2
    write_parts(tmp_path / "e.parquet", [parts[0][:0]])
    assert read_table(tmp_path / "e.parquet").empty
    with pytest.raises(AvsieveError, match=r"n\.parquet: a table of no parts"):
        write_parts(tmp_path / "n.parquet", [])
    assert not (tmp_path / "n.parquet").exists()
