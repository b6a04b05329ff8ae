"""Embedding tables: Parquet with ``utterance`` and ``embedding`` (a fixed-size list of floats); npz from outside."""

from __future__ import annotations

import zipfile
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


def load_embeddings(path: str | Path, *, repeated: bool = False) -> tuple[list[str], np.ndarray]:
    """Read embeddings that a user brings: ``.npz`` or Parquet, ids with or without ``.wav``, in float32.

    Parameters
    ----------
    path
        An npz with arrays ``utterance`` (N,) of strings and ``embedding`` (N, D), or a table of `write_embeddings`.
    repeated
        Take several rows of an utterance (its segments or faces), and keep the stored precision: there are many.

    Raises
    ------
    AvsieveError
        If the file is absent or of another kind, an array is missing or misshapen or holds objects or numbers that
        are not finite, or an utterance occurs twice and may not.
    """
    path = Path(path)
    if not path.exists():
        raise AvsieveError(f"{path}: no such file of embeddings")
    utterances, embeddings = _read_npz(path) if path.suffix == ".npz" else read_embeddings(path)
    utterances = [u.removesuffix(".wav") for u in utterances]
    if not repeated and len(set(utterances)) < len(utterances):
        seen: set[str] = set()
        twice = next(u for u in utterances if u in seen or seen.add(u))  # type: ignore[func-returns-value]
        raise AvsieveError(f"{path}: utterance {twice} occurs more than once; expected one embedding each")
    if not repeated:
        embeddings = embeddings.astype(np.float32, copy=False)
    if not (finite := np.isfinite(embeddings).all(axis=1)).all():
        bad = utterances[int(np.flatnonzero(~finite)[0])]
        raise AvsieveError(f"{path}: the embedding of {bad} is not finite; leave out utterances without a result")
    return utterances, embeddings


def _read_npz(path: Path) -> tuple[list[str], np.ndarray]:
    try:
        with np.load(path, allow_pickle=False) as arrays:
            if missing := {"utterance", "embedding"} - set(arrays.files):
                raise AvsieveError(f"{path}: no array {sorted(missing)}; found {sorted(arrays.files)}")
            utterances, embeddings = arrays["utterance"], arrays["embedding"]
    except (ValueError, OSError, zipfile.BadZipFile) as error:
        raise AvsieveError(f"{path}: not an npz of plain arrays ({error}); save strings as str, not object") from error
    if utterances.ndim != 1 or embeddings.ndim != 2 or len(utterances) != len(embeddings):
        raise AvsieveError(
            f"{path}: utterance of shape {utterances.shape} and embedding of shape {embeddings.shape}; "
            "expected (N,) and (N, D)"
        )
    if utterances.dtype.kind == "S":
        utterances = np.char.decode(utterances, "utf-8")
    if utterances.dtype.kind != "U" or embeddings.dtype.kind != "f":
        raise AvsieveError(
            f"{path}: utterance is {utterances.dtype} and embedding {embeddings.dtype}; expected strings and floats"
        )
    return utterances.tolist(), embeddings
