"""A stage that is killed: at each of its writes, and in the middle of a tar, it leaves no half file, and begun again it
leaves the bytes of one that nobody killed."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any
from unittest import mock

from avsieve.storage.indexed_tar import TarWriter

Work = Callable[[Path], object]


class Point:
    """Counts the writes of this process, and kills it at one of them."""

    def __init__(self, kind: str = "", at: int = -1) -> None:
        self._kind, self._at = kind, at
        self.count = {"commit": 0, "add": 0}

    def reach(self, kind: str) -> None:
        if kind == self._kind and self.count[kind] == self._at:
            os.kill(os.getpid(), signal.SIGKILL)
        self.count[kind] += 1

    def run(self, work: Work, folder: Path) -> None:
        replace, add = os.replace, TarWriter.add

        def replaced(partial: Any, path: Any, **given: Any) -> None:
            self.reach("commit")  # written, and without its name
            replace(partial, path, **given)

        def added(writer: TarWriter, *given: Any) -> None:
            self.reach("add")
            add(writer, *given)

        with mock.patch.object(os, "replace", replaced), mock.patch.object(TarWriter, "add", added):
            work(folder)


def content(folder: Path, but: Collection[str] = ()) -> dict[str, bytes]:
    """Return the files of a folder, without those in the making, which a killed process leaves."""
    files = {p.relative_to(folder).as_posix(): p for p in sorted(folder.rglob("*")) if p.is_file()}
    return {name: p.read_bytes() for name, p in files.items() if p.name not in but and not _in_the_making(name)}


def _in_the_making(name: str) -> bool:
    return ".partial" in name or any(part.startswith(".") for part in name.split("/"))


def killed(point: Point, work: Work, folder: Path) -> bool:
    """Run ``work`` in a process of its own; tell whether it was killed."""
    sys.stdout.flush()
    child = os.fork()
    if not child:
        try:
            point.run(work, folder)
        finally:
            os._exit(1)
    _, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL


def survives_kills(
    work: Work, tmp_path: Path, *, most: int = 6, but: Collection[str] = (), changing: Collection[str] = ()
) -> int:
    """Kill ``work``, which writes into the folder that it is given, at up to ``most`` of its writes.

    ``but`` names files that differ between any two runs, and ``changing`` the endings of those that are written several
    times, whole each time, until the work is done.

    Returns
    -------
    int
        How many times it was killed.
    """
    calm = Point()
    calm.run(work, tmp_path / "calm")
    expected = content(tmp_path / "calm", but)
    assert expected
    points = [("commit", at) for at in range(calm.count["commit"])][:: max(1, calm.count["commit"] // most)]
    if calm.count["add"]:
        points.append(("add", calm.count["add"] // 2))
    for kind, at in points:
        folder = tmp_path / f"{kind}{at}"
        folder.mkdir()
        assert killed(Point(kind, at), work, folder), (kind, at)
        left = content(folder, but)
        half = [
            name for name, data in left.items() if expected.get(name) != data and not name.endswith(tuple(changing))
        ]
        assert not half, (kind, at, half)
        assert content(folder) != content(tmp_path / "calm")  # it was not at its end
        work(folder)
        found = content(folder, but)
        differ = [name for name in found.keys() | expected.keys() if found.get(name) != expected.get(name)]
        assert not differ, (kind, at, sorted(differ))
    return len(points)
