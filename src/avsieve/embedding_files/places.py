"""What the name of a table stands for: one file, two that are joined, a Kaldi specifier, a folder.

The rules ask for the files behind a name too, so nothing heavy is imported here.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from avsieve.errors import AvsieveError

_SPECIFIER = re.compile(r"(ark|scp)((?:,(?:t|b|o|p|s|cs|bg|no|ncs|f|nf))*):", re.IGNORECASE)
_JOINED = re.compile(r"\.npy:", re.IGNORECASE)
_OFFSET = re.compile(r"(.+):(\d+)$", re.DOTALL)


class Place(NamedTuple):
    """Where a table is."""

    text: str
    """As the user wrote it: messages begin with it."""
    path: Path
    names: Path | None = None
    """The file of names of ``vectors.npy:names.txt``."""
    kind: str | None = None
    """``ark`` or ``scp`` where the name says so."""


def parse_place(text: str | Path) -> Place:
    """Take the name of a table apart.

    Raises
    ------
    AvsieveError
        If it is a command: Kaldi runs what stands before or behind a ``|``, and here nothing is run.
    """
    text = str(text)
    if Path(text).exists():
        return Place(text, Path(text))
    if specifier := _SPECIFIER.match(text):
        path = text[specifier.end() :].strip()
        if path.startswith("|") or path.endswith("|"):
            raise AvsieveError(f"{short(text)}: a command; commands are never run: write its output to a file first")
        return Place(text, Path(path), kind=specifier[1].lower())
    if joint := _JOINED.search(text):
        return Place(text, Path(text[: joint.end() - 1]), names=Path(text[joint.end() :]))
    return Place(text, Path(text))


def table_files(text: str) -> list[str]:
    """Return the files that a table's name stands for: what has to be there, and what a run depends on.

    The archives that a Kaldi script file names are among them. A folder stands for itself.
    """
    place = parse_place(text)
    if place.names is not None:
        return [str(place.path), str(place.names)]
    if (place.kind or place.path.suffix.lower().lstrip(".")) == "scp" and place.path.is_file():
        facts = place.path.stat()
        return [str(place.path), *_archives(str(place.path), facts.st_mtime_ns, facts.st_size)]
    return [str(place.path)]


def files_of(folder: Path) -> list[Path]:
    """Return the files of a folder that hold embeddings, one an utterance, sorted."""
    return sorted(path for path in folder.rglob("*") if path.suffix.lower() == ".npy" and path.is_file())


def all_files(table: str) -> list[str]:
    """Return `table_files`, with the files of a folder in its place."""
    path = parse_place(table).path
    return [str(file) for file in files_of(path)] if path.is_dir() else table_files(table)


def folder_state(tables: Iterable[str]) -> str:
    """Return 16 hexadecimal digits for the names, sizes and times of all files in those tables that are folders.

    An empty text where none is a folder: other tables are inputs of the rules, whose times tell.
    """
    digest, seen = hashlib.sha256(), False
    for folder in dict.fromkeys(tables):
        path = Path(folder)
        if not path.is_dir():
            continue
        seen = True
        for file in files_of(path):
            facts = file.stat()
            digest.update(f"{file.relative_to(path)}\0{facts.st_size}\0{facts.st_mtime_ns}\0".encode())
    return digest.hexdigest()[:16] if seen else ""


@lru_cache(maxsize=16)
def _archives(path: str, changed_ns: int, size: int) -> tuple[str, ...]:
    """Return the archives of a script file, each once; what cannot be one is left to the reader, who says so."""
    found: dict[str, None] = {}
    for line in Path(path).read_bytes().splitlines():
        fields = line.decode("utf-8", "replace").split(maxsplit=1)
        if len(fields) == 2 and "|" not in fields[1]:
            found[split_offset(fields[1].strip())[0]] = None
    return tuple(str(file) for name in found if (file := find_archive(Path(path), name)) is not None)


def split_offset(text: str) -> tuple[str, int | None]:
    """Split ``some.ark:1234`` into the archive and the place in it, None where there is none."""
    found = _OFFSET.fullmatch(text)
    return (found[1], int(found[2])) if found and len(found[2]) < 19 else (text, None)


def find_archive(script: Path, name: str) -> Path | None:
    """Return the archive that a script file names: as it is written, beside the script, or by its last name there.

    Kaldi takes paths from the folder that the program ran in; folders of results are moved, though, and archives move
    with their script file.
    """
    if "\0" in name:
        return None
    for path in (Path(name), script.parent / name, script.parent / Path(name).name):
        if os.path.isfile(path):  # noqa: PTH113 - `Path.is_file` raises for very long names
            return path
    return None


def short(text: str, most: int = 120) -> str:
    """Shorten a text for a message."""
    text = " ".join(text.split())
    return text if len(text) <= most else f"{text[: most - 1]}…"
