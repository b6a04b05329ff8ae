"""The media index: where the clip of each utterance lies, so that it can be read in place.

One row an utterance. A clip is a whole file, a range of bytes in a file or over several (the parts of an archive), or a
folder of images; its sound lies in it or elsewhere.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

import pandas as pd
import pyarrow as pa

from avsieve.file_names import path_from_text
from avsieve.media.slices import MediaSlice

PART_SEPARATOR = "|"
"""Between the names of files that hold one clip together, the first of which ``offset`` counts from."""
AS_IT_IS, DEFLATED, IMAGES = "", "deflate", "images"
MEDIA_SCHEMA = pa.schema(
    [
        ("utterance", pa.string()),
        ("subset", pa.string()),
        ("path", pa.string()),
        ("offset", pa.int64()),
        ("size", pa.int64()),
        ("packing", pa.string()),
        ("audio_path", pa.string()),
        ("audio_offset", pa.int64()),
        ("audio_size", pa.int64()),
        ("audio_packing", pa.string()),
        ("duration_s", pa.float64()),
    ]
)


class Place(NamedTuple):
    """Where something lies below its root; ``size`` 0 where there is nothing."""

    path: str
    offset: int = 0
    size: int = 0
    packing: str = AS_IT_IS
    """``''``, ``deflate`` (a member of a zip; ``size`` is that of the packed bytes) or ``images`` (a folder)."""


class IndexedClip(NamedTuple):
    """A row of the media index."""

    utterance: str
    subset: str
    place: Place
    audio: Place | None = None
    """Where the sound lies when it lies apart."""
    duration_s: float = math.nan


def media_table(clips: Iterable[IndexedClip]) -> pd.DataFrame:
    """Return the table of the clips, with the columns and types of ``MEDIA_SCHEMA``; ``audio_path`` is null without."""
    rows = [
        (c.utterance, c.subset, *c.place, *(c.audio or (None, 0, 0, AS_IT_IS)), c.duration_s) for c in clips
    ]  # fmt: skip
    columns = list(zip(*rows, strict=True)) or [()] * len(MEDIA_SCHEMA)
    return pa.table([list(c) for c in columns], schema=MEDIA_SCHEMA).to_pandas()


def paths_of(root: Path, path: str) -> tuple[Path, ...]:
    """Return the files that a path of the index stands for; see `avsieve.file_names` for names that are no text."""
    return tuple(root / path_from_text(part) for part in path.split(PART_SEPARATOR))


def slices_of(
    index: pd.DataFrame, roots: Mapping[str, Path], audio_roots: Mapping[str, Path] | None = None
) -> list[tuple[MediaSlice, MediaSlice | None]]:
    """Return where the clip of each row lies, and its sound when it lies apart.

    Where there is sound but no clip, the sound stands in the clip's place: it is decoded, and the picture is missed.

    Parameters
    ----------
    index
        A media index.
    roots, audio_roots
        Folder per subset; the sound's is the clips' where none is given.
    """
    audio_roots = {**roots, **(audio_roots or {})}

    def cut(root: Path, path: str, offset: int, size: int, packing: str) -> MediaSlice:
        return MediaSlice(paths_of(root, path), int(offset), int(size), packing)

    found: list[tuple[MediaSlice, MediaSlice | None]] = []
    for row in index.itertuples():
        clip = cut(roots[row.subset], row.path, row.offset, row.size, row.packing)
        sound = None
        if isinstance(row.audio_path, str):
            root = audio_roots[row.subset]
            sound = cut(root, row.audio_path, row.audio_offset, row.audio_size, row.audio_packing)
        found.append((sound, None) if sound is not None and row.size <= 0 < row.audio_size else (clip, sound))
    return found
