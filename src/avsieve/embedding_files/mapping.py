"""Tables that are mappings in memory: a vector for each name, or one entry of names and one of vectors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from avsieve.embedding_files.places import short
from avsieve.embedding_files.raw import Options, Raw, some, stack
from avsieve.errors import AvsieveError

KEYS = "(--names-key and --vectors-key; names_key and vectors_key in the configuration)"


def from_mapping(label: str, value: Any, options: Options) -> Raw:
    """Take names and vectors from a dictionary.

    Raises
    ------
    AvsieveError
        If it is none, or holds something else.
    """
    if not isinstance(value, Mapping):
        raise AvsieveError(f"{label}: holds a {type(value).__name__}; expected a dictionary {{utterance: vector}}")
    if not value:
        raise AvsieveError(f"{label}: holds an empty dictionary; expected {{utterance: vector}}")
    there = [key for key in (options.names_key, options.vectors_key) if key in value]
    if len(there) == 2:
        return from_columns(label, value[options.names_key], value[options.vectors_key], options)
    if there or any(isinstance(v, Mapping | str | bytes) for v in value.values()):
        raise AvsieveError(
            f"{label}: holds {some(value)}; expected {options.names_key!r} and {options.vectors_key!r}, or a vector "
            f"for each name; tell other keys {KEYS}"
        )
    return stack(label, list(value), list(value.values()), unit="entry", several=options.several)


def from_columns(label: str, names: Any, vectors: Any, options: Options) -> Raw:
    """Take names (N,) and vectors (N, D) or (N, 1, D), which are arrays or lists.

    Raises
    ------
    AvsieveError
        If one is of another kind, or they do not belong together.
    """
    listed = names_of(label, options.names_key, names)
    if isinstance(vectors, np.ndarray):
        return Raw(listed, matrix_of(label, options.vectors_key, vectors, len(listed)))
    if not isinstance(vectors, Sequence) or isinstance(vectors, str | bytes):
        raise AvsieveError(f"{label}: {options.vectors_key!r} is a {type(vectors).__name__}; expected vectors")
    check_counts(label, len(listed), len(vectors))
    return stack(label, listed, vectors)


def names_of(label: str, key: str, names: Any) -> list[Any]:
    """Return names as a list of text, bytes or None.

    Raises
    ------
    AvsieveError
        If they are no names: numbers, or several in a row.
    """
    if isinstance(names, np.ndarray):
        if not names.size:
            return []
        if names.dtype.kind not in "US" or names.size != (names.shape[0] if names.ndim else 0):
            raise AvsieveError(
                f"{label}: {key!r} is {names.dtype} of shape {names.shape}; expected (N,) strings, one for each vector"
            )
        return names.reshape(-1).tolist()
    if not isinstance(names, Sequence) or isinstance(names, str | bytes):
        raise AvsieveError(f"{label}: {key!r} is a {type(names).__name__}; expected a list of names")
    listed = list(names)
    if odd := next((n for n in listed if n is not None and not isinstance(n, str | bytes)), None):
        raise AvsieveError(f"{label}: {key!r} holds {short(repr(odd), 40)}; expected strings, one for each vector")
    return listed


def matrix_of(label: str, key: str, vectors: np.ndarray, names: int) -> np.ndarray:
    """Return vectors as (N, D) floats; (N, 1, D), as BAFFN's files of faces have it, loses its middle.

    Raises
    ------
    AvsieveError
        If they are no floats, of another shape, or of another number than the names.
    """
    if vectors.dtype.kind != "f":
        raise AvsieveError(
            f"{label}: {key!r} holds {vectors.dtype}; expected floats (float16, float32 or float64): save the vectors "
            "as the encoder gave them"
        )
    if vectors.ndim > 2 and vectors.shape[0] * vectors.shape[-1] == vectors.size:
        vectors = vectors.reshape(vectors.shape[0], vectors.shape[-1])
    if vectors.ndim != 2 or (len(vectors) and not vectors.shape[1]):
        raise AvsieveError(f"{label}: {key!r} has the shape {vectors.shape} for {names:,} names; expected (N, D)")
    check_counts(label, names, len(vectors))
    return vectors


def check_counts(label: str, names: int, vectors: int) -> None:
    """Refuse names and vectors of different number."""
    if names != vectors:
        raise AvsieveError(f"{label}: {names:,} names but {vectors:,} vectors; expected one vector for each name")
