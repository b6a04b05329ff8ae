"""Cleansing of embeddings that are at hand as tables: virtual shards over arrays in their stored precision."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import numpy as np
import pandas as pd

from avsieve.cleansing.centres import pool
from avsieve.cleansing.evidence import score_shard
from avsieve.cleansing.inputs import MODALITIES, Shard, join_shard
from avsieve.cleansing.scores import Scores, concatenate
from avsieve.cleansing.write import in_order_of
from avsieve.embedding_files.table import EmbeddingTable
from avsieve.errors import AvsieveError
from avsieve.storage.ids import shard_of
from avsieve.storage.reasons import Reason

_PER_SHARD = 20_000


def score_table(
    frame: pd.DataFrame, tables: dict[str, EmbeddingTable | None], sources: dict[str, list[str]] | None = None
) -> Scores:
    """Pool and score; return the evidence in the order of ``frame``.

    Parameters
    ----------
    frame
        ``utterance`` and ``speaker``.
    tables
        Per modality; None where there is none.
    sources
        Per modality, whose embedding each row of ``frame`` takes: its own, unless an audit has swapped it.

    Raises
    ------
    AvsieveError
        If the list is empty, or none of its utterances has an embedding of a modality that is given.
    """
    if not len(frame):
        raise AvsieveError("the list names no utterance; expected lines of speaker wav seconds")
    sources = sources or {m: frame["utterance"].tolist() for m in MODALITIES}
    for m, table in tables.items():
        if table is not None and not any(u in table.row for u in sources[m]):
            raise AvsieveError(
                f"none of the {len(frame)} utterances of the list is among the {m} embeddings "
                f"(the list's first: {sources[m][0]}; the table's: {next(iter(table.row), 'none')}); names must match"
            )
    if all(t is None for t in tables.values()):
        raise AvsieveError("neither audio nor visual embeddings were given; give at least one modality")
    shards = list_shards(frame, tables, sources, "the list")
    centres = pool(shards)
    return in_order_of(concatenate([score_shard(s, centres) for s in shards()]), frame["utterance"].tolist())


def list_shards(
    frame: pd.DataFrame, tables: Mapping[str, EmbeddingTable | None], sources: Mapping[str, list[str]], what: str
) -> Callable[[], Iterator[Shard]]:
    """Return what yields a list and its embeddings by parts, all of a speaker in one, as often as it is called.

    Parameters
    ----------
    frame
        ``utterance`` and ``speaker``.
    tables, sources
        Modality -> its embeddings, and the name of each utterance's embedding there.
    what
        What messages call the list.
    """
    count = max(1, len(frame) // _PER_SHARD)
    of = {s: shard_of(s, count) for s in frame["speaker"].unique()}
    shard = frame["speaker"].map(of).to_numpy()

    def shards() -> Iterator[Shard]:
        for k in np.unique(shard):
            rows = np.flatnonzero(shard == k)
            part = frame.iloc[rows].reset_index(drop=True)
            name = what if count == 1 else f"part {k} of {what}"
            yield join_shard(part, {m: _select(tables.get(m), sources[m], rows, part) for m in MODALITIES}, name)

    return shards


def _select(
    table: EmbeddingTable | None, sources: list[str], rows: np.ndarray, part: pd.DataFrame
) -> tuple[list[str], np.ndarray, np.ndarray | None] | None:
    """Return what `join_shard` takes of one modality: the embeddings of some rows of a list, those that are NaN too.

    Parameters
    ----------
    sources
        Whose embedding each row of the list takes.
    rows
        Which rows.
    part
        These rows, with their own names as ``utterance``.
    """
    if table is None:
        return None
    given, utterances = [sources[i] for i in rows.tolist()], part["utterance"].tolist()
    there = [k for k, source in enumerate(given) if source in table.row]
    vectors = np.asarray(table.embedding[[table.row[given[k]] for k in there]], np.float32)
    # What the table has as NaN stays in: it is told apart from what the table does not have.
    broken = [k for k, source in enumerate(given) if table.reason_of(source).reason is Reason.EMBEDDING_NOT_FINITE]
    vectors = np.concatenate([vectors, np.full((len(broken), table.embedding.shape[1]), np.nan, np.float32)])
    return [utterances[k] for k in (*there, *broken)], vectors, None
