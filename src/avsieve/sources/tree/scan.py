"""Read a tree's folders: a million names in seconds, for nothing is asked of a file but its name."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from avsieve.errors import AvsieveError
from avsieve.sources.containers import EXTENSIONS, choose, stem_of


def _entries(folder: str) -> list[os.DirEntry[str]]:
    try:
        return sorted((e for e in os.scandir(folder) if not e.name.startswith(".")), key=lambda e: e.name)
    except OSError as error:
        raise AvsieveError(f"{folder}: cannot be listed ({error.strerror}); mend its rights or the disk") from error


def scan(root: Path) -> Iterator[str]:
    """Yield the ids of the clips below ``root``, sorted, each once.

    Hidden files and other extensions are passed over; links to folders are followed.

    Raises
    ------
    AvsieveError
        If a folder cannot be listed, or an utterance is there as two videos.
    """
    for speaker in _entries(str(root)):
        if not speaker.is_dir():
            continue
        for video in _entries(speaker.path):
            if not video.is_dir():
                continue
            group = f"{speaker.name}/{video.name}/"
            names = [n for n in os.listdir(video.path) if stem_of(n) is not None]  # noqa: PTH208 - entries cost more
            stems = sorted({os.path.splitext(n)[0] for n in names})  # noqa: PTH122
            if len(stems) < len(names):
                for files in _by_stem(names).values():
                    choose(group + n for n in files)
            yield from (group + s for s in stems)


def _by_stem(names: list[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name in names:
        if (stem := stem_of(name)) is not None:
            found.setdefault(stem, []).append(name)
    return found


class Found(NamedTuple):
    """A file below a root."""

    name: str
    size: int


class Finder:
    """Finds the files of utterances below one root; each folder is listed once."""

    def __init__(self, root: Path, *, sound: bool = False) -> None:
        """Begin; ``sound`` for a tree of the sound that lies apart."""
        self.root = root
        self._sound = sound
        self._files: dict[str, dict[str, list[str]]] = {}

    def find(self, utterance: str) -> Found | None:
        """Return the file of an utterance, or None.

        Raises
        ------
        AvsieveError
            If the utterance is there as two videos.
        """
        folder, _, stem = utterance.rpartition("/")
        if folder not in self._files:
            path = self.root / folder
            self._files[folder] = _by_stem([p.name for p in path.iterdir()]) if path.is_dir() else {}
        names = (f"{folder}/{name}" for name in self._files[folder].get(stem, []))
        chosen = choose(names, sound_alone=self._sound)
        if chosen is None:
            return None
        path = self.root / chosen
        return Found(chosen, path.stat().st_size) if path.is_file() else None

    @staticmethod
    def wanted(utterance: str) -> str:
        """Return the words for a file that is not there."""
        return f"no {utterance} with one of {', '.join(EXTENSIONS)}"
