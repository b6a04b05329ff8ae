"""Tables of segments or faces that users bring: several rows an utterance, in any order, read a batch at a time.

A table of VoxCeleb2's faces has millions of rows: neither its embeddings nor a row group of them need fit the memory.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from avsieve.embedding_files.names import text_of
from avsieve.embedding_files.parquet import (
    brief_type,
    check_names,
    check_once,
    check_vectors,
    decoding_parquet,
    read_vectors,
)
from avsieve.embedding_files.raw import Options, some
from avsieve.embedding_files.rows import as_floats, judge
from avsieve.embedding_files.sequence_tables import KNOWN, SEGMENTATION
from avsieve.errors import AvsieveError
from avsieve.lists.train_list import utterance_of
from avsieve.storage.reasons import Reason
from avsieve.storage.unpacked_size import check_parquet

FRAME, SEGMENT = "frame", "segment"
"""What a face and a segment are called: text, such as a time, or a number; and a number."""
NAMELESS = -2
"""The place of a row without a name."""

_NAMED_ROWS, _ROWS = 1 << 16, 1 << 13  # that are decoded at a time, without and with their embeddings
_BUFFER = 1 << 20  # bytes that are read at a time: otherwise a whole column of a row group is in memory
_NUMBER = r"^[0-9]{1,15}$"


@dataclass(frozen=True)
class ItemTable:
    """A table of segments or faces, as its footer describes it.

    Attributes
    ----------
    path, options
        Where it is, and how names and vectors are found in it.
    rows, dim
        How many rows, and the length of an embedding; 0 where the footer does not tell.
    columns
        What it has beside these: of faces those of `KNOWN` and `FRAME`, of segments those of `KNOWN`,
        `SEGMENTATION` and `SEGMENT`.
    """

    path: str
    options: Options
    rows: int
    dim: int
    columns: tuple[str, ...]


class Items(NamedTuple):
    """Some rows of a table, n of them.

    Attributes
    ----------
    place
        (n,) int64, what the caller's function says of the name; `NAMELESS` where there is none.
    segmentation
        (n,) strings, null where the table has no such column.
    known
        Name of `KNOWN` -> (n,) float64, NaN where nothing is known.
    frame
        (n,) strings, null where the table has none.
    number
        (n,) float64, the segment's, or that which ``frame`` is; NaN where there is none.
    """

    place: np.ndarray
    segmentation: pa.Array
    known: dict[str, np.ndarray]
    frame: pa.Array
    number: np.ndarray


def describe_table(path: str, options: Options, *, of_faces: bool) -> ItemTable:
    """Look at the columns of a table of segments or faces, and their types.

    Raises
    ------
    AvsieveError
        If it is no Parquet, a column is not there or holds something else.
    """
    if not Path(path).is_file():
        raise AvsieveError(f"{path}: no such file; expected a Parquet table of segments or faces")
    with _opened(path) as file:
        schema, rows = file.schema_arrow, file.metadata.num_rows
    if missing := [key for key in (options.names_key, options.vectors_key) if key not in schema.names]:
        raise AvsieveError(
            f"{path}: no column {' and '.join(map(repr, missing))}; found {some(schema.names)}; set names_key and "
            "vectors_key to the names of yours"
        )
    check_once(path, schema.names)
    check_names(path, options.names_key, schema.field(options.names_key).type)
    vectors = schema.field(options.vectors_key).type
    check_vectors(path, options.vectors_key, vectors)
    own = (FRAME,) if of_faces else (SEGMENTATION, SEGMENT)
    columns = tuple(name for name in (*KNOWN, *own) if name in schema.names)
    for name in columns:
        kind = schema.field(name).type
        number, whole = pa.types.is_floating(kind) or pa.types.is_decimal(kind), pa.types.is_integer(kind)
        if name in (*KNOWN, SEGMENT) and not number and not whole:
            raise AvsieveError(f"{path}: column {name!r} holds {brief_type(kind)}; expected numbers")
        if name == SEGMENTATION or (name == FRAME and not whole):
            check_names(path, name, kind)
    dim = vectors.list_size if pa.types.is_fixed_size_list(vectors) else 0
    return ItemTable(path, options, rows, dim, columns)


def read_items(table: ItemTable, place_of: Callable[[str], int]) -> Iterator[Items]:
    """Yield what is known of the rows, without their embeddings, in their order.

    Parameters
    ----------
    place_of
        Tells a number of an utterance, at least -1; it is asked once a batch of each.

    Raises
    ------
    AvsieveError
        If the file is damaged.
    """
    key, prefix = table.options.names_key, table.options.strip_prefix
    for batch in _batches(table, [key, *table.columns], _NAMED_ROWS):
        names = _encoded(batch[key])
        known = [text_of(name) for name in names.dictionary.to_pylist()]
        places = [place_of(utterance_of(name, prefix)) if name else NAMELESS for name in known]
        codes = names.indices.fill_null(len(places)).to_numpy(zero_copy_only=False)
        texts = {name: _texts(batch[name]) for name in (SEGMENTATION, FRAME) if name in table.columns}
        nothing = pa.nulls(len(batch), pa.string())
        frame = texts.get(FRAME, nothing)
        if SEGMENT in table.columns:
            number = _numbers(batch[SEGMENT])
        else:
            own = pc.match_substring_regex(frame, _NUMBER)
            number = _numbers(pc.if_else(own, frame, pa.scalar(None, pa.string())))
        yield Items(
            np.array([*places, NAMELESS], np.int64)[codes],
            texts.get(SEGMENTATION, nothing),
            {name: _numbers(batch[name]) for name in KNOWN if name in table.columns},
            frame,
            number,
        )


def read_item_vectors(table: ItemTable, wanted: np.ndarray) -> Iterator[tuple[np.ndarray, dict[int, Reason]]]:
    """Yield the embeddings of the rows that are ``wanted`` (N,) bool, (n, D) float16 and what is wrong with some.

    Rows that hold no embedding are zero, and have a reason, by their position in what is yielded. Those whose numbers
    half precision cannot hold are brought to length 1, which changes no cosine.

    Raises
    ------
    AvsieveError
        If the file is damaged, or the lengths of the embeddings differ.
    """
    names_key, key = table.options.names_key, table.options.vectors_key
    first = 0
    for batch in _batches(table, [names_key, key], _ROWS):
        own = wanted[first : first + len(batch)]
        begin, first = first, first + len(batch)
        if not own.any():
            continue
        column = pa.chunked_array([batch[key]])
        raw = read_vectors(table.path, key, column, batch[names_key].to_pylist(), first=begin)
        found, judged = judge(as_floats(raw.matrix))
        with_vector = np.delete(np.arange(len(batch)), list(raw.missing))
        reasons = dict.fromkeys(raw.missing, Reason.EMBEDDING_MISSING)
        reasons |= {int(with_vector[k]): Reason.EMBEDDING_NOT_FINITE for k in judged}
        good = np.delete(np.arange(len(with_vector)), list(judged))
        matrix = np.zeros((len(batch), found.shape[1] or table.dim), np.float16)
        matrix[with_vector[good]] = as_halves(found[good])
        rank = np.cumsum(own) - 1
        yield matrix[own], {int(rank[k]): why for k, why in reasons.items() if own[k]}


def as_halves(vectors: np.ndarray) -> np.ndarray:
    """Return embeddings (N, D), finite and none of them zero, in half precision.

    Above 65504 it has no numbers, and below 6e-5 few digits: rows whose largest number lies outside 1e-3 to 6e4 are
    brought to length 1.
    """
    if vectors.dtype == np.float16 or not vectors.size:
        return vectors.astype(np.float16, copy=False)
    largest = np.abs(vectors).max(axis=1)
    far = (largest > 6e4) | (largest < 1e-3)
    if far.any():
        vectors = vectors.copy()
        rows = vectors[far].astype(np.float64)
        vectors[far] = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    return vectors.astype(np.float16)


def _opened(path: str) -> pq.ParquetFile:
    with decoding_parquet(path):
        check_parquet(path)
        # Without `pre_buffer=False` all that will be read of the file is.
        return pq.ParquetFile(path, buffer_size=_BUFFER, pre_buffer=False, page_checksum_verification=True)


def _batches(table: ItemTable, columns: list[str], rows: int) -> Iterator[pa.RecordBatch]:
    with _opened(table.path) as file:
        batches = file.iter_batches(rows, columns=columns)
        while True:
            with decoding_parquet(table.path):
                batch = next(batches, None)
                if batch is not None:
                    batch.validate()
            if batch is None:
                return
            yield batch


def _encoded(column: pa.Array) -> pa.DictionaryArray:
    """Return a column of names with each of them once."""
    kind = column.type
    if pa.types.is_dictionary(kind):
        return column
    plain = pa.binary() if "binary" in str(kind) else pa.string()
    return column.cast(plain).dictionary_encode()


def _texts(column: pa.Array) -> pa.Array:
    """Return a column of text or whole numbers as strings."""
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    return column.cast(pa.string())


def _numbers(column: pa.Array) -> np.ndarray:
    """Return a column as float64; NaN where nothing is known."""
    # Above 2^53 the nearest float stands for a whole number: Arrow would refuse it.
    values = (
        column.cast(pa.float64(), safe=not pa.types.is_integer(column.type))
        .fill_null(np.nan)
        .to_numpy(zero_copy_only=False)
    )
    return np.where(np.isfinite(values), values, np.nan)
