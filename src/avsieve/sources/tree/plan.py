"""Which utterances a folder in VoxCeleb2's layout, ``speaker/video/utterance.mp4``, or its list has."""

from __future__ import annotations

import argparse
from heapq import merge
from pathlib import Path

import pandas as pd

from avsieve.corpus_lists import read_corpus_list
from avsieve.errors import AvsieveError
from avsieve.ids import is_valid_id, parse_id
from avsieve.sources.base import TEST, TRAIN
from avsieve.sources.containers import EXTENSIONS
from avsieve.sources.tree.scan import scan


def _check_folder(key: str, root: Path) -> None:
    if not root.is_dir():
        raise AvsieveError(f"source.tree.{key}: {root} is no folder; give the folder that holds the speakers' folders")


def found_below(roots: list[Path]) -> list[str]:
    """Return the ids of the utterances that at least one of the folders has, sorted.

    Raises
    ------
    AvsieveError
        If there is none, or a name cannot be an id.
    """
    found = scan(roots[0]) if len(roots) == 1 else merge(*map(scan, roots), key=lambda utterance: utterance.split("/"))
    utterances = list(dict.fromkeys(found))
    if not utterances:
        raise AvsieveError(
            f"source.tree: no clip under {' and '.join(map(str, roots))}; expected speaker/video/utterance "
            f"with one of {', '.join(EXTENSIONS)}"
        )
    for utterance in utterances:
        if not is_valid_id(utterance):
            parse_id(utterance)  # raises, and says what is wrong
    return utterances


def _rows(subset: str, roots: dict[str, Path | None], train_list: Path | None) -> pd.DataFrame:
    given = {key: root for key, root in roots.items() if root is not None}
    for key, root in given.items():
        _check_folder(key, root)
    if train_list is not None:
        listed = read_corpus_list(train_list)
        utterances, seconds = listed["utterance"].tolist(), listed["seconds"].tolist()
    else:
        utterances = found_below(list(given.values()))
        seconds = [""] * len(utterances)
    return pd.DataFrame({"utterance": utterances, "subset": subset, "path": utterances, "seconds": seconds})


def add_options(ap: argparse.ArgumentParser) -> None:
    """Add the options of this source."""
    ap.add_argument("--root", type=Path, required=True, help="folder that holds the speakers' folders")
    ap.add_argument("--audio-root", type=Path, help="folder of the sound in the same layout, where it lies apart")
    ap.add_argument("--train-list", type=Path, help="`speaker wav seconds` lines; without it every clip is used")
    ap.add_argument("--test-root", type=Path, help="folder of the test clips, of other speakers")
    ap.add_argument("--test-audio-root", type=Path, help="folder of their sound, where it lies apart")


def plan(args: argparse.Namespace) -> pd.DataFrame:
    """Return the utterances of the list in its order, or of the folders where there is no list.

    Where the sound lies apart, an utterance that only one of the two trees has is planned too: it gets a reason when
    its files are looked for.

    Raises
    ------
    AvsieveError
        If a folder does not exist or holds no clip, or a name cannot be an id.
    """
    rows = _rows(TRAIN, {"root": args.root, "audio_root": args.audio_root}, args.train_list)
    if args.test_root is not None:
        test = _rows(TEST, {"test_root": args.test_root, "test_audio_root": args.test_audio_root}, None)
        rows = pd.concat([rows, test], ignore_index=True)
    return rows
