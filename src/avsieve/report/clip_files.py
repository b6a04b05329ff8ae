"""Where a clip that the page shows lies: its own file, its sound and faces, and where its face is in the picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from avsieve.storage.tables import read_arrow

_CORNERS = ("x1", "y1", "x2", "y2")


@dataclass(frozen=True)
class Box:
    """Where a face lies in its frame, in pixels."""

    x1: float
    y1: float
    x2: float
    y2: float

    @property
    def words(self) -> str:
        """Say it."""
        return f"{self.x2 - self.x1:.0f} × {self.y2 - self.y1:.0f} px at {self.x1:.0f}, {self.y1:.0f}"


@dataclass(frozen=True)
class Place:
    """A file, or a part of one, that belongs to a clip: what it is, and where."""

    what: str
    where: str


def frame_time(name: str) -> float | None:
    """Return the time of a frame by its name, seconds; None where the name is no time.

    Names have four digits and more of 25ths of a second, or six and more of thousandths.

    Examples
    --------
    >>> frame_time("0010"), frame_time("000033"), frame_time("first")
    (0.4, 0.033, None)
    """
    if not (name.isascii() and name.isdigit() and len(name) >= 4):
        return None
    return int(name) / (1000 if len(name) >= 6 else 25)


class ClipFiles:
    """The tables that say where clips and faces lie; none need hold a clip that is asked for.

    Parameters
    ----------
    clips, boxes
        Media indices (``media/{shard}.parquet``), and tables of detections (``align/{shard}.detections.parquet``).
    shard_of
        The shard of each utterance (the plan's).
    roots
        Folders that clips may lie in, besides that of the indices: an index names them below one of these.
    """

    def __init__(
        self, clips: Sequence[Path], boxes: Sequence[Path], shard_of: Mapping[str, str], *, roots: Sequence[Path] = ()
    ) -> None:
        self._clips, self._boxes = ({path.name.split(".", 1)[0]: path for path in paths} for paths in (clips, boxes))
        self._shard_of = shard_of
        self._roots = [*dict.fromkeys(path.parent for path in clips), *roots]

    def clip(self, utterance: str) -> list[Place]:
        """Return the file of the clip, and that of its sound where it is another one.

        Raises
        ------
        AvsieveError
            If the index cannot be read or lacks a column.
        """
        rows = self._rows(self._clips, utterance, ("path", "offset", "size", "audio_path", "audio_size"))
        found = []
        for row in rows:
            if row["size"]:
                part = f", {row['size']:,} bytes from byte {row['offset']:,}" if row["offset"] else ""
                found.append(Place("clip", f"{self._whole(row['path'])}{part}"))
            if row["audio_size"]:
                found.append(Place("its sound", self._whole(row["audio_path"])))
        return found

    def _whole(self, path: str) -> str:
        """Return a path with the folder that it is found in; as the index has it where that is none of them."""
        return next((str(root / path) for root in self._roots if (root / path).exists()), path)

    def boxes(self, utterance: str) -> dict[str, Box]:
        """Return where the face lies in each frame in which one was found.

        Raises
        ------
        AvsieveError
            If the table of detections cannot be read or lacks a column.
        """
        rows = self._rows(self._boxes, utterance, ("frame", *_CORNERS))
        known = [row for row in rows if not any(row[c] is None or np.isnan(row[c]) for c in _CORNERS)]
        return {str(row["frame"]): Box(*(row[c] for c in _CORNERS)) for row in known}

    def _rows(self, tables: Mapping[str, Path], utterance: str, columns: tuple[str, ...]) -> list[dict[str, Any]]:
        path = tables.get(self._shard_of.get(utterance, ""))
        if path is None:
            return []
        found: list[dict[str, Any]] = read_arrow(path, list(columns), where=("utterance", utterance)).to_pylist()
        return found
