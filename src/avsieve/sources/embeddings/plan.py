"""Which utterances there are: the training list's, and those of the tables of other people."""

from __future__ import annotations

import argparse

import pandas as pd

from avsieve.cleansing.imports import read_any
from avsieve.corpus_lists import read_corpus_list
from avsieve.errors import AvsieveError
from avsieve.ids import is_valid_id, parse_id
from avsieve.sources.base import TEST, TRAIN


def add_options(ap: argparse.ArgumentParser) -> None:
    """Add the options of this source; tables are given as text, since a name may join two files."""
    ap.add_argument("--train-list", required=True, help="`speaker wav seconds` lines")
    ap.add_argument("--audio", help="voice embeddings of the list")
    ap.add_argument("--visual", help="face embeddings of the list")
    ap.add_argument("--test-audio", help="voice embeddings of other people, for the trials")
    ap.add_argument("--test-visual", help="face embeddings of other people")


def plan(args: argparse.Namespace) -> pd.DataFrame:
    """Return the list's utterances in its order, then those of the test tables, sorted.

    A test table that is also one of the list's holds everybody: what the list does not name is then for the trials.

    Raises
    ------
    AvsieveError
        If a table cannot be read, or names something that is no utterance.
    """
    listed = read_corpus_list(args.train_list)
    utterances, seconds = listed["utterance"].tolist(), listed["seconds"].tolist()
    rows = [pd.DataFrame({"utterance": utterances, "subset": TRAIN, "path": "", "seconds": seconds})]
    known, others = set(utterances), set()
    for key, own in (("test_audio", args.audio), ("test_visual", args.visual)):
        table = getattr(args, key)
        if table is None:
            continue
        names = set(read_any(table)[0])
        others |= names - known if table == own else names
        for name in names:
            if not is_valid_id(name):
                try:
                    parse_id(name)
                except AvsieveError as error:
                    raise AvsieveError(f"source.embeddings.{key}: {table}: {error}") from error
    if others:
        rows.append(pd.DataFrame({"utterance": sorted(others), "subset": TEST, "path": "", "seconds": ""}))
    return pd.concat(rows, ignore_index=True)
