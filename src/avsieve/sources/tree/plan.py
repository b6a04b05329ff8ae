"""Which utterances a folder, its list or a table has; VoxCeleb2's layout is ``speaker/video/utterance.mp4``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from avsieve.lists.layouts import read_corpus_list
from avsieve.sources.layout import Layout
from avsieve.sources.plan import TEST, TRAIN
from avsieve.sources.rows import check_folder, frame_of, planned, refuse_shared_speakers
from avsieve.sources.tree.table import read_clip_table
from avsieve.storage.file_names import path_to_text

if TYPE_CHECKING:
    from avsieve.sources.tree.contract import Tree

KEY = "source.tree"


def _of_table(settings: Tree, name: str) -> pd.DataFrame:
    """Return the utterances of the table, in its order or in that of the list."""
    for key in ("root", "audio_root"):
        if (folder := getattr(settings, key)) is not None:
            check_folder(f"{KEY}.{key}", Path(folder))
    table = read_clip_table(Path(name))
    if settings.train_list is None:
        utterances, seconds = list(table), [row.seconds for row in table.values()]
    else:
        listed = read_corpus_list(settings.train_list)
        utterances, seconds = listed["utterance"].tolist(), listed["seconds"].tolist()
    paths = [path_to_text(table[u].path) if u in table else u for u in utterances]
    return frame_of(TRAIN, utterances, paths, seconds)


def plan(settings: Tree) -> pd.DataFrame:
    """Return the utterances of the list in its order, or of the table or the folders where there is no list.

    ``path`` is where a clip lies below its folder: without the ending, and with it where a table names the files. Where
    the sound lies apart, an utterance that only one of the two trees has is planned too: it gets a reason when its
    files are looked for.

    Raises
    ------
    AvsieveError
        If a folder does not exist, cannot be read or holds no clip, or a speaker is in training and test.
    """
    layout = Layout(settings.layout)
    if settings.table is not None:
        rows = _of_table(settings, settings.table)
    else:
        roots = {f"{KEY}.root": settings.root, f"{KEY}.audio_root": settings.audio_root}
        rows = planned(roots, settings.train_list, TRAIN, layout)
    if settings.test_root is not None:
        roots = {f"{KEY}.test_root": settings.test_root, f"{KEY}.test_audio_root": settings.test_audio_root}
        rows = pd.concat([rows, planned(roots, None, TEST, layout)], ignore_index=True)
        refuse_shared_speakers(rows, f"{KEY}.root", f"{KEY}.test_root")
    return rows
