"""Split tables of embeddings into shards, as if the encoders had written them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from avsieve.cleansing.imports import read_any
from avsieve.embeddings import write_embeddings
from avsieve.errors import AvsieveError
from avsieve.provenance import sha256_of, write_provenance
from avsieve.reasons import Reason
from avsieve.sources.embeddings.files import table_files
from avsieve.status import StatusTable


@dataclass
class Table:
    """Embeddings (N, D) of one modality, over all the files given, in the precision they have (at most single)."""

    utterance: list[str]
    embedding: np.ndarray

    def __post_init__(self) -> None:
        self.row = {u: i for i, u in enumerate(self.utterance)}


def read_tables(tables: Sequence[str]) -> Table:
    """Read tables of one modality; without any, the table has no rows.

    Raises
    ------
    AvsieveError
        If one cannot be read, their embeddings have different lengths, or an utterance is in two of them.
    """
    names: list[str] = []
    parts: list[np.ndarray] = []
    for table in dict.fromkeys(tables):
        ids, matrix = read_any(table)
        if parts and matrix.shape[1] != parts[0].shape[1]:
            raise AvsieveError(
                f"{table}: embeddings of length {matrix.shape[1]}, those of {tables[0]} have {parts[0].shape[1]}; "
                "training and test embeddings must come from the same encoder"
            )
        names += ids
        parts.append(matrix if matrix.dtype == np.float16 else np.asarray(matrix, np.float32))
    out = Table(names, np.concatenate(parts) if parts else np.zeros((0, 1), np.float32))
    if len(out.row) != len(names):
        seen: set[str] = set()
        twice = next(u for u in names if u in seen or seen.add(u))  # type: ignore[func-returns-value]
        raise AvsieveError(f"{', '.join(tables)}: {twice} has several embeddings; expected one per utterance")
    return out


def split(
    plan: pd.DataFrame, shards: Sequence[str], modality: str, tables: Sequence[str], folder: Path
) -> Iterator[StatusTable]:
    """Write ``<shard>.parquet``, its status and its provenance for every shard of a plan; yield each status.

    Without any table the modality is missing on purpose, as with sound alone: there are no rows, in the status either.

    Parameters
    ----------
    plan
        ``utterance`` and ``shard``.
    shards
        Names of all shards.
    modality
        ``audio`` or ``visual``.
    tables
        What `avsieve.cleansing.imports.read_any` reads; none where the modality is missing.
    folder
        Folder of the stage's outputs.

    Raises
    ------
    AvsieveError
        If no utterance of the plan is in the tables, though there are some.
    """
    table = read_tables(tables)
    if table.utterance and not plan["utterance"].isin(table.row).any():
        raise AvsieveError(
            f"{', '.join(tables)}: none of its {len(table.utterance)} embeddings is of an utterance of the list (the "
            f"list's first: {plan['utterance'].iloc[0]}, the table's: {table.utterance[0]}); names must agree"
        )
    digests = sorted(sha256_of(file) for name in dict.fromkeys(tables) for file in table_files(name))
    facts = {"sha256": digests, "dim": int(table.embedding.shape[1]), "dtype": str(table.embedding.dtype)}
    of_shard = dict(tuple(plan.groupby("shard", sort=False)["utterance"]))
    for shard in shards:
        status = StatusTable(f"embed_{modality}")
        names, rows = [], []
        for utterance in of_shard.get(shard, ()):
            if not tables:
                break
            row = table.row.get(utterance)
            reason, detail = _judge(None if row is None else table.embedding[row], modality)
            status.add(utterance, reason, detail)
            if reason is Reason.OK:
                names.append(utterance)
                rows.append(row)
        matrix = table.embedding[np.array(rows, np.int64)]
        write_embeddings(folder / f"{shard}.parquet", names, matrix)
        status.write(folder / f"{shard}.status.parquet")
        stage = f"embed_{modality}"
        write_provenance(folder / f"{shard}.json", stage=stage, packages=["numpy", "pyarrow"], **facts)
        yield status


def _judge(vector: np.ndarray | None, modality: str) -> tuple[Reason, str]:
    if vector is None:
        return Reason.EMBEDDING_MISSING, f"the {modality} table does not have it"
    if not np.isfinite(vector).all() or not vector.any():
        return Reason.EMBEDDING_NOT_FINITE, f"the {modality} embedding is zero, or holds NaN or infinity"
    return Reason.OK, ""
