"""Which utterances the track files name; no file is opened for it."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

import pandas as pd

from avsieve.sources.containers import is_hidden
from avsieve.sources.layout import Layout
from avsieve.sources.plan import TEST, TRAIN
from avsieve.sources.rows import planned


def is_track(name: str) -> str | None:
    """Return the stem of a track file, None for what is none."""
    stem, ending = os.path.splitext(name)  # noqa: PTH122 - a Path for each of a million names is slow
    return stem if ending.lower() == ".txt" and not is_hidden(name) else None


def add_options(ap: argparse.ArgumentParser) -> None:
    """Add the options of this source."""
    ap.add_argument("--tracks", type=Path, required=True, help="folder of the track files, speaker/video/utterance.txt")
    ap.add_argument("--train-list", type=Path, help="`speaker wav seconds` lines; without it every track is used")
    ap.add_argument("--test-tracks", type=Path, help="track files of other people, for the trials")


def plan(args: argparse.Namespace) -> pd.DataFrame:
    """Return the utterances of the list in its order, or of the folder where there is no list.

    Raises
    ------
    AvsieveError
        If a folder does not exist or holds no track file, or a folder cannot be read.
    """
    rows = planned({"source.voxceleb.tracks": args.tracks}, args.train_list, TRAIN, Layout(), is_track, ".txt")
    if args.test_tracks is not None:
        tests = planned({"source.voxceleb.test_tracks": args.test_tracks}, None, TEST, Layout(), is_track, ".txt")
        rows = pd.concat([rows, tests], ignore_index=True)
    return rows
