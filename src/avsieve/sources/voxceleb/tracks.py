"""VoxCeleb's track files: which part of a video an utterance is, and where the face is in each frame of it.

A file has a head of ``Name : value`` lines and a table with one row a frame::

    Identity  :     id00012
    Reference :     21Uxsk56VDQ
    Offset    :     -5

    FRAME   X       Y       W       H
    000001  0.31    0.12    0.24    0.43

Frame numbers count at 25 frames a second. Boxes are left, top, width and height, as shares of the picture (VoxCeleb2)
or in its pixels (VoxCeleb1).
"""

from __future__ import annotations

import math
import os
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from avsieve.errors import AvsieveError, ListError
from avsieve.storage.file_names import path_from_text
from avsieve.storage.text_files import read_text

FPS = 25
# A box that is drawn around a face is never so small in pixels, nor so large as a share of the picture.
_LARGEST_SHARE = 2.0
_LARGEST_GAP = 25 * FPS
_LAST_FRAME = 10**9  # of a year and more


class TrackError(AvsieveError):
    """A track file is damaged: the message names the line, what stands there and what was expected."""


@dataclass(frozen=True)
class Track:
    """The track of one utterance.

    ``boxes`` is (n, 4) float64: left, top, width and height for each of the n frames from ``first`` on; frames that the
    file leaves out are filled in on a straight line.
    """

    first: int
    boxes: np.ndarray
    in_pixels: bool
    head: dict[str, str] = field(default_factory=dict)
    """``Identity``, ``Reference``, ``Offset`` and what else stands above the table."""

    @property
    def reference(self) -> str | None:
        """The video's id on the site."""
        return self.head.get("Reference") or None

    @property
    def start_s(self) -> float:
        """Where the utterance begins in the video."""
        return self.first / FPS

    @property
    def duration_s(self) -> float:
        """Length of the utterance, in seconds."""
        return len(self.boxes) / FPS


def parse_track(text: str, name: str = "track") -> Track:
    """Parse the text of a track file.

    Raises
    ------
    TrackError
        If there is no table, a row has not five numbers, frame numbers do not rise, or a box has no size.
    """
    head: dict[str, str] = {}
    numbers: list[int] = []
    boxes: list[list[float]] = []
    in_table = False
    for count, line in enumerate(text.lstrip("\ufeff").splitlines(), start=1):
        fields = line.split()
        if not fields:
            continue
        if not in_table and fields[0].upper() == "FRAME":
            in_table = True
        elif in_table:
            frame, box = _row(fields, f"{name}, line {count}")
            if numbers and not numbers[-1] < frame <= numbers[-1] + _LARGEST_GAP:
                raise TrackError(
                    f"{name}, line {count}: frame {frame} follows frame {numbers[-1]}; expected rising numbers "
                    f"and no gap above {_LARGEST_GAP}"
                )
            numbers.append(frame)
            boxes.append(box)
        else:
            key, colon, value = line.partition(":")
            if not colon:
                raise TrackError(f"{name}, line {count}: {line.strip()[:60]!r}; expected `Name : value` or the table")
            head[key.strip()] = value.strip()
    if not numbers:
        raise TrackError(f"{name}: no frames; expected a table FRAME X Y W H with one row a frame")
    rows = np.array(boxes, np.float64)
    every = np.arange(numbers[0], numbers[-1] + 1)
    filled = np.stack([np.interp(every, numbers, column) for column in rows.T], axis=1)
    return Track(numbers[0], filled, bool(rows[:, 2:].max() > _LARGEST_SHARE), head)


def track_file(root: Path, path: str) -> Path:
    """Return the track file of an utterance, by what the plan says of its path; the ending may be in capitals."""
    name = path_from_text(path.partition("\n")[0])
    found = [root / f"{name}{ending}" for ending in (".txt", ".TXT")]
    return next((file for file in found if os.path.isfile(file)), found[0])  # noqa: PTH113 - raises for no name


def read_track(path: Path) -> Track:
    """Read a track file.

    Raises
    ------
    TrackError
        If it is absent or damaged.
    """
    name = "/".join(path.parts[-3:])
    try:
        text = read_text(path, "track file")
    except ListError as error:
        raise TrackError(f"{name}: {error}") from None
    return parse_track(text, name)


def _row(fields: list[str], where: str) -> tuple[int, list[float]]:
    try:
        frame, box = int(fields[0]), [float(f) for f in fields[1:]]
    except ValueError:
        raise TrackError(f"{where}: {' '.join(fields)[:60]!r}; expected a frame number and four numbers") from None
    if len(box) != 4 or not all(map(math.isfinite, box)) or not 0 <= frame <= _LAST_FRAME:
        raise TrackError(f"{where}: {' '.join(fields)[:60]!r}; expected a frame number and four numbers")
    if box[2] <= 0 or box[3] <= 0:
        raise TrackError(f"{where}: a box of {box[2]:g} x {box[3]:g}; expected a width and height above 0")
    return frame, box
