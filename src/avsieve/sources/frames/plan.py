"""Which utterances there are: the list's, or all that have sound; and in whose folder their images lie."""

from __future__ import annotations

import argparse
from pathlib import Path

import pandas as pd

from avsieve.errors import AvsieveError
from avsieve.sources.base import TEST, TRAIN
from avsieve.sources.frames.names import read_names
from avsieve.sources.layout import listed_or_found

ENDINGS = (".wav", ".flac", ".m4a", ".ogg", ".opus", ".mp3")


def add_options(ap: argparse.ArgumentParser) -> None:
    """Add the options of this source."""
    ap.add_argument("--wavs", type=Path, required=True, help="folder of the sound, speaker/video/utterance.wav")
    ap.add_argument("--faces", type=Path, help="folder of the images")
    ap.add_argument("--names", type=Path, help="vox1_meta.csv, where the folders of the images bear names")
    ap.add_argument("--train-list", type=Path, help="`speaker wav seconds` lines; without it every wav is used")
    ap.add_argument("--test-wavs", type=Path, help="sound of other people, for the trials")
    ap.add_argument("--test-faces", type=Path, help="images of other people")


def plan(args: argparse.Namespace) -> pd.DataFrame:
    """Return the utterances; their ``path`` is where the images are looked for, under the speaker's name if any.

    Raises
    ------
    AvsieveError
        If a folder does not exist or holds nothing, the test has sound but no images, or no speaker has a name.
    """
    for key in ("faces", "test_faces"):
        folder = getattr(args, key)
        if folder is not None and not folder.is_dir():
            raise AvsieveError(f"source.frames.{key}: {folder} is no folder; give the folder of the images")
    rows = listed_or_found("frames.wavs", args.wavs, ENDINGS, args.train_list, TRAIN)
    if args.test_wavs is not None:
        if (args.test_faces is None) != (args.faces is None):
            raise AvsieveError("source.frames: of faces and test_faces one is missing; give both or neither")
        rows = pd.concat(
            [rows, listed_or_found("frames.test_wavs", args.test_wavs, ENDINGS, None, TEST)], ignore_index=True
        )
    if args.names is not None:
        names = read_names(args.names)
        speakers = rows["utterance"].str.partition("/")[0]
        if not speakers.isin(names).any():
            raise AvsieveError(
                f"source.frames.names: {args.names} has the name of no speaker (the first here: {speakers.iloc[0]}, "
                f"there: {next(iter(names), 'none')}); leave `names` out where the folders bear ids"
            )
        # Somebody without a name is looked for under the id; fetching tells when nothing is there.
        rows["path"] = [
            f"{names.get(s, s)}/{u.partition('/')[2]}" for s, u in zip(speakers, rows["utterance"], strict=True)
        ]
    return rows
