"""What a reader makes of a file, before names are brought to ids and rows are judged."""

from __future__ import annotations

import pickle
import struct
import tokenize
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib import import_module
from types import ModuleType
from typing import Any

import numpy as np

from avsieve.embedding_files.formats import NAMES_KEY, VECTORS_KEY
from avsieve.embedding_files.places import short
from avsieve.errors import AvsieveError

# What the libraries below a reader raise when a file is damaged. They see bytes of any kind, and check little.
DAMAGE = (
    ArithmeticError, AssertionError, AttributeError, EOFError, LookupError, MemoryError, OSError, RuntimeError,
    SyntaxError, TypeError, ValueError, pickle.UnpicklingError, struct.error, tokenize.TokenError,
    zipfile.BadZipFile, zlib.error,
)  # fmt: skip


@dataclass(frozen=True)
class Options:
    """How names and vectors are found in a table."""

    names_key: str = NAMES_KEY
    vectors_key: str = VECTORS_KEY
    strip_prefix: str | None = None
    several: bool = False
    """Several rows of an utterance are wanted: its segments or faces."""


@dataclass
class Raw:
    """The rows of a file.

    Attributes
    ----------
    names
        One per row of the file: text, bytes, or None where there is null in its place.
    matrix
        (M, D) or (M, 1, D), the rows that have a vector, in order.
    missing
        Row of the file -> why it has no vector; these rows have none in ``matrix``.
    unit
        What messages call a row: ``row``, ``line``, ``entry``.
    numbers
        The number that messages give each row, where it is not its position from 1.
    """

    names: Sequence[Any]
    matrix: np.ndarray
    missing: dict[int, str] = field(default_factory=dict)
    unit: str = "row"
    numbers: Sequence[int] | None = None

    def where(self, row: int) -> str:
        """Name a row: ``row 4``."""
        return f"{self.unit} {row + 1 if self.numbers is None else self.numbers[row]}"


@contextmanager
def decoding(label: str, expected: str) -> Iterator[None]:
    """Turn what a library raises on damaged bytes into one line; to be held round calls of libraries only."""
    try:
        yield
    except MemoryError as error:
        raise AvsieveError(f"{label}: asks for more memory than there is; is it whole, and {expected}?") from error
    except DAMAGE as error:
        raise AvsieveError(f"{label}: not {expected} ({brief(error)}); is it whole? fetch or save it again") from error


def needed(package: str, label: str) -> ModuleType:
    """Import a package that only one format needs: rules may run in an environment without it.

    Raises
    ------
    AvsieveError
        If it is not there.
    """
    try:
        return import_module(package)
    except ImportError as error:
        raise AvsieveError(
            f"{label}: reading it needs {package}, which is not installed here; save it as npz"
        ) from error


def brief(error: BaseException) -> str:
    """Return what an error says, in a few words on one line."""
    text = short(str(error), 100)
    return text or type(error).__name__


def some(names: Iterable[Any], most: int = 5) -> str:
    """Name a few of many, each shortened."""
    names = list(names)
    more = f" and {len(names) - most:,} more" if len(names) > most else ""
    return ", ".join(short(str(name), 60) for name in names[:most]) + more if names else "none"


def stack(
    label: str,
    names: Sequence[Any],
    vectors: Sequence[Any],
    *,
    unit: str = "row",
    numbers: Sequence[int] | None = None,
    several: bool = False,
) -> Raw:
    """Make one matrix of a vector per row; None and empty vectors are missing.

    Parameters
    ----------
    label
        What messages begin with.
    vectors
        An array or a list of numbers per row, (D,) or (1, D); (n, D) too where ``several`` are wanted: n rows.

    Raises
    ------
    AvsieveError
        If a row holds anything but floats, is no vector, or has another length than most: naming the first such row.
    """
    raw = Raw(list(names), np.zeros((0, 0), np.float32), {}, unit, None if numbers is None else list(numbers))
    arrays = [_as_array(label, raw, i, vector) for i, vector in enumerate(vectors)]
    if several and any(a is not None and a.ndim == 2 and len(a) > 1 for a in arrays):
        raw, arrays = _spread(raw, arrays)
    flat: list[np.ndarray] = []
    lengths: list[int] = []
    at: list[int] = []
    for i, array in enumerate(arrays):
        if array is None or array.size == 0:
            raw.missing[i] = "null in place of a vector" if array is None else "a vector without numbers"
            continue
        if max(array.shape, default=0) != array.size:
            raise AvsieveError(
                f"{label}: {raw.where(i)} ({short(str(raw.names[i]), 60)}): numbers of shape {array.shape}; expected "
                "one vector of an utterance"
            )
        flat.append(array.reshape(-1))
        lengths.append(array.size)
        at.append(i)
    check_lengths(label, raw, lengths, at)
    if flat:
        kinds = {a.dtype for a in flat}
        dtype = np.dtype(np.float16) if kinds == {np.dtype(np.float16)} else np.dtype(np.float32)
        matrix = np.empty((len(flat), lengths[0]), dtype)
        with np.errstate(over="ignore", invalid="ignore"):  # too large for single precision: told as not finite
            for row, array in enumerate(flat):
                matrix[row] = array
        raw.matrix = matrix
    return raw


def check_lengths(label: str, raw: Raw, lengths: Sequence[int], at: Sequence[int]) -> None:
    """Refuse vectors of different lengths, naming the first row that has another than most.

    Parameters
    ----------
    lengths
        Of the vectors.
    at
        The row of the file of each.
    """
    counts = Counter(lengths)
    if len(counts) < 2:
        return
    usual, n = counts.most_common(1)[0]
    k = next(k for k, length in enumerate(lengths) if length != usual)
    raise AvsieveError(
        f"{label}: embeddings of different lengths: {raw.where(at[k])} ({short(str(raw.names[at[k]]), 60)}) has "
        f"{lengths[k]} numbers, {n:,} others have {usual}; expected one length"
    )


def _as_array(label: str, raw: Raw, i: int, vector: Any) -> np.ndarray | None:
    """Return one row's numbers as an array of floats, None where there is null."""
    if vector is None:
        return None
    array = vector
    if not isinstance(vector, np.ndarray):
        try:
            array = np.asarray(vector)
            if array.dtype.kind == "O":  # None among numbers
                array = np.asarray(vector, np.float64)
        except (ValueError, TypeError, OverflowError):
            array = np.zeros(1, "S1")
    if array.dtype.kind == "f":
        return array
    if array.size == 0:
        return array.astype(np.float32) if array.dtype.kind in "iub" else None
    held = f"{array.dtype} numbers" if array.dtype.kind in "iubc" else "no numbers"
    raise AvsieveError(
        f"{label}: {raw.where(i)} ({short(str(raw.names[i]), 60)}) holds {held}; expected floats (float16, float32 or "
        "float64)"
    )


def _spread(raw: Raw, arrays: list[np.ndarray | None]) -> tuple[Raw, list[np.ndarray | None]]:
    """Give each row of an utterance's matrix a row of its own."""
    names, out, numbers = [], [], []
    for i, array in enumerate(arrays):
        rows = list(array) if array is not None and array.ndim == 2 and array.size else [array]
        names += [raw.names[i]] * len(rows)
        numbers += [i + 1 if raw.numbers is None else raw.numbers[i]] * len(rows)
        out += rows
    return Raw(names, raw.matrix, {}, raw.unit, numbers), out
