"""VoxCeleb1's names: its sound lies in folders of ids, its face images in folders of names."""

from __future__ import annotations

import csv
from pathlib import Path

from avsieve.errors import ListError
from avsieve.storage.text_files import read_text

ID, NAME = "VoxCeleb1 ID", "VGGFace1 ID"


def read_names(path: Path) -> dict[str, str]:
    """Return the name of each id in ``vox1_meta.csv``.

    Columns are split by tabs, or by commas; ``VoxCeleb1 ID`` and ``VGGFace1 ID`` must be among them.

    Raises
    ------
    ListError
        If the file or one of the two columns is missing, a row is cut off, or a name belongs to two ids.
    """
    lines = read_text(path, "table of names (vox1_meta.csv)").split("\n")
    separator = "\t" if lines and "\t" in lines[0] else ","
    rows = list(csv.reader(lines, delimiter=separator))
    columns = [c.strip() for c in rows[0]] if rows else []
    if missing := [c for c in (ID, NAME) if c not in columns]:
        raise ListError(f"{path}: columns {missing} are missing, found {columns}; expected vox1_meta.csv")
    at_id, at_name = columns.index(ID), columns.index(NAME)
    names: dict[str, str] = {}
    ids: dict[str, str] = {}
    for number, row in enumerate(rows[1:], start=2):
        if not any(field.strip() for field in row):
            continue
        if len(row) <= max(at_id, at_name):
            raise ListError(f"{path}, line {number}: {len(row)} columns; expected {len(columns)}")
        speaker, name = row[at_id].strip(), row[at_name].strip()
        if ids.setdefault(name, speaker) != speaker:
            raise ListError(f"{path}, line {number}: {name} belongs to {ids[name]} and to {speaker}; expected one id")
        names[speaker] = name
    return names
