"""Find the files of utterances below a folder; each folder is listed once."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

from avsieve.sources.containers import USUAL, TwiceError, choose, is_hidden, is_system, stem_of
from avsieve.sources.layout import Layout
from avsieve.storage.file_names import path_from_text, path_to_text, shown
from avsieve.storage.reasons import Reason

_DEFAULT = Layout()


class Found(NamedTuple):
    """A file below a root."""

    name: str
    """As the media index has it, see `avsieve.storage.file_names`."""
    size: int


class _Folder(NamedTuple):
    clips: dict[str, list[str]]
    others: dict[str, list[str]]
    """Files whose ending is not taken, by their stems and by their whole names."""


def _listing(path: Path) -> _Folder:
    folder = _Folder({}, {})
    if not os.path.isdir(path):  # noqa: PTH112 - `Path.is_dir` raises where a name is too long for the disk
        return folder
    for name in sorted(os.listdir(path)):  # noqa: PTH208 - a Path for each of a million names is slow
        stem = stem_of(name)
        if stem is not None:
            folder.clips.setdefault(stem, []).append(name)
        elif not is_hidden(name) and not is_system(name):
            for key in {name, os.path.splitext(name)[0]}:  # noqa: PTH122
                folder.others.setdefault(key, []).append(name)
    return folder


class Finder:
    """Finds the files of utterances below one root."""

    def __init__(self, root: Path, *, sound: bool = False, exact: bool = False) -> None:
        """Begin.

        Parameters
        ----------
        sound
            The root is a tree of the sound that lies apart.
        exact
            Paths are those of files, with their endings; otherwise the ending is looked for.
        """
        self.root = root
        self._sound = sound
        self.exact = exact
        self._folders: dict[str, _Folder] = {}

    def find(self, path: str, utterance: str = "") -> Found | None:
        """Return the file of an utterance, or None.

        Parameters
        ----------
        path
            What the plan says of its path.
        utterance
            Its id. A list may name an utterance by the name of its file, though that could be the code of another name
            (`avsieve.storage.ids.id_part`): then the file with that name is taken.

        Raises
        ------
        TwiceError
            If two files are it.
        """
        paths = [path_from_text(line) for line in path.split("\n")]
        if len(paths) > 1:
            raise TwiceError((paths[0], paths[1]))
        if self.exact:
            return self._file(paths[0])
        names = paths
        parts = paths[0].split("/")
        if utterance not in ("", paths[0]) and len(parts) == _DEFAULT.depth and _DEFAULT.id_of(parts) == utterance:
            names = [*paths, utterance]
        found = [file for name in names if (file := self._file(self._chosen(name))) is not None]
        if len(found) > 1:
            raise TwiceError((found[0].name, found[1].name))
        return found[0] if found else None

    def _folder(self, name: str) -> _Folder:
        if name not in self._folders:
            self._folders[name] = _listing(self.root / name)
        return self._folders[name]

    def _chosen(self, path: str) -> str | None:
        folder, _, stem = path.rpartition("/")
        names = (f"{folder}/{name}" for name in self._folder(folder).clips.get(stem, []))
        return choose(names, sound_alone=self._sound)

    def _file(self, name: str | None) -> Found | None:
        if name is None:
            return None
        path = self.root / name
        return Found(path_to_text(name), path.stat().st_size) if os.path.isfile(path) else None  # noqa: PTH113

    def why_missing(self, path: str) -> tuple[Reason | None, str]:
        """Return a better reason than that a file is missing, if there is one, and what is to be said."""
        name = path_from_text(path.partition("\n")[0])
        if self.exact:
            return None, f"no file {shown(name)}"
        folder, _, stem = name.rpartition("/")
        others = self._folder(folder).others.get(stem, [])
        if others:
            name = shown(f"{folder}/{others[0]}")
            return (
                Reason.ENDING_UNKNOWN,
                f"{name} is there; endings that are taken are {', '.join(USUAL)} …",
            )
        return None, self.wanted(name)

    @staticmethod
    def wanted(utterance: str) -> str:
        """Return the words for a file that is not there."""
        return f"no {shown(utterance)} with one of {', '.join(USUAL)}, …"
