"""Find the folder that holds an utterance's images; each folder is listed once."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".webp")
RELEASE = "1.6"
"""Folder between speaker and video in VoxCeleb1's face release."""


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
        """Return the images of ``speaker/video/utterance``: its own, or its video's, or None."""
        speaker, video, _ = path.split("/")
        places = (path, f"{speaker}/{video}", f"{speaker}/{RELEASE}/{video}")
        return next((found for name in places if (found := self._look(name)) is not None), None)

    def _look(self, name: str) -> Images | None:
        if name not in self._known:
            self._known[name] = self._count(name)
        return self._known[name]

    def _count(self, name: str) -> Images | None:
        try:
            with os.scandir(self._root / name) as entries:
                size = sum(e.stat().st_size for e in entries if e.name.lower().endswith(SUFFIXES) and e.is_file())
        except (FileNotFoundError, NotADirectoryError):
            return None
        return Images(name, size) if size else None
