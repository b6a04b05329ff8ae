"""Which utterances there are: the list's, or all that have sound; and in whose folder their images lie."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from avsieve.errors import AvsieveError
from avsieve.sources.frames.names import read_names
from avsieve.sources.layout import Layout
from avsieve.sources.plan import TEST, TRAIN
from avsieve.sources.rows import check_folder, planned, refuse_shared_speakers
from avsieve.storage.file_names import path_from_text, path_to_text

if TYPE_CHECKING:
    from avsieve.sources.frames.contract import Frames

KEY = "source.frames"


def with_name(path: str, layout: Layout, names: dict[str, str]) -> str:
    """Return the path of an utterance's images: that of its sound, with the speaker's name in place of the id."""
    place = layout.words.index("speaker")
    pieces = path_from_text(path.partition("\n")[0]).split("/")
    return path_to_text("/".join(names.get(p, p) if i == place else p for i, p in enumerate(pieces)))


def plan(settings: Frames) -> pd.DataFrame:
    """Return the utterances; their ``path`` is where the images are looked for, and on a second line the sound.

    Where the folders of the images bear names, the first has the speaker's name in place of the id.

    Raises
    ------
    AvsieveError
        If a folder does not exist or holds nothing, the test has sound but no images, no speaker has a name, or a
        speaker is in training and test.
    """
    for key in ("faces", "test_faces"):
        if (folder := getattr(settings, key)) is not None:
            check_folder(f"{KEY}.{key}", Path(folder))
    layout = Layout(settings.layout)
    rows = planned({f"{KEY}.wavs": settings.wavs}, settings.train_list, TRAIN, layout)
    if settings.test_wavs is not None:
        if (settings.test_faces is None) != (settings.faces is None):
            raise AvsieveError("source.frames: of faces and test_faces one is missing; give both or neither")
        test = planned({f"{KEY}.test_wavs": settings.test_wavs}, None, TEST, layout)
        rows = pd.concat([rows, test], ignore_index=True)
        refuse_shared_speakers(rows, f"{KEY}.wavs", f"{KEY}.test_wavs")
    names = {} if settings.names is None else read_names(Path(settings.names))
    if names:
        speakers = rows["utterance"].str.partition("/")[0]
        if not speakers.isin(names).any():
            raise AvsieveError(
                f"source.frames.names: {settings.names} has the name of no speaker (the first here: "
                f"{speakers.iloc[0]}, there: {next(iter(names), 'none')}); leave `names` out where the folders bear ids"
            )
    # Somebody without a name is looked for under the id; fetching tells when nothing is there.
    images = [with_name(path, layout, names) for path in rows["path"]]
    rows["path"] = [f"{image}\n{sound}" for image, sound in zip(images, rows["path"], strict=True)]
    return rows
