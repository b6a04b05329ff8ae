"""A journal of a shard in the making: a killed extraction is taken up behind the last clip that was written whole.

The tars grow as ``.partial`` files; after each clip a line says what was added and what became of the clip. A line is
believed only when the tars hold what it says, checksums included, and when nothing that the result depends on has
changed since: the index, the files it names, the settings and the code.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self

import av
import cv2
import pandas as pd

from avsieve.media.file_identity import image_files, images_stamp, stamp_of
from avsieve.media.slices import MediaSlice
from avsieve.storage import indexed_tar, jpeg, reasons
from avsieve.storage.indexed_tar import Member, TarWriter, intact

Clip = tuple[MediaSlice, MediaSlice | None]


class Entry(NamedTuple):
    """A finished clip: its status row, and the members it has in each tar."""

    row: dict[str, Any]
    members: list[list[Member]]


def _code(folders: Sequence[Path]) -> bytes:
    """Return a digest of the files that the work is done by: some folders, and what they share with others."""
    files = [path for folder in folders for path in sorted(folder.glob("*.py"))]
    files += [Path(jpeg.__file__), Path(indexed_tar.__file__), Path(reasons.__file__)]
    return hashlib.sha256(b"\0".join(path.read_bytes() for path in files)).digest()


def _stamp(path: Path, *, of_images: bool) -> str:
    if of_images:
        return images_stamp((entry.name, entry.stat()) for entry in image_files(path))
    return stamp_of(path.stat()) if os.path.exists(path) else "none"  # noqa: PTH110 - `Path.exists` raises for very long names


def state_of(index: pd.DataFrame, clips: Sequence[Clip], settings: Mapping[str, Any], code: Sequence[Path] = ()) -> str:
    """Return a digest of all that an extraction depends on.

    Parameters
    ----------
    index
        Media index.
    clips
        Where its clips lie: sizes and times of the files are part of the digest.
    settings
        What the clips are decoded with.
    code
        Folders whose modules do the work, besides this one.
    """
    digest = hashlib.sha256(index.to_json(orient="split", double_precision=15).encode())
    parts = [part for clip in clips for part in clip if part is not None]
    paths = {(path, part.packing == "images") for part in parts for path in part.paths}
    for path, of_images in sorted(paths):
        digest.update(f"{path}\0{_stamp(path, of_images=of_images)}\n".encode("utf-8", errors="surrogateescape"))
    digest.update(_code([Path(__file__).parent, *code]))
    digest.update(json.dumps([av.__version__, cv2.__version__, dict(settings)], sort_keys=True).encode())
    return digest.hexdigest()


class Journal:
    """Write tars together with the journal of them; `done` holds the clips that an earlier run has finished.

    The tars appear, and the journal goes, when the ``with`` block ends well. However else it ends, what was written is
    kept for the next run.
    """

    def __init__(self, path: str | Path, tars: Sequence[str | Path], state: str) -> None:
        self.path = Path(path)
        self._state = state
        entries = self._believed([Path(t) for t in tars])
        self.done = [entry.row for entry in entries]
        kept = [[m for entry in entries for m in entry.members[i]] for i in range(len(tars))]
        self.writers = [TarWriter(tar, kept=rows) for tar, rows in zip(tars, kept, strict=True)]
        self._written = [len(rows) for rows in kept]
        self._lines = [self._line(entry) for entry in entries]

    def _believed(self, tars: list[Path]) -> list[Entry]:
        entries = list(self._read())
        for i, tar in enumerate(tars):
            sound = intact(tar, [m for entry in entries for m in entry.members[i]])
            while sum(len(entry.members[i]) for entry in entries) > sound:
                entries.pop()
        return entries

    def _read(self) -> Iterator[Entry]:
        if not self.path.exists():
            return
        lines = self.path.read_text(encoding="utf-8", errors="replace").split("\n")
        if lines[0] != self._state:
            return
        for line in lines[1:-1]:  # what follows the last line end was cut off
            try:
                row, members = json.loads(line)
            except ValueError:
                return
            yield Entry(row, [[Member(*m) for m in tar] for tar in members])

    @staticmethod
    def _line(entry: Entry) -> str:
        return json.dumps([entry.row, entry.members], ensure_ascii=False) + "\n"

    def __enter__(self) -> Self:
        for writer in self.writers:
            writer.__enter__()
        self._file = self.path.open("w", encoding="utf-8", newline="\n")
        self._file.writelines([self._state + "\n", *self._lines])
        self._file.flush()
        return self

    def finish(self, row: dict[str, Any]) -> None:
        """Record that a clip is done: ``row`` is what became of it, its members are those added since the last."""
        new = []
        for i, writer in enumerate(self.writers):
            writer.flush()
            new.append(writer.members[self._written[i] :])
            self._written[i] = len(writer.members)
        self._file.write(self._line(Entry(row, new)))
        self._file.flush()

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()
        for writer in self.writers:
            writer.__exit__(kind, value, trace)
        if kind is None:
            self.path.unlink()
