"""``vectors.npy:names.txt``: vectors, and beside them the list of their names; or a saved dictionary, which has both.

``np.save`` pickles whatever is no array of numbers or text: a dictionary, names or vectors as objects. Such a pickle is
read as data (`avsieve.embedding_files.pickles`), and nothing in it is run.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np

from avsieve.embedding_files.formats import FORMATS
from avsieve.embedding_files.mapping import check_counts, from_mapping, matrix_of, names_of
from avsieve.embedding_files.pickles import objects_of
from avsieve.embedding_files.places import Place
from avsieve.embedding_files.raw import Options, Raw, decoding, stack
from avsieve.embedding_files.text import decode
from avsieve.errors import AvsieveError
from avsieve.storage.data_pickle import RefusedError

_EXPECTED = FORMATS["npy"].name


def read(place: Place, options: Options) -> Raw:
    """Read vectors (N, D) or (N, 1, D), mapped into memory, and N names; or a dictionary ``{utterance: vector}``.

    Raises
    ------
    AvsieveError
        If the file of names is not told, either cannot be read, or they do not belong together.
    """
    vectors = load(place.path)
    if place.names is None:
        if isinstance(vectors, dict):
            return from_mapping(place.text, vectors, options)
        raise AvsieveError(f"{place.text}: vectors without names; give both files as {place.text}:names.txt")
    if isinstance(vectors, dict):
        raise AvsieveError(f"{place.path}: a dictionary, which has its names in it; give it without {place.names}")
    if place.names.suffix.lower() == ".npy":
        names = names_of(str(place.names), "names", load(place.names))
    else:
        names = listed_names(place.names, len(vectors) if isinstance(vectors, list) or vectors.ndim else None)
    if isinstance(vectors, list):
        check_counts(place.text, len(names), len(vectors))
        return stack(place.text, names, vectors, several=options.several)
    return Raw(names, matrix_of(place.text, "vectors", vectors, len(names)))


def load(path: Path) -> np.ndarray | list[Any] | dict[Any, Any]:
    """Map an npy into memory, with changes kept to this process; of one of objects, return these.

    Returns
    -------
    The array; a list where it holds objects; a dictionary where it holds nothing else.

    Raises
    ------
    AvsieveError
        If it is none, or holds objects that are no data.
    """
    try:
        with decoding(str(path), _EXPECTED):
            try:
                return np.load(path, mmap_mode="c", allow_pickle=False)
            except ValueError:  # nothing to map where there are no rows
                return np.load(path, allow_pickle=False)
    except AvsieveError as error:
        if "bject arrays" not in str(error.__cause__):
            raise
    return _objects(path)


def _objects(path: Path) -> list[Any] | dict[Any, Any]:
    try:
        with decoding(str(path), _EXPECTED), path.open("rb") as handle:
            version = np.lib.format.read_magic(handle)
            heading = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
            heading(handle)
            objects, shape = objects_of(handle)
    except RefusedError as error:
        raise AvsieveError(
            f"{path}: {error}. Arrays of objects are read where these are names, vectors or one dictionary of them"
        ) from error
    if shape == () and len(objects) == 1 and isinstance(objects[0], dict):
        return objects[0]
    if len(shape) != 1 or len(objects) != shape[0]:
        raise AvsieveError(
            f"{path}: an array of objects of shape {shape}; expected names or vectors, (N,), or one dictionary of them"
        )
    return objects


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
        # NumPy prints names in quotes with nothing but blanks between.
        parts = re.split(r"""[,;\n]|(?<=['"])\s+(?=['"])""", text)
        return [name for part in parts if (name := part.strip(" \t\r[](){}\"'"))]
    names = []
    for line in text.splitlines():
        fields = [field.strip("\"'[]") for field in re.split(r"[\s,;]+", line.strip()) if field]
        if fields:
            names.append(next((f for f in fields if f.count("/") + f.count("\\") >= 2), fields[0]))
    if expected is not None and len(names) == expected + 1 and "/" not in names[0] and all("/" in n for n in names[1:]):
        return names[1:]
    return names
