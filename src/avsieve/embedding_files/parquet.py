"""Parquet: a column of names and one of lists of numbers, as pandas, pyarrow, polars or this library write them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from avsieve.embedding_files.formats import FORMATS
from avsieve.embedding_files.places import Place
from avsieve.embedding_files.raw import Options, Raw, brief, check_lengths, decoding, some
from avsieve.embedding_files.sequence_tables import SEGMENTATION, no_segmentation
from avsieve.errors import AvsieveError
from avsieve.storage.sequence_names import HOPS
from avsieve.storage.tables import decoded
from avsieve.storage.unpacked_size import check_parquet

_EXPECTED = FORMATS["parquet"].name
_NO_VECTOR = "null in place of a vector"


def read(place: Place, options: Options) -> Raw:
    """Read a table of embeddings."""
    segmentation = HOPS if options.several else None
    return read_columns(place.path, options.names_key, options.vectors_key, label=place.text, segmentation=segmentation)


def read_columns(
    path: Path, names_key: str, vectors_key: str, *, label: str | None = None, segmentation: str | None = None
) -> Raw:
    """Read the names and the vectors (N, D) of a table, in the stored precision; nulls become missing rows.

    Of a table with a column of segmentations only the rows of ``segmentation`` are read, where it is given.

    Raises
    ------
    AvsieveError
        If it is no Parquet, a column is not there or of another type, or the vectors differ in length.
    """
    label = str(path) if label is None else label
    with decoding_parquet(label):
        check_parquet(path)
        file = pq.ParquetFile(path, page_checksum_verification=True)
        found = file.schema_arrow.names
    with file:
        if missing := [key for key in (names_key, vectors_key) if key not in found]:
            raise AvsieveError(
                f"{label}: no column {' and '.join(map(repr, missing))}; found {some(found)}; tell other names "
                "(--names-key and --vectors-key; names_key and vectors_key in the configuration)"
            )
        check_once(label, found)
        chosen = segmentation is not None and SEGMENTATION in found
        with decoding_parquet(label):
            table = file.read(columns=[names_key, vectors_key, *([SEGMENTATION] if chosen else [])])
            table.validate()
    if chosen:
        known = [str(name) for name in dict.fromkeys(_names(label, SEGMENTATION, table[SEGMENTATION]))]
        if len(table) and segmentation not in known:
            raise no_segmentation(Path(label), str(segmentation), known)
        with decoding_parquet(label):
            table = table.filter(pc.equal(decoded(table[SEGMENTATION]), segmentation))
    names = _names(label, names_key, table[names_key])
    del file
    return read_vectors(label, vectors_key, table[vectors_key], names)


@contextmanager
def decoding_parquet(label: str) -> Iterator[None]:
    """Turn what Arrow raises on damaged bytes into one line; to be held round its calls only."""
    with decoding(label, _EXPECTED):
        try:
            yield
        except pa.ArrowException as error:  # some are no ValueError
            raise ValueError(brief(error)) from error


def check_once(label: str, names: Sequence[str]) -> None:
    """Refuse a table of which two columns have one name: it does not say which is meant (`AvsieveError`)."""
    if twice := [name for name, count in Counter(names).items() if count > 1]:
        raise AvsieveError(f"{label}: two columns are called {twice[0]!r:.80}; keep one of them")


def check_names(label: str, key: str, kind: pa.DataType) -> None:
    """Refuse a column of names that holds no text.

    Raises
    ------
    AvsieveError
        Naming the column and its type.
    """
    whole, kind = kind, kind.value_type if pa.types.is_dictionary(kind) else kind
    tests = (pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view, pa.types.is_binary,
             pa.types.is_large_binary, pa.types.is_binary_view, pa.types.is_fixed_size_binary)  # fmt: skip
    if not any(test(kind) for test in tests):
        raise AvsieveError(f"{label}: column {key!r} holds {brief_type(whole)}; expected strings")


def _names(label: str, key: str, column: pa.ChunkedArray) -> list[str | bytes | None]:
    check_names(label, key, column.type)
    with decoding_parquet(label):  # bytes that are no text
        return column.to_pylist()


def check_vectors(label: str, key: str, kind: pa.DataType) -> None:
    """Refuse a column of vectors that holds no lists of floats.

    Raises
    ------
    AvsieveError
        Naming the column and its type.
    """
    if not (_is_list(kind) and pa.types.is_floating(kind.value_type)):
        raise AvsieveError(
            f"{label}: column {key!r} holds {brief_type(kind)}; expected a list of floats (float16, float32 or float64)"
        )


def read_vectors(
    label: str, key: str, column: pa.ChunkedArray, names: list[str | bytes | None], *, first: int = 0
) -> Raw:
    """Return the rows of a column that have a vector, without a copy where Arrow's memory allows it.

    Parameters
    ----------
    label, key
        What messages call the table and the column.
    names
        Of its rows.
    first
        How many rows of the table stand before it: messages count from there.

    Raises
    ------
    AvsieveError
        If it holds no lists of floats, or they differ in length.
    """
    kind = column.type
    check_vectors(label, key, kind)
    raw = Raw(names, np.zeros((0, 0), np.float32), numbers=range(first + 1, first + 1 + len(column)) if first else None)
    with decoding_parquet(label):
        there = pc.is_valid(column).to_numpy()
        if not there.all():
            raw.missing = dict.fromkeys(np.flatnonzero(~there).tolist(), _NO_VECTOR)
            column = column.filter(pa.array(there))
        lengths = pc.list_value_length(column).to_numpy() if len(column) else np.zeros(0, np.int64)
    at = np.flatnonzero(there)
    if not (lengths > 0).all():
        raw.missing |= dict.fromkeys(at[lengths == 0].tolist(), "a vector without numbers")
        with decoding_parquet(label):
            column = column.filter(pa.array(lengths > 0))
        at, lengths = at[lengths > 0], lengths[lengths > 0]
    if len(lengths) and (lengths != lengths[0]).any():
        check_lengths(label, raw, lengths.tolist(), at.tolist())
    if not len(lengths):
        dim = kind.list_size if pa.types.is_fixed_size_list(kind) else 0
        raw.matrix = np.zeros((0, dim), kind.value_type.to_pandas_dtype())
        return raw
    with decoding_parquet(label):
        flat = [pc.list_flatten(chunk) for chunk in column.chunks if len(chunk)]
        values = pa.concat_arrays(flat) if len(flat) > 1 else flat[0]
        # A null among the numbers is read as not-a-number: the row is then told as one that is not finite.
        numbers = values.to_numpy(zero_copy_only=False)
    raw.matrix = numbers.reshape(len(lengths), int(lengths[0]))
    return raw


def _is_list(kind: pa.DataType) -> bool:
    views = [getattr(pa.types, f"is_{name}", None) for name in ("list_view", "large_list_view")]
    tests = [pa.types.is_list, pa.types.is_large_list, pa.types.is_fixed_size_list, *(v for v in views if v)]
    return any(test(kind) for test in tests)


def brief_type(kind: pa.DataType) -> str:
    """Name a type in a few words."""
    text = str(kind)
    return text if len(text) <= 60 else f"{text[:59]}…"
