"""Footers of Parquet files: read as they are written, and refused where they lie, before Arrow sees them."""

from __future__ import annotations

import itertools
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from avsieve.embedding_files.item_tables import describe_table
from avsieve.embedding_files.raw import Options
from avsieve.embedding_files.reading import read_tables
from avsieve.errors import AvsieveError
from avsieve.storage.parquet_footer import Claim, claim_of
from avsieve.storage.tables import read_arrow, read_table, write_table

READERS = {
    "embeddings": read_tables,
    "table": read_table,
    "rows of a table": lambda path: read_arrow(path, where=("utterance", "a/v/1")),
    "items": lambda path: describe_table(str(path), Options(), of_faces=True),
}


def table(rows: int) -> pa.Table:
    vectors = pa.FixedSizeListArray.from_arrays(pa.array(np.ones(4 * rows, np.float32)), 4)
    return pa.table({"utterance": [f"a/v/{k}" for k in range(rows)], "embedding": vectors})


WAYS = {
    "as the results": {"compression": "zstd", "write_page_checksum": True},
    "small row groups": {"row_group_size": 7},
    "old": {"version": "1.0", "store_schema": False, "use_dictionary": False},
    "new": {"version": "2.6", "data_page_version": "2.0", "write_page_index": True, "compression": "brotli"},
    "without statistics": {"write_statistics": False},
    "with a sum and a bloom filter": {"sorting_columns": [pq.SortingColumn(0)], "write_batch_size": 3},
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("rows", [0, 1, 40])
def test_a_footer_claims_what_arrow_says(tmp_path: Path, way: str, rows: int) -> None:
    path = tmp_path / "x.parquet"
    pq.write_table(table(rows), path, **WAYS[way])
    meta = pq.read_metadata(path)
    groups = [meta.row_group(k) for k in range(meta.num_row_groups)]
    values = max((group.column(k).num_values for group in groups for k in range(group.num_columns)), default=0)
    assert claim_of(path) == Claim(rows, values)


# Thrift's compact protocol, as far as a footer needs it.


def varint(n: int) -> bytes:
    return varint_of(n >> 7, n & 0x7F)


def varint_of(rest: int, low: int) -> bytes:
    return bytes([low | 0x80]) + varint(rest) if rest else bytes([low])


def number(n: int) -> tuple[int, bytes]:
    return 6, varint(n << 1 if n >= 0 else (-n << 1) - 1)


def text(words: bytes) -> tuple[int, bytes]:
    return 8, varint(len(words)) + words


def struct(fields: dict[int, tuple[int, bytes]]) -> tuple[int, bytes]:
    numbers = [0, *fields]
    heads = [bytes([(b - a) << 4 | fields[b][0]]) for a, b in itertools.pairwise(numbers)]
    return 12, b"".join(head + body for head, (_, body) in zip(heads, fields.values(), strict=True)) + b"\0"


def items(kind: int, count: int, content: bytes) -> tuple[int, bytes]:
    return 9, (bytes([count << 4 | kind]) if count < 15 else bytes([0xF0 | kind]) + varint(count)) + content


def whole(footer: tuple[int, bytes], length: int | None = None) -> bytes:
    content = footer[1]
    told = len(content) if length is None else length
    return b"PAR1" + content + told.to_bytes(4, "little") + b"PAR1"


def column(values: int) -> bytes:
    return struct({2: number(4), 3: struct({5: number(values), 6: number(1)})})[1]


def deep(levels: int) -> tuple[int, bytes]:
    inner = b"".join(struct({3: (5, varint(0)), 4: text(b"a"), 5: (5, varint(2))})[1] for _ in range(levels))
    return items(12, levels + 1, inner + struct({1: (5, varint(2)), 4: text(b"a")})[1])


SCHEMA = deep(1)
HOSTILE: dict[str, tuple[bytes, str]] = {
    "nothing": (b"", "no Parquet|empty"),
    "the magic number alone": (b"PAR1" * 2, "no Parquet"),
    "cut off": (whole(struct({1: number(1)}))[:-2], "no Parquet"),
    "encrypted": (whole(struct({1: number(1)}))[:-4] + b"PARE", "no Parquet"),
    "a footer longer than the file": (whole(struct({1: number(1)}), 2**31 - 1), "a footer of 2147483647 bytes"),
    "a footer that ends nowhere": (whole((12, b"\x15")), "breaks off"),
    "a text longer than the footer": (whole(struct({1: number(1), 6: (8, varint(2**40))})), "breaks off"),
    "a number without end": (whole((12, b"\x16" + b"\xff" * 40)), "more than 64 bits"),
    "a kind that there is not": (whole((12, b"\x1d\0")), "which there is not"),
    "a billion row groups": (whole(struct({3: number(5), 4: items(12, 10**9, b"")})), "a list of 1000000000"),
    "a million columns": (
        whole(struct({3: number(5), 4: items(12, 1, struct({1: items(12, 10**6, b"")})[1])})),
        "a list of 1000000",
    ),
    "texts in place of row groups": (whole(struct({4: items(8, 3, b"\1a\1a\1a")})), "a list of kind 8"),
    "a list in place of the rows": (whole(struct({3: items(6, 1, b"\2")})), "in place of a number"),
    "columns of columns of columns": (whole(struct({2: deep(3000)})), "nested more than 100 deep"),
    "structures of structures": (whole((12, b"\x9c" + b"\x1c" * 5000 + b"\0" * 5001)), "nested more than 100 deep"),
    "a quintillion rows": (whole(struct({2: SCHEMA, 3: number(10**18), 4: items(12, 0, b"")})), "10{18} values"),
    "a quintillion values": (
        whole(struct({2: SCHEMA, 3: number(1), 4: items(12, 1, struct({1: items(12, 1, column(10**18))})[1])})),
        "10{18} values",
    ),
}  # fmt: skip


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("name", HOSTILE)
def test_a_footer_that_lies_is_refused_in_a_line(tmp_path: Path, reader: str, name: str) -> None:
    path = tmp_path / "x.parquet"
    content, message = HOSTILE[name]
    path.write_bytes(content)
    begin = time.process_time()
    with pytest.raises(AvsieveError, match=message) as caught:
        READERS[reader](path)
    assert "x.parquet" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert time.process_time() - begin < 1


def contradicted(path: Path, most: int = 2) -> list[bytes]:
    """Return tables with one bit of the footer turned each, of which Arrow says that histograms differ."""
    pq.write_table(table(40), path, compression="zstd", write_page_checksum=True)
    whole = path.read_bytes()
    begin = len(whole) - 8 - int.from_bytes(whole[-8:-4], "little")
    found: list[bytes] = []
    for at in range(begin, len(whole) - 8):
        changed = whole[:at] + bytes([whole[at] ^ 0x10]) + whole[at + 1 :]
        path.write_bytes(changed)
        try:
            pq.ParquetFile(path).read()
        except (pa.ArrowException, OSError) as error:
            if "histogram size mismatch" in str(error):
                found.append(changed)
        if len(found) == most:
            break
    return found


def ended(work: Callable[[], object]) -> int:
    """Run ``work`` in a process of its own, at most 20 s of it, and return its status: 0 where it raised our error."""
    child = os.fork()
    if not child:
        signal.alarm(20)
        try:
            work()
        except AvsieveError:
            os._exit(0)
        finally:
            os._exit(1)
    return os.waitpid(child, 0)[1]


@pytest.mark.skipif(int(pa.__version__.split(".")[0]) < 20, reason="this Arrow writes no histograms of levels")
def test_facts_of_a_column_that_contradict_each_other_end_and_hang_nothing(tmp_path: Path) -> None:
    """Python's view of such a column ends the process, and Arrow's own filter of its rows waits for ever."""
    path = tmp_path / "x.parquet"
    several = contradicted(path)
    assert several
    for content in several:
        path.write_bytes(content)
        for read in (read_tables, read_table, READERS["rows of a table"]):
            assert ended(lambda read=read: read(path)) == 0


def test_rows_with_a_text_are_those_that_a_mask_gives(tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    names = pa.array(["b", "a", None, "b", "c"])
    for column_ in (names, names.dictionary_encode()):
        write_table(path, pa.table({"key": column_, "k": range(5)}), group_rows=2)
        found = read_arrow(path, where=("key", "b"))
        assert found.to_pydict() == {"key": ["b", "b"], "k": [0, 3]}
        assert read_arrow(path, ["k"], where=("key", "b")).to_pydict() == {"k": [0, 3]}
        assert read_arrow(path, ["k"], where=("key", ["c", "a", "x"])).to_pydict() == {"k": [1, 4]}
        assert read_arrow(path, ["key"], where=("k", 3)).to_pydict() == {"key": ["b"]}
        none = read_arrow(path, ["k"], where=("key", "x"))
        assert none.to_pydict() == {"k": []}
        assert none.schema == found.select(["k"]).schema
    with pytest.raises(AvsieveError, match="missing"):
        read_arrow(path, ["k"], where=("speaker", "b"))
