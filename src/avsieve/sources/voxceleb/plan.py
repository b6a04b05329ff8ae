"""Which utterances the track files name; no file is opened for it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pandas as pd

from avsieve.sources.containers import is_hidden
from avsieve.sources.layout import Layout
from avsieve.sources.plan import TEST, TRAIN
from avsieve.sources.rows import planned

if TYPE_CHECKING:
    from avsieve.sources.voxceleb.contract import Voxceleb


def is_track(name: str) -> str | None:
    """Return the stem of a track file, None for what is none."""
    stem, ending = os.path.splitext(name)  # noqa: PTH122 - a Path for each of a million names is slow
    return stem if ending.lower() == ".txt" and not is_hidden(name) else None


def plan(settings: Voxceleb) -> pd.DataFrame:
    """Return the utterances of the list in its order, or of the folder where there is no list.

    Raises
    ------
    AvsieveError
        If a folder does not exist or holds no track file, or a folder cannot be read.
    """
    rows = planned({"source.voxceleb.tracks": settings.tracks}, settings.train_list, TRAIN, Layout(), is_track, ".txt")
    if settings.test_tracks is not None:
        tests = planned({"source.voxceleb.test_tracks": settings.test_tracks}, None, TEST, Layout(), is_track, ".txt")
        rows = pd.concat([rows, tests], ignore_index=True)
    return rows
