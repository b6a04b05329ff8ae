"""Which utterances there are: the list's, or all that have sound; and in whose folder their images lie."""

from __future__ import annotations

import argparse
from pathlib import Path

import pandas as pd

from avsieve.errors import AvsieveError
from avsieve.sources.frames.names import read_names
from avsieve.sources.layout import DEFAULT, Layout
from avsieve.sources.plan import TEST, TRAIN
from avsieve.sources.rows import check_folder, planned, refuse_shared_speakers
from avsieve.storage.file_names import path_from_text, path_to_text

KEY = "source.frames"


def add_options(ap: argparse.ArgumentParser) -> None:
    """Add the options of this source."""
    ap.add_argument("--wavs", type=Path, required=True, help="folder of the sound, speaker/video/utterance.wav")
    ap.add_argument("--layout", type=Layout, default=Layout(DEFAULT), help="which folder bears which name")
    ap.add_argument("--faces", type=Path, help="folder of the images")
    ap.add_argument("--names", type=Path, help="vox1_meta.csv, where the folders of the images bear names")
    ap.add_argument("--train-list", type=Path, help="`speaker wav seconds` lines; without it every wav is used")
    ap.add_argument("--test-wavs", type=Path, help="sound of other people, for the trials")
    ap.add_argument("--test-faces", type=Path, help="images of other people")


def with_name(path: str, layout: Layout, names: dict[str, str]) -> str:
    """Return the path of an utterance's images: that of its sound, with the speaker's name in place of the id."""
    place = layout.words.index("speaker")
    pieces = path_from_text(path.partition("\n")[0]).split("/")
    return path_to_text("/".join(names.get(p, p) if i == place else p for i, p in enumerate(pieces)))


def plan(args: argparse.Namespace) -> pd.DataFrame:
    """Return the utterances; their ``path`` is where the images are looked for, and on a second line the sound.

    Where the folders of the images bear names, the first has the speaker's name in place of the id.

    Raises
    ------
    AvsieveError
        If a folder does not exist or holds nothing, the test has sound but no images, no speaker has a name, or a
        speaker is in training and test.
    """
    for key in ("faces", "test_faces"):
        if getattr(args, key) is not None:
            check_folder(f"{KEY}.{key}", getattr(args, key))
    rows = planned({f"{KEY}.wavs": args.wavs}, args.train_list, TRAIN, args.layout)
    if args.test_wavs is not None:
        if (args.test_faces is None) != (args.faces is None):
            raise AvsieveError("source.frames: of faces and test_faces one is missing; give both or neither")
        test = planned({f"{KEY}.test_wavs": args.test_wavs}, None, TEST, args.layout)
        rows = pd.concat([rows, test], ignore_index=True)
        refuse_shared_speakers(rows, f"{KEY}.wavs", f"{KEY}.test_wavs")
    names = {} if args.names is None else read_names(args.names)
    if names:
        speakers = rows["utterance"].str.partition("/")[0]
        if not speakers.isin(names).any():
            raise AvsieveError(
                f"source.frames.names: {args.names} has the name of no speaker (the first here: {speakers.iloc[0]}, "
                f"there: {next(iter(names), 'none')}); leave `names` out where the folders bear ids"
            )
    # Somebody without a name is looked for under the id; fetching tells when nothing is there.
    images = [with_name(path, args.layout, names) for path in rows["path"]]
    rows["path"] = [f"{image}\n{sound}" for image, sound in zip(images, rows["path"], strict=True)]
    return rows
