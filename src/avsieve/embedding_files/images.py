"""Names of images: frames of an utterance, or pictures of a video that join all its utterances.

BAFFN's faces are named by image (``id10001/1zcIwhmdeo4/0000375.jpg``): which utterance a frame belongs to is not told,
only its video. So every wanted utterance of the video takes the mean of the video's faces, each brought to length 1.
A frame that lies in an utterance's folder (``id1/video/00001/0010.jpg``) is that utterance's alone, and a table with
one image per utterance, named by it, is taken as it is.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from typing import NamedTuple

import numpy as np

from avsieve.embedding_files.names import image_parts


class Joined(NamedTuple):
    """Which rows each utterance takes, and how that came about."""

    rows: dict[str, list[int]]
    note: str


def join_images(names: Sequence[str], wanted: Collection[str], strip_prefix: str | None = None) -> Joined:
    """Give images to utterances.

    Parameters
    ----------
    names
        Of the images, with their endings.
    wanted
        The utterances of the list or of the trials.

    Returns
    -------
    Joined
        Utterance -> positions in ``names``, in the order of the names.
    """
    known = set(wanted)
    of_video: dict[str, list[str]] = defaultdict(list)
    for utterance in known:
        of_video[utterance.rpartition("/")[0]].append(utterance)
    parts = [image_parts(name, strip_prefix) for name in names]
    folders = {"/".join(p[-4:-1]) for p in parts}
    videos = {"/".join(p[-3:-1]) for p in parts}
    in_videos = [u for video in videos for u in of_video.get(video, ())]
    own = {"/".join(p[-3:]) for p in parts}
    by_name = 2 * sum(u in own for u in in_videos) >= max(1, len(in_videos)) if in_videos else False
    rows: dict[str, list[int]] = defaultdict(list)
    lost = 0
    ways = {"utterance's folder": 0, "utterance": 0, "video": 0}
    for i in sorted(range(len(names)), key=names.__getitem__):
        folder, itself, video = "/".join(parts[i][-4:-1]), "/".join(parts[i][-3:]), "/".join(parts[i][-3:-1])
        if folder in folders and folder in known:
            way, takers = "utterance's folder", [folder]
        elif by_name:
            way, takers = "utterance", [itself] if itself in known else []
        else:
            way, takers = "video", of_video.get(video, [])
        for utterance in takers:
            rows[utterance].append(i)
        ways[way] += bool(takers)
        lost += not takers
    used = ", ".join(f"{n:,} by their {way}" for way, n in ways.items() if n) or "none"
    note = f"{len(names):,} names of images, which join {len(rows):,} utterances: {used}; {lost:,} join none"
    if ways["video"]:
        note += " (an utterance takes the mean of its video's images)"
    return Joined(dict(rows), note)


def mean_of_units(matrix: np.ndarray, rows: Sequence[int]) -> np.ndarray:
    """Return the mean of rows, each brought to length 1: (D,) float32."""
    own = matrix[list(rows)].astype(np.float32)
    return (own / np.linalg.norm(own, axis=1, keepdims=True)).mean(axis=0)
