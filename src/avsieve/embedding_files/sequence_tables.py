"""Our own tables of segments and faces: several rows an utterance, read a row group at a time.

Beside ``utterance`` and ``embedding`` they may have ``segmentation``, ``start_s``, ``length_s`` and ``quality``. The
rows of an utterance and segmentation follow each other in the order of time.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from avsieve.errors import AvsieveError
from avsieve.storage.tables import open_table

SEGMENTATION = "segmentation"
KNOWN = ("start_s", "length_s", "quality")
"""What may be known of a row, float32."""
_ROWS = 8192  # that are decoded at a time


@dataclass(frozen=True)
class Runs:
    """The pieces of a table: rows of one utterance and segmentation that follow each other.

    Attributes
    ----------
    dim
        Length of an embedding; 0 where the table has no rows and does not tell.
    utterances
        (R,) strings.
    names, name
        The segmentations of the table, and (R,) which of them a piece is of.
    counts
        (R,) int64, rows.
    """

    dim: int
    utterances: pa.ChunkedArray
    names: list[str]
    name: np.ndarray
    counts: np.ndarray


class TimedRows(NamedTuple):
    """Embeddings (N, D), and what is known of each, (N,) float32; None where the table does not have it."""

    vectors: np.ndarray
    start_s: np.ndarray | None
    length_s: np.ndarray | None
    quality: np.ndarray | None


def find_runs(path: Path, unnamed: str) -> Runs:
    """Read the names of a table, and of which pieces it is made.

    Parameters
    ----------
    unnamed
        What a table without ``segmentation`` holds.

    Raises
    ------
    AvsieveError
        If it is no such table, or a row has no name.
    """
    utterances: list[pa.Array] = []
    segmentations: list[pa.Array] = []
    begins: list[np.ndarray] = []
    before: tuple[str, ...] | None = None
    rows = 0
    with open_table(path, ["utterance", "embedding"]) as file:
        kind = file.schema_arrow.field("embedding").type
        columns = [name for name in ("utterance", SEGMENTATION) if name in file.schema_arrow.names]
        for batch in file.iter_batches(_ROWS * 8, columns=columns):
            arrays = [batch[name].cast(pa.string()) for name in columns]
            if any(array.null_count for array in arrays):
                raise AvsieveError(f"{path}: a row has null for its name; run the stage that wrote it again")
            if not len(arrays[0]):
                continue
            new = np.zeros(len(arrays[0]), bool)
            for array in arrays:
                new[1:] |= pc.not_equal(array[1:], array[:-1]).to_numpy(zero_copy_only=False)
            new[0] = before != tuple(array[0].as_py() for array in arrays)
            before = tuple(array[-1].as_py() for array in arrays)
            at = np.flatnonzero(new)
            utterances.append(arrays[0].take(pa.array(at)))
            segmentations += [array.take(pa.array(at)) for array in arrays[1:]]
            begins.append(at + rows)
            rows += len(new)
    starts = np.concatenate(begins) if begins else np.zeros(0, np.int64)
    name, names = np.zeros(len(starts), np.int64), [unnamed] if rows else []
    if len(columns) > 1 and rows:
        coded = pa.chunked_array(segmentations, pa.string()).combine_chunks().dictionary_encode()
        name, names = coded.indices.to_numpy().astype(np.int64), coded.dictionary.to_pylist()
    dim = kind.list_size if pa.types.is_fixed_size_list(kind) else 0
    return Runs(dim, pa.chunked_array(utterances, pa.string()), names, name, np.diff(np.r_[starts, rows]))


def read_rows(path: Path, keep: np.ndarray, *, half: bool = True) -> Iterator[TimedRows]:
    """Yield the rows of a table that are set in ``keep`` (N,), some thousands at a time, in its order.

    Embeddings are brought to half precision, or, without ``half``, stay as they are stored.

    Raises
    ------
    AvsieveError
        If one of them is null or not finite as a number of half precision.
    """
    begin = 0
    with open_table(path, ["utterance", "embedding"]) as file:
        known = [name for name in KNOWN if name in file.schema_arrow.names]
        for batch in file.iter_batches(_ROWS, columns=["embedding", *known]):
            own = keep[begin : begin + len(batch)]
            begin += len(batch)
            if not own.any():
                continue
            column = batch["embedding"]
            if column.null_count or not pa.types.is_fixed_size_list(column.type):
                raise AvsieveError(
                    f"{path}: embeddings that are null or of no fixed length near row {begin - len(batch) + 1}; run "
                    "the stage that wrote it again"
                )
            matrix = column.flatten().to_numpy(zero_copy_only=False).reshape(len(column), -1)
            vectors = matrix if own.all() else matrix[own]
            if half:
                with np.errstate(over="ignore"):  # too large: told below
                    vectors = vectors.astype(np.float16, copy=False)
            if half and not np.isfinite(vectors).all():
                row = begin - len(batch) + int(np.flatnonzero(own)[np.argmin(np.isfinite(vectors).all(axis=1))])
                raise AvsieveError(f"{path}: row {row + 1} is no finite half-precision embedding; embed it again")
            values = {
                name: batch[name].cast(pa.float32(), safe=False).fill_null(np.nan).to_numpy(zero_copy_only=False)[own]
                for name in known
            }
            yield TimedRows(vectors, *(values.get(name) for name in KNOWN))


def rows_of(path: Path, segmentation: str) -> tuple[list[str], np.ndarray]:
    """Return the names (N) and embeddings (N, D) of one segmentation of a table; all, where it names none.

    Raises
    ------
    AvsieveError
        If it has rows, but none of that segmentation.
    """
    runs = find_runs(path, segmentation)
    if not len(runs.counts):
        return [], np.zeros((0, runs.dim), np.float16)
    if segmentation not in runs.names:
        raise no_segmentation(path, segmentation, runs.names)
    own = np.repeat(runs.name == runs.names.index(segmentation), runs.counts)
    names = runs.utterances.take(pa.array(np.repeat(np.arange(len(runs.counts)), runs.counts)[own])).to_pylist()
    return names, np.concatenate([rows.vectors for rows in read_rows(path, own, half=False)])


def no_segmentation(path: Path, wanted: str, found: list[str]) -> AvsieveError:
    """Return the error that a table lacks a segmentation."""
    return AvsieveError(
        f"{path}: no segmentation {wanted}, found {', '.join(found)}; add it to audio.segments and embed again, or "
        "bring tables that have it"
    )
