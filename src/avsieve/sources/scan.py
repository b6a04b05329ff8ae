"""Read a folder of clips: which utterances there are, and what was passed over.

A million names take seconds, for nothing is asked of a file but its name. The run plans from this, and the doctor tells
the same beforehand.
"""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from operator import attrgetter
from pathlib import Path

from avsieve.errors import AvsieveError
from avsieve.sources.containers import USUAL, TwiceError, choose, ending_of, is_hidden, is_system, stem_of
from avsieve.sources.layout import DEEPEST, Layout
from avsieve.storage.file_names import shown
from avsieve.storage.ids import id_part

HIDDEN, SYSTEM, BARE = "hidden", "of the system", "without an ending"


@dataclass
class Kind:
    """Things of one kind: how many, and the first of them."""

    count: int = 0
    example: str = ""

    def add(self, example: str) -> None:
        """Count one more."""
        self.count += 1
        self.example = self.example or example


@dataclass
class Scan:
    """What lies below a folder; paths start from it."""

    root: Path
    layout: Layout
    wanted: str = ", ".join(USUAL) + ", …"
    """The endings of clips, in words."""
    clips: dict[str, str] = field(default_factory=dict)
    """Id of each utterance -> its path without the ending."""
    same: dict[str, list[str]] = field(default_factory=dict)
    """Ids that clips in several folders have, by a layout that leaves names out -> the other paths."""
    twice: Kind = field(default_factory=Kind)
    """Utterances that are there as two files, or in two folders: rows with the reason ``clip_twice``."""
    odd: Kind = field(default_factory=Kind)
    """Utterances whose id is not their path, since a name has other signs than ids have or is very long."""
    passed: dict[str, Kind] = field(default_factory=dict)
    """What is no clip, by its ending, or hidden, or a system's."""
    depths: dict[int, Kind] = field(default_factory=dict)
    """Clips at another depth than the layout's, by their depth; 1 for those that lie in the folder itself."""
    empty: Kind = field(default_factory=Kind)
    """Folders right below the root in which there is no clip."""
    unreadable: list[str] = field(default_factory=list)
    """Folders that cannot be listed, each with the system's word."""
    top: list[str] = field(default_factory=list)
    """The folders right below the root."""
    too_high: set[str] = field(default_factory=set)
    """Those of them in which clips lie deeper than the layout has them."""
    seen: int = 0
    """How many of them were read."""
    is_cut: bool = False
    """Whether one of these was left half read."""

    @property
    def is_whole(self) -> bool:
        """Whether all was read."""
        return self.seen == len(self.top) and not self.is_cut

    @property
    def estimate(self) -> int:
        """Number of utterances, estimated where not all was read."""
        return len(self.clips) if self.is_whole else round(len(self.clips) / max(1, self.seen) * len(self.top))

    def require_readable(self, key: str) -> None:
        """Raise if a folder could not be listed: whose clips lie in it is not known.

        Raises
        ------
        AvsieveError
            Naming the number of such folders, and the first.
        """
        if self.unreadable:
            raise AvsieveError(
                f"{key}: {len(self.unreadable)} of the folders below {shown(str(self.root))} cannot be listed, as "
                f"{self.unreadable[0]}; fix their permissions or the disk"
            )


