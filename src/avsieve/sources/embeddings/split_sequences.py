"""Split tables of segments or faces into shards, in the order of time, as if the encoders had written them.

Tables are read twice, a batch at a time: their names and times, which stay in memory, then their
embeddings, which go to their final places in a scratch file without a name. A shard is a piece of it.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from avsieve.embedding_files.item_tables import FRAME, read_item_vectors
from avsieve.embedding_files.own_tables import as_table, rows_of_group
from avsieve.embedding_files.raw import Options
from avsieve.embedding_files.sequence_tables import SEGMENTATION
from avsieve.errors import AvsieveError
from avsieve.sources.embeddings.gather_items import gather
from avsieve.sources.embeddings.gathered_items import Gathered
from avsieve.storage.packed_rows import PackedRows
from avsieve.storage.provenance import sha256_of, write_provenance
from avsieve.storage.sequence_names import FRAMES
from avsieve.storage.tables import write_parts

_LOG = logging.getLogger(__name__)
_COMPARED = 4096  # rows that are compared at a time

Tables = Mapping[str, Sequence[str]]
"""Name of a sequence -> its tables."""


def split_sequences(
    plan: pd.DataFrame, shards: Sequence[str], tables: Tables, folder: Path, options: Options | None = None
) -> None:
    """Write ``<shard>.segments.parquet`` or ``<shard>.frames.parquet`` and its provenance for every shard of a plan.

    Parameters
    ----------
    plan
        ``utterance`` and ``shard``.
    shards
        Names of all shards.
    tables
        `FRAMES` alone, or segmentations. Of a table with a column ``segmentation`` the rows of that name are read.
    folder
        Folder of the stage's outputs, where there is room for the embeddings in half precision.
    options
        How names and vectors are found.

    Raises
    ------
    AvsieveError
        If a table cannot be read, a sequence has no row of an utterance of the plan, lengths of embeddings differ,
        an utterance has two embeddings of one time that differ, or its rows are in two tables that tell no times.
    """
    if not tables:
        raise AvsieveError(
            "there are no tables of segments or faces to split; name some in source.embeddings.audio_segments or "
            "source.embeddings.visual_frames"
        )
    number = pd.Index(shards).get_indexer(plan["shard"])
    order = np.argsort(number, kind="stable")
    utterances = plan["utterance"].to_numpy(object)[order]
    found = gather(utterances.tolist(), tables, options or Options())
    rows, lost = _packed(found, folder)
    lost |= _doubles(found, rows, lost)
    alive = ~lost
    counts = found.tell(alive)
    what = "frames" if FRAMES in tables else "segments"
    digests = sorted(sha256_of(table.path) for table in found.tables)
    bounds = np.searchsorted(number[order][found.place], np.arange(len(shards) + 1))
    for shard, begin, end in zip(shards, bounds[:-1].tolist(), bounds[1:].tolist(), strict=True):
        write_parts(folder / f"{shard}.{what}.parquet", _parts(found, rows, alive, begin, end))
        write_provenance(
            folder / f"{shard}.{what}.json", stage=f"split_{what}", packages=["numpy", "pyarrow"], sha256=digests,
            dim=rows.dim, sequences=counts,
        )  # fmt: skip


def _packed(found: Gathered, scratch: Path) -> tuple[PackedRows, np.ndarray]:
    """Read the embeddings of all rows to their places; tell which of them, (M,) bool, have none that can be used."""
    rows: PackedRows | None = None
    lost = np.zeros(len(found.place), bool)
    first = ""
    for table, wanted, target in found.targets():
        done = 0
        for matrix, reasons in read_item_vectors(table, wanted):
            to = target[done : done + len(matrix)]
            done += len(matrix)
            for k, reason in reasons.items():
                lost[to[k]] = True
                found.reject(int(to[k]), reason)
            if len(reasons) == len(matrix):
                continue
            if rows is None:
                rows, first = PackedRows(len(found.place), matrix.shape[1], scratch), table.path
            if matrix.shape[1] != rows.dim:
                raise AvsieveError(
                    f"{table.path}: embeddings of length {matrix.shape[1]}, those of {first} have {rows.dim}; expected "
                    "one model for all files"
                )
            order = np.argsort(to, kind="stable")
            begins = np.flatnonzero(np.r_[True, np.diff(to[order]) != 1])
            for begin, end in zip(begins.tolist(), [*begins[1:].tolist(), len(to)], strict=True):
                rows.write(int(to[order[begin]]), matrix[order[begin:end]])
    if rows is None:
        example = next(iter(found.rejected.values()), "no rows")
        raise AvsieveError(f"{found.tables[0].path}: no embedding that can be used ({example})")
    return rows, lost


def _doubles(found: Gathered, rows: PackedRows, lost: np.ndarray) -> np.ndarray:
    """Return which rows (M,) bool repeat the one before: of one time, and with the same embedding.

    Raises
    ------
    AvsieveError
        If two of one time differ.
    """
    again = np.zeros(len(lost), bool)
    suspects = np.flatnonzero(found.same_time() & ~lost[1:] & ~lost[:-1]) + 1
    for start in range(0, len(suspects), _COMPARED):
        own = suspects[start : start + _COMPARED]
        ones = np.ones(len(own), np.int64)
        differ = (rows.read(own, ones) != rows.read(own - 1, ones)).any(axis=1)
        if differ.any():
            raise AvsieveError(found.describe(int(own[differ.argmax()])))
        again[own] = True
    if again.any():
        _LOG.info("%s", f"{int(again.sum()):,} rows occur again with the same embedding; one of each is taken")
    return again


def _parts(found: Gathered, rows: PackedRows, alive: np.ndarray, begin: int, end: int) -> Iterator[pa.Table]:
    """Yield a shard's rows, from ``begin`` to ``end``, a row group at a time."""
    own = alive[begin:end]
    change = found.changes(begin, end)
    counted = np.cumsum(own)
    starts = np.flatnonzero(change)
    before = counted[starts] - own[starts]
    number = counted - 1 - np.repeat(before, np.diff(np.r_[starts, len(own)]))
    size = rows_of_group(rows.dim, 2)
    for at in range(begin, max(end, begin + 1), size):
        stop = min(at + size, end)
        keep = alive[at:stop]
        vectors = rows.read(np.array([at]), np.array([stop - at]))[keep]
        place = np.arange(at, stop)[keep]
        yield as_table(found.names(place), vectors, _columns(found, place, number[place - begin]))


def _columns(found: Gathered, rows: np.ndarray, number: np.ndarray) -> dict[str, Any]:
    """Return what is known of ``rows``: the columns that the encoders write, then others that tables have."""
    nothing = np.full(len(rows), np.nan)
    known = {name: values[rows] for name, values in found.known.items()}
    if found.of_faces:
        columns: dict[str, Any] = {
            FRAME: found.frames(rows, number),
            "quality": known.pop("quality", nothing).astype(np.float32),
        }
        return columns | {name: known[name].astype(np.float64) for name in ("start_s",) if name in known}
    columns = {
        SEGMENTATION: found.sequence_names(rows),
        "segment": number.astype(np.int32),
        "start_s": known.pop("start_s", nothing).astype(np.float64),
        "length_s": known.pop("length_s", nothing).astype(np.float64),
    }
    return columns | {name: values.astype(np.float32) for name, values in known.items()}
