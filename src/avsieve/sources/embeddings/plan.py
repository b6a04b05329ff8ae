"""Which utterances there are: the training list's, and those of the tables of other people."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from avsieve.embedding_files.raw import Options
from avsieve.embedding_files.reading import check_places, read_tables
from avsieve.errors import AvsieveError
from avsieve.lists.layouts import read_corpus_list
from avsieve.sources.plan import TEST, TRAIN
from avsieve.storage.ids import is_valid_id, parse_id

if TYPE_CHECKING:
    from avsieve.sources.embeddings.contract import Embeddings


def _tables(value: str | list[str] | None) -> list[str]:
    return [] if value is None else [value] if isinstance(value, str) else value


def plan(settings: Embeddings) -> pd.DataFrame:
    """Return the list's utterances in its order, then those of the test tables, sorted.

    A test table that is also one of the list's holds everybody: what the list does not name is then for the trials.
    Utterances whose embedding cannot be used are among them: they become rows with a reason.

    Raises
    ------
    AvsieveError
        If a table cannot be read, or names something that is no utterance.
    """
    listed = read_corpus_list(str(settings.train_list), settings.strip_prefix)
    utterances, seconds = listed["utterance"].tolist(), listed["seconds"].tolist()
    rows = [pd.DataFrame({"utterance": utterances, "subset": TRAIN, "path": "", "seconds": seconds})]
    known = set(utterances)
    others: set[str] = set()
    given = {key: _tables(getattr(settings, key)) for key in ("audio", "visual", "test_audio", "test_visual")}
    for tables in given.values():
        check_places(tables)
    options = Options(settings.names_key, settings.vectors_key, settings.strip_prefix)
    for key in ("test_audio", "test_visual"):
        tables, own = given[key], given[key.removeprefix("test_")]
        if not tables:
            continue
        found = read_tables(tables, options, wanted=known | others)
        names = {*found.row, *found.rejected}
        others |= names - known if tables == own else names
        for name in names:
            if not is_valid_id(name):
                try:
                    parse_id(name)
                except AvsieveError as error:
                    raise AvsieveError(f"source.embeddings.{key}: {', '.join(tables)}: {error}") from error
    if others:
        rows.append(pd.DataFrame({"utterance": sorted(others), "subset": TEST, "path": "", "seconds": ""}))
    return pd.concat(rows, ignore_index=True)
