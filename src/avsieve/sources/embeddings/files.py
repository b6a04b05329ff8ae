"""The files behind the name of a table; the rules ask for them too, so nothing heavy is imported."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

from avsieve.embedding_files.places import files_of, parse_place, table_files

__all__ = ["all_files", "folder_state", "table_files"]


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
