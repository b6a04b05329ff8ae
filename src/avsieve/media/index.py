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

from avsieve.media.file_identity import SEPARATOR, stamp_of
from avsieve.media.slices import MediaSlice
from avsieve.storage.file_names import path_from_text

PART_SEPARATOR = SEPARATOR
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
        ("stamps", pa.string()),
        ("marks", pa.string()),
        ("audio_path", pa.string()),
        ("audio_offset", pa.int64()),
        ("audio_size", pa.int64()),
        ("audio_packing", pa.string()),
        ("audio_stamps", pa.string()),
        ("audio_marks", pa.string()),
        ("duration_s", pa.float64()),
        ("listed", pa.bool_()),
    ]
)


class Place(NamedTuple):
    """Where something lies below its root; ``size`` 0 where there is nothing."""

    path: str
    offset: int = 0
    size: int = 0
    packing: str = AS_IT_IS
    """``''``, ``deflate`` (a member of a zip; ``size`` is that of the packed bytes) or ``images`` (a folder)."""
    stamps: str = ""
    """Stamps of the files, or of the folder, see `avsieve.media.file_identity`; empty for what the run itself made."""
    marks: str = ""
    """Marks of the content: the header that names a member of an archive."""


class IndexedClip(NamedTuple):
    """A row of the media index."""

    utterance: str
    subset: str
    place: Place
    audio: Place | None = None
    """Where the sound lies when it lies apart."""
    duration_s: float = math.nan
    listed: bool = False
    """Whether ``duration_s`` is the user's list's; else it is the header's."""


def file_place(root: Path, name: str) -> Place:
    """Return the place of a whole file below ``root``; of size 0 where there is none.

    ``name`` is as the index has it, see `avsieve.storage.file_names`.
    """
    path = root / path_from_text(name)
    if not path.is_file():
        return Place(name)
    stat = path.stat()
    return Place(name, 0, stat.st_size, stamps=stamp_of(stat))


def slice_of(place: Place, root: Path = Path(), listed_s: float = math.nan) -> MediaSlice:
    """Return the bytes at a place below ``root``, with what they are to be compared with when they are read."""
    return MediaSlice(
        paths_of(root, place.path),
        int(place.offset),
        int(place.size),
        place.packing,
        place.stamps,
        place.marks,
        float(listed_s),
    )


def media_table(clips: Iterable[IndexedClip]) -> pd.DataFrame:
    """Return the table of the clips, with the columns and types of ``MEDIA_SCHEMA``; ``audio_path`` is null without."""
    rows = [
        (c.utterance, c.subset, *c.place, *(c.audio or (None, 0, 0, AS_IT_IS, "", "")), c.duration_s, c.listed)
        for c in clips
    ]
    columns = list(zip(*rows, strict=True)) or [()] * len(MEDIA_SCHEMA)
    return pa.table([list(c) for c in columns], schema=MEDIA_SCHEMA).to_pandas()


def paths_of(root: Path, path: str) -> tuple[Path, ...]:
    """Return the files that a path of the index stands for.

    `avsieve.storage.file_names` tells how names that are no text are written.
    """
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

    found: list[tuple[MediaSlice, MediaSlice | None]] = []
    for row in index.itertuples():
        listed_s = row.duration_s if row.listed else math.nan
        place = Place(row.path, row.offset, row.size, row.packing, row.stamps, row.marks)
        clip = slice_of(place, roots[row.subset], listed_s)
        sound = None
        if isinstance(row.audio_path, str):
            apart = Place(
                row.audio_path, row.audio_offset, row.audio_size, row.audio_packing, row.audio_stamps, row.audio_marks
            )
            sound = slice_of(apart, audio_roots[row.subset], listed_s)
        found.append((sound, None) if sound is not None and row.size <= 0 < row.audio_size else (clip, sound))
    return found
