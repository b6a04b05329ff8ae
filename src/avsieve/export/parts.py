"""Exports in parts: which utterances go into which file, and how a broken-off export is taken up."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from avsieve.export.contents import Contents
from avsieve.export.folder_note import claim, digest
from avsieve.runtime.progress import progress
from avsieve.storage.indexed_tar import index_path

logger = logging.getLogger(__name__)


def plan_parts(table: pd.DataFrame, sizes: np.ndarray, limit: int, shuffle_seed: int | None) -> list[pd.DataFrame]:
    """Divide the chosen utterances into parts of at most ``limit`` bytes; one that is larger alone has its own.

    Parameters
    ----------
    sizes
        (N,) int64, bytes of each row.
    shuffle_seed
        Seed of their order; None for the order of the table. A training reads a part from front to back, and in the
        order of the list one speaker follows another.
    """
    order = np.arange(len(table))
    if shuffle_seed is not None:
        order = np.random.default_rng(shuffle_seed).permutation(len(table))
    parts: list[list[int]] = [[]]
    filled = 0
    for row in order.tolist():
        size = int(sizes[row])
        if parts[-1] and filled + size > limit:
            parts.append([])
            filled = 0
        parts[-1].append(row)
        filled += size
    return [table.iloc[rows].reset_index(drop=True) for rows in parts]


def write_parts(
    table: pd.DataFrame,
    contents: Contents,
    out: Path,
    *,
    form: str,
    name: Callable[[int, int], str],
    write: Callable[[Path, pd.DataFrame], None],
    limit: int,
    overhead: int,
    shuffle_seed: int | None,
) -> dict[str, int]:
    """Write every part that is not there yet.

    Parameters
    ----------
    name
        Name of a part by its number and the number of parts.
    write
        Writes a part, whole or not at all.
    limit
        Most bytes of a part.
    overhead
        Bytes that the form adds to each file.

    Returns
    -------
    dict
        ``utterances``, ``files`` (of the utterances), ``bytes``, ``parts``, ``written``, ``left``.

    Raises
    ------
    AvsieveError
        If the folder holds the parts of another export.
    """
    measured = [contents.measure(row.shard, row.utterance) for row in table.itertuples()]
    sizes = np.array([m[1] + overhead * (m[0] + 2) for m in measured], dtype=np.int64)
    parts = plan_parts(table, sizes, limit, shuffle_seed)
    names = [name(i, len(parts)) for i in range(len(parts))]
    told: dict[str, Any] = {
        "form": form,
        "what": list(contents.kinds),
        "utterances": len(table),
        "speakers": int(table["speaker"].nunique()),
        "shuffle_seed": shuffle_seed,
        "parts": {n: len(part) for n, part in zip(names, parts, strict=True)},
        "content": digest(table, [m[2] for m in measured]),
    }
    claim(out, told)
    written = 0
    for part_name, part in progress(list(zip(names, parts, strict=True)), "parts"):
        path = out / part_name
        # A tar has its name before its index has: between the two a writer may have been killed.
        whole = [path, index_path(path)] if path.suffix == ".tar" else [path]
        if not all(file.is_file() for file in whole):
            write(path, part)
            written += 1
    return {
        "utterances": len(table),
        "files": sum(m[0] for m in measured),
        "bytes": sum(m[1] for m in measured),
        "parts": len(parts),
        "written": written,
        "left": len(parts) - written,
    }
