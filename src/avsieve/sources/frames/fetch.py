"""Find the images and the sound of each utterance: they stay where they are, and the media index points to them."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from avsieve.media.index import IMAGES, IndexedClip, Place, file_place, media_table, slice_of
from avsieve.media.isolated import probe_duration_s
from avsieve.runtime.progress import progress
from avsieve.sources.containers import TwiceError
from avsieve.sources.frames.folders import ImageFolders, image_places
from avsieve.sources.plan import TRAIN
from avsieve.sources.tree.scan import Finder
from avsieve.sources.watch_list import Watched
from avsieve.storage.file_names import path_from_text, shown
from avsieve.storage.reasons import Reason
from avsieve.storage.status import StatusTable

if TYPE_CHECKING:
    from avsieve.sources.frames.contract import Frames


def fetch(rows: pd.DataFrame, settings: Frames) -> tuple[pd.DataFrame, StatusTable]:
    """Find the images and the sound of a shard.

    Where a video's images are not told apart by utterance, each of its utterances has all of them.

    Parameters
    ----------
    rows
        The shard's part of the plan.

    Returns
    -------
    tuple
        The media index, one row per row of the plan, and the status.
    """
    roots = {"train": (settings.faces, settings.wavs), "test": (settings.test_faces, settings.test_wavs)}
    folders = {subset: ImageFolders(Path(faces)) if faces is not None else None for subset, (faces, _) in roots.items()}
    sounds = {subset: Finder(Path(wavs), sound=True) for subset, (_, wavs) in roots.items() if wavs is not None}
    status = StatusTable("fetch_media")
    found = []
    for row in progress(list(rows.itertuples()), "utterances"):
        wavs = sounds[row.subset]
        path, _, lies = row.path.partition("\n")
        sound, bad, detail = _sound(wavs, lies, row.utterance)
        duration_s = float(row.seconds) if row.seconds else math.nan
        listed = not math.isnan(duration_s)
        if not listed and sound.size:
            duration_s = probe_duration_s(slice_of(sound, wavs.root))
        images = folders[row.subset]
        if images is None:
            status.add(row.utterance, *_judge(sound.size, 1, path, bad, detail))
            found.append(IndexedClip(row.utterance, row.subset, sound, None, duration_s, listed))
            continue
        at = images.find(path)
        place = Place(at.name, 0, at.size, IMAGES, at.stamp) if at else Place(path, 0, 0, IMAGES)
        status.add(row.utterance, *_judge(sound.size, place.size, path, bad, detail))
        found.append(IndexedClip(row.utterance, row.subset, place, sound, duration_s, listed))
    return media_table(found), status


def also_watched(rows: pd.DataFrame, index: pd.DataFrame, settings: Frames) -> Iterator[Watched]:
    """Yield the folders in which images would be taken in place of those that were found."""
    for row, clip in zip(rows.itertuples(), index.itertuples(), strict=True):
        if (settings.faces if row.subset == TRAIN else settings.test_faces) is None:
            continue
        for folder in image_places(row.path.partition("\n")[0]):
            if clip.size and folder == path_from_text(clip.path):
                break
            yield Watched(f"{row.subset}_root", folder, is_images=True)


def _sound(wavs: Finder, path: str, utterance: str) -> tuple[Place, Reason, str]:
    """Return where the sound of an utterance lies and, where it has none, why."""
    try:
        found = wavs.find(path, utterance)
    except TwiceError as error:
        return Place(path.partition("\n")[0]), Reason.CLIP_TWICE, " and ".join(map(shown, error.names))
    if found is not None:
        return file_place(wavs.root, found.name), Reason.OK, ""
    better, detail = wavs.why_missing(path)
    return Place(path), better or Reason.SOUND_FILE_MISSING, detail


def _judge(sound: int, images: int, path: str, bad: Reason, detail: str) -> tuple[Reason, str]:
    no_images = f"no image in {path}, nor in its video's"
    if sound and images:
        return Reason.OK, ""
    if images:
        return (bad, detail) if bad is not Reason.OK else (Reason.MEDIA_EMPTY, "the sound has no bytes")
    if sound:
        return Reason.VIDEO_FILE_MISSING, no_images
    told = f"{detail}; {no_images}" if detail else no_images
    return _of_nothing(bad), told


def _of_nothing(bad: Reason) -> Reason:
    """Return the reason of an utterance without images, by what is wrong with its sound."""
    if bad is Reason.OK:
        return Reason.MEDIA_EMPTY
    return Reason.MEDIA_MISSING if bad is Reason.SOUND_FILE_MISSING else bad
