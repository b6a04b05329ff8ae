"""``vectors.npy:names.txt``: vectors, and beside them the list of their names."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from avsieve.embedding_files.formats import FORMATS
from avsieve.embedding_files.mapping import matrix_of, names_of
from avsieve.embedding_files.places import Place
from avsieve.embedding_files.raw import Options, Raw, decoding
from avsieve.embedding_files.text import decode
from avsieve.errors import AvsieveError

_EXPECTED = FORMATS["npy"].name


def read(place: Place, options: Options) -> Raw:
    """Read vectors (N, D) or (N, 1, D), mapped into memory, and N names.

    Raises
    ------
    AvsieveError
        If the file of names is not told, either cannot be read, or they do not belong together.
    """
    if place.names is None:
        raise AvsieveError(f"{place.text}: vectors without names; give both files as {place.text}:names.txt")
    vectors = load(place.path)
    if place.names.suffix.lower() == ".npy":
        names = names_of(str(place.names), "names", load(place.names))
    else:
        names = listed_names(place.names, len(vectors) if vectors.ndim else None)
    return Raw(names, matrix_of(place.text, "vectors", vectors, len(names)))


def load(path: Path) -> np.ndarray:
    """Map an npy into memory, with changes kept to this process.

    Raises
    ------
    AvsieveError
        If it is none, or holds objects.
    """
    try:
        with decoding(str(path), _EXPECTED):
            try:
                return np.load(path, mmap_mode="c", allow_pickle=False)
            except ValueError:  # nothing to map where there are no rows
                return np.load(path, allow_pickle=False)
    except AvsieveError as error:
        if "bject arrays" in str(error.__cause__):
            raise AvsieveError(f"{path}: arrays of objects are not read; save plain numbers, (N, D)") from error
        raise


def listed_names(path: Path, expected: int | None = None) -> list[str]:
    """Read a list of names.

    A name a line; or lines with further columns, where the name is the column with slashes, else the first; or the
    bracketed list that BAFFN's page shows (``[id1/video/0000375.jpg,id1/video/0000475.jpg]``), with or without quotes.

    Parameters
    ----------
    expected
        How many names there should be: one more, without slashes before others with them, is the heading.
    """
    text = decode(path)
    if text.lstrip()[:1] in "[({" and text.strip():
        return [name for part in re.split(r"[,;\n]", text) if (name := part.strip(" \t\r[](){}\"'"))]
    names = []
    for line in text.splitlines():
        fields = [field.strip("\"'[]") for field in re.split(r"[\s,;]+", line.strip()) if field]
        if fields:
            names.append(next((f for f in fields if f.count("/") + f.count("\\") >= 2), fields[0]))
    if expected is not None and len(names) == expected + 1 and "/" not in names[0] and all("/" in n for n in names[1:]):
        return names[1:]
    return names
