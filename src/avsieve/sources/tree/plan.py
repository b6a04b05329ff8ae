"""Which utterances a folder in VoxCeleb2's layout, ``speaker/video/utterance.mp4``, or its list has."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from avsieve.corpus_lists import read_corpus_list
from avsieve.errors import AvsieveError
from avsieve.ids import is_valid_id, parse_id
from avsieve.sources.base import TEST, TRAIN

EXTENSIONS = (".mp4", ".mkv", ".webm", ".avi", ".mpg", ".mov", ".m4a", ".wav", ".flac", ".opus", ".ogg")


def _scan(root: Path) -> Iterator[str]:
    """Yield the ids of the clips under ``root``, sorted; hidden files and other endings are passed over."""
    for speaker in sorted(e.name for e in os.scandir(root) if e.is_dir() and not e.name.startswith(".")):
        for video in sorted(e.name for e in os.scandir(root / speaker) if e.is_dir() and not e.name.startswith(".")):
            names = sorted(e.name for e in os.scandir(root / speaker / video) if not e.name.startswith("."))
            for name in names:
                stem, extension = os.path.splitext(name)  # noqa: PTH122 - a Path for each of a million names is slow
                if extension.lower() in EXTENSIONS:
                    yield f"{speaker}/{video}/{stem}"


def _rows(root: Path, subset: str, train_list: Path | None) -> pd.DataFrame:
    if not root.is_dir():
        raise AvsieveError(f"source.tree: {root} is no folder; give the folder that holds the speakers' folders")
    if train_list is not None:
        listed = read_corpus_list(train_list)
        utterances, seconds = listed["utterance"].tolist(), listed["seconds"].tolist()
    else:
        utterances = list(_scan(root))
        seconds = [""] * len(utterances)
        if not utterances:
            raise AvsieveError(
                f"source.tree: no clip under {root}; expected speaker/video/utterance "
                f"with one of {', '.join(EXTENSIONS)}"
            )
    for utterance in utterances:
        if not is_valid_id(utterance):
            parse_id(utterance)  # raises, and says what is wrong
    return pd.DataFrame({"utterance": utterances, "subset": subset, "path": utterances, "seconds": seconds})


def add_options(ap: argparse.ArgumentParser) -> None:
    """Add the options of this source."""
    ap.add_argument("--root", type=Path, required=True, help="folder that holds the speakers' folders")
    ap.add_argument("--train-list", type=Path, help="`speaker wav seconds` lines; without it every clip is used")
    ap.add_argument("--test-root", type=Path, help="folder of the test clips, of other speakers")


def plan(args: argparse.Namespace) -> pd.DataFrame:
    """Return the utterances of the list in its order, or of the folder where there is no list.

    Raises
    ------
    AvsieveError
        If a folder does not exist or holds no clip, or a name cannot be an id.
    """
    rows = _rows(args.root, TRAIN, args.train_list)
    if args.test_root is not None:
        rows = pd.concat([rows, _rows(args.test_root, TEST, None)], ignore_index=True)
    return rows
