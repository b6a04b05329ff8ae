"""Find the folder that holds an utterance's images; each folder is listed once."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

from avsieve.file_names import path_from_text, path_to_text
from avsieve.media.frame_names import IMAGES
from avsieve.sources.containers import is_hidden

RELEASE = "1.6"
"""Folder between speaker and video in VoxCeleb1's face release."""


def _is_image(name: str) -> bool:
    return name.lower().endswith(IMAGES) and not is_hidden(name)


class Images(NamedTuple):
    """A folder below the root, and how many bytes of images it holds."""

    name: str
    size: int


class ImageFolders:
    """The images below ``root``: ``speaker/video/utterance/*.jpg``, or ``speaker[/1.6]/video/*.jpg``."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._known: dict[str, Images | None] = {}

    def find(self, path: str) -> Images | None:
        """Return the images of an utterance, whose ``path`` is the plan's: its own, or its video's, or None."""
        name = path_from_text(path)
        video, _, _ = name.rpartition("/")
        speaker, _, last = video.rpartition("/")
        places = (name, *((video, f"{speaker}/{RELEASE}/{last}") if speaker else ()))
        return next((found for place in places if (found := self._look(place)) is not None), None)

    def _look(self, name: str) -> Images | None:
        if name not in self._known:
            self._known[name] = self._count(name)
        return self._known[name]

    def _count(self, name: str) -> Images | None:
        try:
            with os.scandir(self._root / name) as entries:
                size = sum(e.stat().st_size for e in entries if _is_image(e.name) and e.is_file())
        except (FileNotFoundError, NotADirectoryError):
            return None
        return Images(path_to_text(name), size) if size else None
