"""Our own embedding tables: Parquet with ``utterance`` and ``embedding`` (a fixed-size list of floats)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from avsieve.embedding_files.formats import NAMES_KEY, VECTORS_KEY
from avsieve.embedding_files.parquet import read_columns
from avsieve.errors import AvsieveError
from avsieve.storage.tables import open_table, write_table

_GROUP_BYTES = 32 * 2**20


def write_embeddings(
    path: str | Path, utterances: list[str], embeddings: np.ndarray, **columns: list | np.ndarray
) -> None:
    """Write embeddings of shape (N, D), float16 or float32, with further columns of N values each.

    Zero rows are fine: the table then has ``D`` from the array's shape.
    """
    if embeddings.ndim != 2 or len(embeddings) != len(utterances):
        raise AvsieveError(f"{path}: {len(utterances)} utterances but embeddings of shape {embeddings.shape}")
    table = as_table(pa.array(utterances, pa.string()), embeddings, columns)
    write_table(path, table, group_rows=rows_of_group(embeddings.shape[1], embeddings.itemsize))


def as_table(utterances: pa.Array, embeddings: np.ndarray, columns: Mapping[str, Any]) -> pa.Table:
    """Return such a table: embeddings (N, D), and further columns of N values each."""
    flat = pa.array(np.ascontiguousarray(embeddings).reshape(-1))
    table = {"utterance": utterances, "embedding": pa.FixedSizeListArray.from_arrays(flat, embeddings.shape[1])}
    return pa.table(table | {k: pa.array(v) for k, v in columns.items()})


def rows_of_group(dim: int, itemsize: int) -> int:
    """Return how many rows of ``dim`` numbers a row group has: what has to be in memory for reading one of them."""
    return max(1, _GROUP_BYTES // max(1, dim * itemsize))


def read_embeddings(path: str | Path) -> tuple[list[str], np.ndarray]:
    """Read the ids and the embeddings (N, D) in the stored precision, from a table that `write_embeddings` wrote.

    Tables that users bring are read by `avsieve.embedding_files.reading.read_tables`.

    Raises
    ------
    AvsieveError
        If the columns are not there, a row has no name or no embedding, or the lengths of the embeddings differ.
    """
    raw = read_columns(Path(path), NAMES_KEY, VECTORS_KEY)
    nameless = next((i for i, name in enumerate(raw.names) if name is None), None)
    if raw.missing or nameless is not None:
        row = min(raw.missing) if raw.missing else nameless or 0
        raise AvsieveError(
            f"{path}: row {row + 1} has null for its name or embedding; run the stage that wrote it again"
        )
    return list(raw.names), raw.matrix


def read_measures(path: str | Path) -> dict[str, np.ndarray]:
    """Read the further columns of numbers of such a table, name -> (N,) float32; NaN where a row has none."""
    with open_table(path, ["utterance", "embedding"]) as file:
        schema = file.schema_arrow
        numbers = [f.name for f in schema if pa.types.is_integer(f.type) or pa.types.is_floating(f.type)]
        table = file.read(columns=numbers)
    return {name: table[name].to_pandas().to_numpy(np.float32, na_value=np.nan) for name in numbers}
