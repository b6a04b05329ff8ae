"""Which utterances a folder, its list or a table has; VoxCeleb2's layout is ``speaker/video/utterance.mp4``."""

from __future__ import annotations

import argparse
from pathlib import Path

import pandas as pd

from avsieve.lists.layouts import read_corpus_list
from avsieve.sources.layout import DEFAULT, Layout
from avsieve.sources.plan import TEST, TRAIN
from avsieve.sources.rows import check_folder, frame_of, planned, refuse_shared_speakers
from avsieve.sources.tree.table import read_clip_table
from avsieve.storage.file_names import path_to_text

KEY = "source.tree"


def add_options(ap: argparse.ArgumentParser) -> None:
    """Add the options of this source."""
    ap.add_argument("--root", type=Path, default=Path(), help="folder that holds the speakers' folders")
    ap.add_argument("--layout", type=Layout, default=Layout(DEFAULT), help="which folder bears which name")
    ap.add_argument("--table", type=Path, help="CSV of the clips, with the columns utterance and path")
    ap.add_argument("--audio-root", type=Path, help="folder of the sound in the same layout, where it lies apart")
    ap.add_argument("--train-list", type=Path, help="`speaker wav seconds` lines; without it every clip is used")
    ap.add_argument("--test-root", type=Path, help="folder of the test clips, of other speakers")
    ap.add_argument("--test-audio-root", type=Path, help="folder of their sound, where it lies apart")


def _of_table(args: argparse.Namespace) -> pd.DataFrame:
    """Return the utterances of the table, in its order or in that of the list."""
    for key in ("root", "audio_root"):
        if getattr(args, key) is not None:
            check_folder(f"{KEY}.{key}", getattr(args, key))
    table = read_clip_table(args.table)
    if args.train_list is None:
        utterances, seconds = list(table), [row.seconds for row in table.values()]
    else:
        listed = read_corpus_list(args.train_list)
        utterances, seconds = listed["utterance"].tolist(), listed["seconds"].tolist()
    paths = [path_to_text(table[u].path) if u in table else u for u in utterances]
    return frame_of(TRAIN, utterances, paths, seconds)


def plan(args: argparse.Namespace) -> pd.DataFrame:
    """Return the utterances of the list in its order, or of the table or the folders where there is no list.

    ``path`` is where a clip lies below its folder: without the ending, and with it where a table names the files. Where
    the sound lies apart, an utterance that only one of the two trees has is planned too: it gets a reason when its
    files are looked for.

    Raises
    ------
    AvsieveError
        If a folder does not exist, cannot be read or holds no clip, or a speaker is in training and test.
    """
    if args.table is not None:
        rows = _of_table(args)
    else:
        roots = {f"{KEY}.root": args.root, f"{KEY}.audio_root": args.audio_root}
        rows = planned(roots, args.train_list, TRAIN, args.layout)
    if args.test_root is not None:
        roots = {f"{KEY}.test_root": args.test_root, f"{KEY}.test_audio_root": args.test_audio_root}
        rows = pd.concat([rows, planned(roots, None, TEST, args.layout)], ignore_index=True)
        refuse_shared_speakers(rows, f"{KEY}.root", f"{KEY}.test_root")
    return rows
