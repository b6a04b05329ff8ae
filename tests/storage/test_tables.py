from __future__ import annotations

import errno
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from avsieve.errors import AvsieveError
from avsieve.storage.tables import open_table, read_arrow, read_table, row_count, write_parts, write_table


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
        AvsieveError, match=r"text\.parquet: not a Parquet table, .*; remove it and run Snakemake again"
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


def turned(path: Path, step: int) -> Iterator[tuple[int, bytes]]:
    """Yield a file's content with one bit of every ``step``-th byte turned, one after the other."""
    content = path.read_bytes()
    for at in range(0, len(content), step):
        yield at, content[:at] + bytes([content[at] ^ 1 << at % 8]) + content[at + 1 :]


def test_a_turned_bit_is_an_error_or_changes_nothing_that_is_read(tmp_path: Path) -> None:
    """Whatever byte of the pages it is in; the foot of the file, which has no checksum, is verify's."""
    path = tmp_path / "t.parquet"
    ids = [f"id{n % 5}/v/{n:05d}" for n in range(40)]
    vectors = pa.FixedSizeListArray.from_arrays(pa.array(np.linspace(-1, 1, 320), pa.float32()), 8)
    write_table(path, pa.table({"utterance": ids, "embedding": vectors}))
    expected = read_arrow(path)
    foot = pq.read_metadata(path).serialized_size + 8
    size, wrong, told = path.stat().st_size, [], 0
    for at, content in turned(path, 7):
        path.write_bytes(content)
        try:
            found = read_arrow(path)
        except AvsieveError as error:
            assert f"remove it and run Snakemake again, which makes it anew (rm {path})" in str(error)  # noqa: PT017
            told += 1
        else:
            if at < size - foot and not found.equals(expected):
                wrong.append(at)
    assert not wrong
    assert told > 0.8 * (size - foot) / 7


def test_a_table_that_was_cut_off_anywhere_is_told(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    write_table(path, pa.table({"n": list(range(100))}))
    content = path.read_bytes()
    for size in range(0, len(content), 7):
        path.write_bytes(content[:size])
        with pytest.raises(AvsieveError, match=r"t\.parquet: not a Parquet table, or damaged .*; remove it"):
            read_table(path)


def test_damage_is_told_by_every_way_to_read(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    write_table(path, pa.table({"n": np.arange(3000) * 7919 % 3001}), group_rows=1000)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 4
    path.write_bytes(content)
    ways: list[Callable[[], object]] = [
        lambda: open_table(path).read(),
        lambda: [open_table(path).read_row_group(n) for n in range(3)],
        lambda: open_table(path).read_row_groups([0, 1, 2]),
        lambda: list(open_table(path).iter_batches(100)),
        lambda: read_arrow(path, ["n"], where=("n", 5)),
    ]
    for way in ways:
        with pytest.raises(AvsieveError, match=r"t\.parquet: .*CRC.*remove it and run Snakemake again"):
            way()
    with open_table(path) as file:
        assert file.read_row_group(0).num_rows == 1000  # of a part that is whole


def test_a_table_that_may_not_be_read_is_not_called_damaged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object, **__: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    write_table(tmp_path / "t.parquet", pa.table({"n": [1]}))
    monkeypatch.setattr(pq.ParquetFile, "__init__", refused)
    with pytest.raises(AvsieveError, match=r"t\.parquet: cannot be read \(Permission denied\); mend that first"):
        read_table(tmp_path / "t.parquet")


def test_columns_that_another_tool_wrote_as_categories_are_read_as_text(tmp_path: Path) -> None:
    table = pa.table({"utterance": pa.array(["a/v/1", "a/v/1"]).dictionary_encode(), "n_frames": [1, 2]})
    pq.write_table(table, tmp_path / "x.parquet")
    frame = read_table(tmp_path / "x.parquet")
    assert frame["utterance"].dtype == pd.DataFrame({"x": ["a"]})["x"].dtype
    assert frame.to_dict("list") == {"utterance": ["a/v/1", "a/v/1"], "n_frames": [1, 2]}


def test_rows_are_counted_without_reading_any(tmp_path: Path) -> None:
    write_table(tmp_path / "x.parquet", pd.DataFrame({"utterance": ["a/v/1", "a/v/2"]}))
    assert row_count(tmp_path / "x.parquet") == 2
    (tmp_path / "y.parquet").write_bytes(b"PAR1")
    with pytest.raises(AvsieveError, match=r"y\.parquet: not a Parquet table"):
        row_count(tmp_path / "y.parquet")
    with pytest.raises(AvsieveError, match="no such table"):
        row_count(tmp_path / "z.parquet")


def test_ids_are_text_however_they_were_written_and_other_columns_stay_coded(tmp_path: Path) -> None:
    coded = pa.array(["a/v/1", "b/w/1"]).dictionary_encode()
    pq.write_table(pa.table({"utterance": coded, "speaker": coded}), tmp_path / "x.parquet", row_group_size=1)
    with open_table(tmp_path / "x.parquet") as file:
        tables = [file.read(), file.read_row_group(1), file.read_row_groups([0, 1])]
        tables += [pa.Table.from_batches([batch]) for batch in file.iter_batches()]
    for found in tables:
        assert [field.type for field in found.schema] == [pa.string(), coded.type]
    assert tables[0]["utterance"].to_pylist() == ["a/v/1", "b/w/1"]
    assert read_arrow(tmp_path / "x.parquet", where=("utterance", "b/w/1"))["speaker"].to_pylist() == ["b/w/1"]
