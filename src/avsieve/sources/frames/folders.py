"""Find the folder that holds an utterance's images; each folder is listed once."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from avsieve.media.file_identity import image_files, images_stamp
from avsieve.storage.file_names import path_from_text, path_to_text

RELEASE = "1.6"
"""Folder between speaker and video in VoxCeleb1's face release."""


class Images(NamedTuple):
    """A folder below the root, how many bytes of images it holds, and the stamp of them."""

    name: str
    size: int
    stamp: str


def image_places(path: str) -> tuple[str, ...]:
    """Return the folders that the images of an utterance may lie in, in the order of the search; as the disk has them.

    ``path`` is the plan's: ``speaker/video/utterance``, or by another layout.
    """
    name = path_from_text(path)
    video, _, _ = name.rpartition("/")
    speaker, _, last = video.rpartition("/")
    return (name, *((video, f"{speaker}/{RELEASE}/{last}") if speaker else ()))


class ImageFolders:
    """The images below ``root``: ``speaker/video/utterance/*.jpg``, or ``speaker[/1.6]/video/*.jpg``."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._known: dict[str, Images | None] = {}

    def find(self, path: str) -> Images | None:
        """Return the images of an utterance, whose ``path`` is the plan's: its own, or its video's, or None."""
        return next((found for name in image_places(path) if (found := self._look(name)) is not None), None)

    def _look(self, name: str) -> Images | None:
        if name not in self._known:
            self._known[name] = self._count(name)
        return self._known[name]

    def _count(self, name: str) -> Images | None:
        images = [(entry.name, entry.stat()) for entry in image_files(self._root / name)]
        size = sum(stat.st_size for _, stat in images)
        return Images(path_to_text(name), size, images_stamp(images)) if size else None
