"""Which utterances there are: the training list's, and those of the tables of other people."""

from __future__ import annotations

import argparse

import pandas as pd

from avsieve.embedding_files.arguments import add_table_options, table_options
from avsieve.embedding_files.reading import check_places, read_tables
from avsieve.errors import AvsieveError
from avsieve.lists.layouts import read_corpus_list
from avsieve.sources.plan import TEST, TRAIN
from avsieve.storage.ids import is_valid_id, parse_id


def add_options(ap: argparse.ArgumentParser) -> None:
    """Add the options of this source; tables are given as text, since a name may join two files."""
    ap.add_argument("--train-list", required=True, help="`speaker wav seconds` lines")
    ap.add_argument("--audio", nargs="+", help="voice embeddings of the list")
    ap.add_argument("--visual", nargs="+", help="face embeddings of the list")
    ap.add_argument("--test-audio", nargs="+", help="voice embeddings of other people, for the trials")
    ap.add_argument("--test-visual", nargs="+", help="face embeddings of other people")
    add_table_options(ap)


def plan(args: argparse.Namespace) -> pd.DataFrame:
    """Return the list's utterances in its order, then those of the test tables, sorted.

    A test table that is also one of the list's holds everybody: what the list does not name is then for the trials.
    Utterances whose embedding cannot be used are among them: they become rows of reasons.

    Raises
    ------
    AvsieveError
        If a table cannot be read, or names something that is no utterance.
    """
    listed = read_corpus_list(args.train_list, args.strip_prefix)
    utterances, seconds = listed["utterance"].tolist(), listed["seconds"].tolist()
    rows = [pd.DataFrame({"utterance": utterances, "subset": TRAIN, "path": "", "seconds": seconds})]
    known = set(utterances)
    others: set[str] = set()
    for tables in (args.audio, args.visual, args.test_audio, args.test_visual):
        check_places(tables or [])
    for key, own in (("test_audio", args.audio), ("test_visual", args.visual)):
        tables = getattr(args, key)
        if tables is None:
            continue
        found = read_tables(tables, table_options(args), wanted=known | others)
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