class _Reader:
    def __init__(self, scan: Scan, taken: Callable[[str], str | None], sound: bool, look_s: float) -> None:
        self._scan = scan
        self._taken = taken
        self._sound = sound
        self._look_s = look_s
        self._until = time.monotonic() + look_s

    def entries(self, folder: str) -> list[os.DirEntry[str]]:
        try:
            with os.scandir(folder) as found:
                return sorted(found, key=attrgetter("name"))
        except OSError as error:
            self._scan.unreadable.append(f"{shown(folder)} ({error.strerror})")
            return []

    def too_late(self, more_s: float = 0.0) -> bool:
        return time.monotonic() > self._until + more_s

    def cuts(self) -> bool:
        """Tell whether to leave a folder half read: one that alone takes as long as all were to take."""
        if self.too_late(max(1.0, self._look_s)):
            self._scan.is_cut = True
        return self._scan.is_cut

    def folder(self, path: str, names: tuple[str, ...]) -> None:
        """Read a folder that lies above the clips or holds them; `names` are those of its path below the root."""
        scan, taken = self._scan, self._taken
        is_last = len(names) == scan.layout.depth - 1
        stems: dict[str, list[str]] = {}
        for entry in self.entries(path):
            name = entry.name
            if self.is_nobodys(name, names):
                continue
            if _is_folder(entry):
                if is_last:
                    self._below(entry.path, (*names, name))
                elif not self.cuts():
                    self.folder(entry.path, (*names, name))
            elif (stem := taken(name)) is None:
                self.pass_over(name, names)
            elif is_last:
                stems.setdefault(stem, []).append(name)
            else:
                scan.depths.setdefault(len(names) + 1, Kind()).add("/".join((*names, name)))
        if stems:
            self._add(names, stems)

    def is_nobodys(self, name: str, names: tuple[str, ...]) -> bool:
        if not is_system(name) and not is_hidden(name):
            return False
        kind = SYSTEM if is_system(name) else HIDDEN
        self._scan.passed.setdefault(kind, Kind()).add("/".join((*names, name)))
        return True

    def pass_over(self, name: str, names: tuple[str, ...]) -> None:
        self._scan.passed.setdefault(ending_of(name) or BARE, Kind()).add("/".join((*names, name)))

    def _below(self, path: str, names: tuple[str, ...]) -> None:
        """Count the clips in a folder that lies deeper than the layout goes."""
        for entry in self.entries(path):
            if self.is_nobodys(entry.name, names):
                continue
            if _is_folder(entry):
                if len(names) < DEEPEST and not self.cuts():
                    self._below(entry.path, (*names, entry.name))
            elif self._taken(entry.name) is None:
                self.pass_over(entry.name, names)
            else:
                self._scan.too_high.add(names[0])
                self._scan.depths.setdefault(len(names) + 1, Kind()).add("/".join((*names, entry.name)))

    def _add(self, names: tuple[str, ...], stems: dict[str, list[str]]) -> None:
        """Add the clips of one folder, by their stems."""
        scan, layout = self._scan, self._scan.layout
        folder = "/".join(names)
        for several in stems.values():
            if len(several) > 1:
                try:
                    choose((f"{folder}/{name}" for name in several), sound_alone=self._sound)
                except TwiceError as error:
                    scan.twice.add(" and ".join(error.names))
        # The default layout's ids are put together here: it is what a million clips have.
        prefix = "/".join(map(id_part, names)) + "/" if layout.is_default else None
        for stem in stems:
            path = f"{folder}/{stem}"
            utterance = layout.id_of((*names, stem)) if prefix is None else prefix + id_part(stem)
            if utterance == path:
                path = utterance  # one string for both
            elif layout.changes((*names, stem)):
                scan.odd.add(path)
            if utterance not in scan.clips:
                scan.clips[utterance] = path
            else:
                scan.same.setdefault(utterance, []).append(path)
                scan.twice.add(f"{scan.clips[utterance]} and {path}")


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link that leads back to itself
        return False


def scan_folder(
    root: Path,
    layout: Layout | None = None,
    *,
    taken: Callable[[str], str | None] = stem_of,
    sound: bool = False,
    wanted: str = "",
    look_s: float | None = None,
) -> Scan:
    """Read what lies below ``root``; links to folders are followed.

    Parameters
    ----------
    layout
        How the clips lie; VoxCeleb's if not given.
    taken
        Gives the stem of a file that is wanted, None for others.
    wanted
        The endings of those files, in words; that of clips and sound if not given.
    sound
        The folder is one of sound that lies apart: of an utterance's files, sound counts before a picture.
    look_s
        Stop after so many seconds, the folders below the root being taken in leaps, so that what was seen stands for
        all; None to read everything.
    """
    scan = Scan(root, layout or Layout())
    scan.wanted = wanted or scan.wanted
    reader = _Reader(scan, taken, sound, float("inf") if look_s is None else look_s)
    folders = []
    for entry in reader.entries(str(root)):
        if not reader.is_nobodys(entry.name, ()):
            if _is_folder(entry):
                folders.append(entry)
            elif taken(entry.name) is None:
                reader.pass_over(entry.name, ())
            else:
                scan.depths.setdefault(1, Kind()).add(entry.name)
    scan.top = [entry.name for entry in folders]
    stride = 1 if look_s is None else max(1, len(folders) // 64)
    for first in range(stride):
        for entry in folders[first::stride]:
            if scan.seen and reader.too_late():
                return scan
            before = len(scan.clips) + scan.twice.count
            reader.folder(entry.path, (entry.name,))
            scan.seen += 1
            if len(scan.clips) + scan.twice.count == before:
                scan.empty.add(entry.name)
    return scan


def in_order(utterances: Iterable[str]) -> list[str]:
    """Return ids in the order of their speakers, videos and utterances, each once."""
    # A zero comes before any sign of an id, as the end of a part does; lists of parts would take four times the memory.
    return sorted(set(utterances), key=lambda utterance: utterance.replace("/", "\0"))


def kinds_in_words(passed: dict[str, Kind]) -> str:
    """Return what was passed over in words, the most frequent first: ``12 .txt, 3 hidden``."""
    counts = Counter({name: kind.count for name, kind in passed.items()})
    return ", ".join(f"{count:,} {shown(name)}" for name, count in counts.most_common())
