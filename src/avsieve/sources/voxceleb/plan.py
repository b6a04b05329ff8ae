"""Which utterances the track files name; no file is opened for it."""

from __future__ import annotations

import argparse
from pathlib import Path

import pandas as pd

from avsieve.sources.base import TEST, TRAIN
from avsieve.sources.layout import listed_or_found

ENDINGS = (".txt",)


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
        If a folder does not exist or holds no track file, or a name cannot be an id.
    """
    rows = listed_or_found("voxceleb.tracks", args.tracks, ENDINGS, args.train_list, TRAIN)
    if args.test_tracks is not None:
        tests = listed_or_found("voxceleb.test_tracks", args.test_tracks, ENDINGS, None, TEST)
        rows = pd.concat([rows, tests], ignore_index=True)
    return rows
