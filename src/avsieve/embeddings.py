"""Embedding tables: Parquet with ``utterance`` and ``embedding`` (a fixed-size list of floats)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from avsieve.errors import AvsieveError
from avsieve.tables import write_table


def write_embeddings(
    path: str | Path, utterances: list[str], embeddings: np.ndarray, **columns: list | np.ndarray
) -> None:
    """Write embeddings of shape (N, D), float16 or float32, with further columns of N values each.

    Zero rows are fine: the table then has ``D`` from the array's shape.
    """
    if embeddings.ndim != 2 or len(embeddings) != len(utterances):
        raise AvsieveError(f"{path}: {len(utterances)} utterances but embeddings of shape {embeddings.shape}")
    flat = pa.array(np.ascontiguousarray(embeddings).reshape(-1))
    table = {
        "utterance": pa.array(utterances, pa.string()),
        "embedding": pa.FixedSizeListArray.from_arrays(flat, embeddings.shape[1]),
    }
    write_table(path, pa.table(table | {k: pa.array(v) for k, v in columns.items()}))


def read_embeddings(path: str | Path) -> tuple[list[str], np.ndarray]:
    """Read the ids and the embeddings (N, D) in the stored precision.

    Raises
    ------
    AvsieveError
        If the columns are not there or the lengths of the embeddings differ.
    """
    table = pq.read_table(path)
    if missing := {"utterance", "embedding"} - set(table.column_names):
        raise AvsieveError(f"{path}: no column {sorted(missing)}; found {table.column_names}")
    column = table["embedding"].combine_chunks()
    if isinstance(column, pa.ChunkedArray):
        column = pa.concat_arrays(column.chunks)
    if not pa.types.is_fixed_size_list(column.type):
        lengths = set(column.value_lengths().to_pylist())
        if len(lengths) > 1:
            raise AvsieveError(f"{path}: embeddings of different lengths {sorted(lengths)[:5]}; expected one length")
        dim = lengths.pop() if lengths else 0
    else:
        dim = column.type.list_size
    return table["utterance"].to_pylist(), column.flatten().to_numpy(zero_copy_only=False).reshape(len(table), dim)
