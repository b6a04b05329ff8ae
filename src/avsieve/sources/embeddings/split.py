"""Split tables of embeddings into shards, as if the encoders had written them."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from avsieve.embedding_files.own_tables import write_embeddings
from avsieve.embedding_files.places import all_files
from avsieve.embedding_files.raw import Options
from avsieve.embedding_files.reading import read_tables
from avsieve.embedding_files.table import EmbeddingTable, coverage_lines
from avsieve.errors import AvsieveError
from avsieve.storage.provenance import sha256_of, write_provenance
from avsieve.storage.reasons import Reason
from avsieve.storage.status import StatusTable

_LOG = logging.getLogger(__name__)


def split(
    plan: pd.DataFrame,
    shards: Sequence[str],
    modality: str,
    tables: Sequence[str],
    folder: Path,
    options: Options | None = None,
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
        What `avsieve.embedding_files.reading.read_tables` reads; none where the modality is missing.
    folder
        Folder of the stage's outputs.
    options
        How names and vectors are found.

    Raises
    ------
    AvsieveError
        If a table cannot be read, or no utterance of the plan is in the tables, though there are some.
    """
    table = EmbeddingTable([], np.zeros((0, 1), np.float32))
    if tables:
        planned = plan["utterance"].tolist()
        table = read_tables(tables, options, wanted=planned)
        for line in coverage_lines(modality, planned, table, "the plan"):
            _LOG.info(line)
    if table.utterance and not plan["utterance"].isin(table.row).any():
        raise AvsieveError(
            f"{', '.join(tables)}: none of its {len(table.utterance)} embeddings is of an utterance of the list (the "
            f"list's first: {plan['utterance'].iloc[0]}, the table's: {table.utterance[0]}); names must match"
        )
    digests = sorted(sha256_of(file) for name in dict.fromkeys(tables) for file in all_files(name))
    facts = {"sha256": digests, "dim": int(table.embedding.shape[1]), "dtype": str(table.embedding.dtype)}
    of_shard = dict(tuple(plan.groupby("shard", sort=False)["utterance"]))
    for shard in shards:
        status = StatusTable(f"embed_{modality}")
        names, rows = [], []
        for utterance in of_shard.get(shard, ()):
            if not tables:
                break
            reason, detail = table.reason_of(utterance)
            status.add(utterance, reason, detail)
            if reason is Reason.OK:
                names.append(utterance)
                rows.append(table.row[utterance])
        matrix = table.embedding[np.array(rows, np.int64)]
        write_embeddings(folder / f"{shard}.parquet", names, matrix)
        status.write(folder / f"{shard}.status.parquet")
        stage = f"embed_{modality}"
        write_provenance(folder / f"{shard}.json", stage=stage, packages=["numpy", "pyarrow"], **facts)
        yield status


def split_checked(
    plan: pd.DataFrame,
    shards: Sequence[str],
    modality: str,
    tables: Sequence[str],
    folder: Path,
    options: Options,
    *,
    max_failed: float,
) -> None:
    """`split` all shards, and stop at the first where more than the share ``max_failed`` of the utterances failed."""
    for status in split(plan, shards, modality, tables, folder, options):
        status.check(max_failed)
