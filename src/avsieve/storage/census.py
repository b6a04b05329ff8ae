"""What lies outside the results, in a line: a parameter of a rule, so that a run sees what has changed since the last.

A line says what it is of, how much there is, and a digest. It runs inside Snakemake, whenever a run is planned, and
imports nothing but the standard library.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from functools import lru_cache
from glob import glob
from pathlib import Path

SMALL = 50_000_000
"""Bytes up to which a file is told by its content; a larger one by its size and time."""
DEEPEST = 6
"""Folders that names are looked for below each other: a link may lead back to where it lies."""
_DIGITS = 12


def when(mtime_ns: int) -> str:
    """Return a time in words, UTC to the second."""
    return datetime.fromtimestamp(mtime_ns / 1e9, UTC).strftime("%Y-%m-%d %H:%M:%S")


@lru_cache(maxsize=1024)
def _sha256(path: str, size: int, mtime_ns: int) -> str:
    # Size and time are part of the cache's key: another content is read again.
    with Path(path).open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()[:_DIGITS]


def of_file(path: str) -> str:
    """Return a file in words: its content's digest, or its time where it is large.

    Of a folder, that of the files in it; ``absent`` where there is nothing, which the rule's own inputs tell.
    """
    try:
        return f"{path} {_content(path)}"
    except OSError as error:
        return f"{path} {'absent' if isinstance(error, FileNotFoundError) else error.strerror}"


def _content(path: str) -> str:
    if os.path.isdir(path):  # noqa: PTH112 - paths are kept as the user gave them
        inside = sorted(e.name for e in os.scandir(path) if e.is_file())
        return "holds " + (", ".join(f"{name} {_content(os.path.join(path, name))}" for name in inside) or "nothing")  # noqa: PTH118
    stat = os.stat(path)  # noqa: PTH116
    size = f"{stat.st_size:,} bytes"
    if stat.st_size <= SMALL:
        return f"{size} sha256 {_sha256(path, stat.st_size, stat.st_mtime_ns)}"
    return f"{size} of {when(stat.st_mtime_ns)} ({stat.st_mtime_ns} ns)"


def of_files(label: str, paths: Iterable[str]) -> str:
    """Return a line about files of the user's: lists, tables, models."""
    return f"{label}: " + ("; ".join(map(of_file, paths)) or "none")


def _names_below(folder: str, endings: tuple[str, ...], depth: int, *, times: bool) -> Iterator[str]:
    """Yield what is below a folder: its files with one of the endings, then its folders; a slash ends a folder."""
    folders, names = [], []
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.startswith("."):
                continue
            if entry.is_dir():
                folders.append(entry.name)
            elif entry.name.lower().endswith(endings):
                stat = entry.stat() if times else None
                names.append(f"{entry.name}\0{stat.st_size}\0{stat.st_mtime_ns}" if stat else entry.name)
    yield from sorted(names)
    if depth:
        for name in sorted(folders):
            yield f"{name}/"
            yield from _names_below(f"{folder}/{name}", endings, depth - 1, times=times)
            yield "/"


def of_names(label: str, roots: Iterable[str], endings: tuple[str, ...], *, times: bool = False) -> str:
    """Return a line about which files folders have, by their names alone, or by their sizes and ``times`` too."""
    digest, count, troubles = hashlib.blake2b(digest_size=_DIGITS // 2), 0, ""
    for root in roots:
        digest.update(f"{root}\0".encode(errors="surrogateescape"))
        try:
            for name in _names_below(root, endings, DEEPEST, times=times):
                count += not name.endswith("/")
                digest.update(f"{name}\n".encode(errors="surrogateescape"))
        except OSError as error:
            troubles += f", {error.filename}: {error.strerror}"
    return f"{label}: {count:,} {'files' if times else 'names'}, digest {digest.hexdigest()}{troubles}"


def of_archives(label: str, patterns: Iterable[str]) -> str:
    """Return a line about the archives that patterns name: names, sizes and times."""
    digest, newest, size, count = hashlib.blake2b(digest_size=_DIGITS // 2), 0, 0, 0
    for pattern in patterns:
        for path in [pattern] if os.path.isfile(pattern) else sorted(glob(pattern)):  # noqa: PTH113, PTH207
            stat = os.stat(path)  # noqa: PTH116
            digest.update(f"{path}\0{stat.st_size}\0{stat.st_mtime_ns}\n".encode(errors="surrogateescape"))
            newest, size, count = max(newest, stat.st_mtime_ns), size + stat.st_size, count + 1
        digest.update(b"\n")
    return f"{label}: {count} files, {size:,} bytes, newest {when(newest)}, digest {digest.hexdigest()}"
