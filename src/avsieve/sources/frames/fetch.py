"""Find the images and the sound of each utterance: they stay where they are, and the media index points to them."""

from __future__ import annotations

import argparse
import math
from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from avsieve.media.decode import probe_duration_s
from avsieve.media.index import IMAGES, IndexedClip, Place, file_place, media_table, slice_of
from avsieve.progress import progress
from avsieve.reasons import Reason
from avsieve.sources.base import TRAIN
from avsieve.sources.frames.folders import ImageFolders, image_places
from avsieve.sources.frames.plan import ENDINGS
from avsieve.sources.watched import Watched
from avsieve.status import StatusTable


def add_options(ap: argparse.ArgumentParser) -> None:
    """Add the options of this source."""
    ap.add_argument("--wavs", type=Path, required=True, help="folder of the sound")
    ap.add_argument("--faces", type=Path, help="folder of the images; without it there is sound alone")
    ap.add_argument("--test-wavs", type=Path, help="sound of other people")
    ap.add_argument("--test-faces", type=Path, help="images of other people")


def fetch(rows: pd.DataFrame, args: argparse.Namespace) -> tuple[pd.DataFrame, StatusTable]:
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
    roots = {"train": (args.faces, args.wavs), "test": (args.test_faces, args.test_wavs)}
    folders = {subset: ImageFolders(faces) if faces is not None else None for subset, (faces, _) in roots.items()}
    status = StatusTable("fetch_media")
    found = []
    for row in progress(list(rows.itertuples()), "utterances"):
        wavs = roots[row.subset][1]
        sound = _sound(wavs, row.utterance)
        duration_s = float(row.seconds) if row.seconds else math.nan
        listed = not math.isnan(duration_s)
        if not listed and sound.size:
            duration_s = probe_duration_s(slice_of(sound, wavs))
        images = folders[row.subset]
        if images is None:
            status.add(row.utterance, *_judge(sound.size, 1, row))
            found.append(IndexedClip(row.utterance, row.subset, sound, None, duration_s, listed))
            continue
        at = images.find(row.path)
        place = Place(at.name, 0, at.size, IMAGES, at.stamp) if at else Place(row.path, 0, 0, IMAGES)
        status.add(row.utterance, *_judge(sound.size, place.size, row))
        found.append(IndexedClip(row.utterance, row.subset, place, sound, duration_s, listed))
    return media_table(found), status


def also_watched(rows: pd.DataFrame, index: pd.DataFrame, args: argparse.Namespace) -> Iterator[Watched]:
    """Yield the folders in which images would be taken in place of those that were found."""
    for row, clip in zip(rows.itertuples(), index.itertuples(), strict=True):
        if (args.faces if row.subset == TRAIN else args.test_faces) is None:
            continue
        for folder in image_places(row.path):
            if clip.size and folder == clip.path:
                break
            yield Watched(f"{row.subset}_root", folder, is_images=True)


def _sound(root: Path, utterance: str) -> Place:
    for ending in ENDINGS:
        if (place := file_place(root, f"{utterance}{ending}")).stamps:
            return place
    return Place(f"{utterance}{ENDINGS[0]}")


def _judge(sound: int, images: int, row: object) -> tuple[Reason, str]:
    utterance, path = row.utterance, row.path  # type: ignore[attr-defined]
    no_sound, no_images = f"no {utterance} with one of {', '.join(ENDINGS)}", f"no image in {path}, nor in its video's"
    if sound and images:
        return Reason.OK, ""
    if images:
        return Reason.SOUND_FILE_MISSING, no_sound
    if sound:
        return Reason.VIDEO_FILE_MISSING, no_images
    return Reason.MEDIA_MISSING, f"{no_sound}; {no_images}"
