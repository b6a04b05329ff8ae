"""Embeddings made by anybody: npz, Parquet, ``.npy`` with a list of names, pickled dictionaries.

Nothing here executes what a file says. Arrays of objects are refused; a pickle is read by an unpickler that knows
NumPy arrays and plain containers and refuses every other name.
"""

from __future__ import annotations

import io
import pickle
from pathlib import Path
from typing import Any

import numpy as np

from avsieve.embeddings import read_embeddings
from avsieve.errors import AvsieveError
from avsieve.lists import utterance_of

_FORMATS = (
    "npz with arrays `utterance` and `embedding`, Parquet with columns of these names, `vectors.npy:names.txt`, "
    "or a pickled dictionary {utterance: vector} (.pk, .pkl, .pickle)"
)
# What NumPy's arrays are made of in a pickle; the modules' names changed with NumPy 2.
_HARMLESS = {
    (module, name)
    for base in ("numpy.core", "numpy._core")
    for module, name in (
        (f"{base}.multiarray", "_reconstruct"),
        (f"{base}.multiarray", "scalar"),
        (f"{base}.numeric", "_frombuffer"),
    )
} | {("numpy", "ndarray"), ("numpy", "dtype"), ("_codecs", "encode"), ("collections", "OrderedDict")}


def read_any(source: str | Path) -> tuple[list[str], np.ndarray]:
    """Read ids and embeddings (N, D) from any of the known formats.

    Names may carry a suffix such as ``.wav``; it is taken off.

    Raises
    ------
    AvsieveError
        If the format is unknown, names and vectors do not match, a name comes twice, or a file holds objects.
    """
    text = str(source)
    if ".npy:" in text:
        vectors, _, names = text.partition(".npy:")
        ids, matrix = _read_npy(Path(vectors + ".npy"), Path(names))
    else:
        path = Path(source)
        if not path.exists():
            raise AvsieveError(f"{path}: no such embeddings; expected {_FORMATS}")
        if path.suffix == ".npz":
            ids, matrix = _read_npz(path)
        elif path.suffix == ".parquet":
            ids, matrix = read_embeddings(path)
        elif path.suffix in (".pk", ".pkl", ".pickle"):
            ids, matrix = _read_pickle(path)
        else:
            raise AvsieveError(f"{path}: unknown format {path.suffix!r}; expected {_FORMATS}")
    ids = [utterance_of(str(u)) for u in ids]
    if matrix.ndim != 2 or len(ids) != len(matrix):
        raise AvsieveError(f"{source}: {len(ids)} names but vectors of shape {matrix.shape}; expected one row per name")
    if len(set(ids)) != len(ids):
        seen: set[str] = set()
        twice = next(u for u in ids if u in seen or seen.add(u))  # type: ignore[func-returns-value]
        raise AvsieveError(f"{source}: {twice} has several embeddings; expected one per utterance")
    return ids, matrix


def _read_npz(path: Path) -> tuple[list[str], np.ndarray]:
    with np.load(path, allow_pickle=False) as arrays:
        if missing := {"utterance", "embedding"} - set(arrays.files):
            raise AvsieveError(f"{path}: no array {sorted(missing)}; found {arrays.files}")
        try:
            return arrays["utterance"].tolist(), arrays["embedding"]
        except ValueError as error:
            raise AvsieveError(f"{path}: {error}; save names as strings, not as objects") from error


def _read_npy(vectors: Path, names: Path) -> tuple[list[str], np.ndarray]:
    for path in (vectors, names):
        if not path.exists():
            raise AvsieveError(f"{path}: no such file; expected {_FORMATS}")
    try:
        matrix = np.load(vectors, allow_pickle=False, mmap_mode="r")
    except ValueError as error:
        raise AvsieveError(f"{vectors}: {error}; arrays of objects are not read, save numbers") from error
    # A label list may carry further columns; the name of the utterance is the one with slashes, else the first.
    lines = [line.split() for line in names.read_text(encoding="utf-8").splitlines() if line.strip()]
    return [next((f for f in fields if f.count("/") >= 2), fields[0]) for fields in lines], matrix


class _ArraysOnly(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in _HARMLESS:
            raise AvsieveError(f"the pickle asks for {module}.{name}; only dictionaries of NumPy arrays are read")
        return super().find_class(module, name)


def _read_pickle(path: Path) -> tuple[list[str], np.ndarray]:
    try:
        value = _ArraysOnly(io.BytesIO(path.read_bytes())).load()
    except AvsieveError as error:
        raise AvsieveError(f"{path}: {error}") from error
    except (pickle.UnpicklingError, EOFError, ValueError, TypeError, AttributeError) as error:
        raise AvsieveError(f"{path}: not a pickle of arrays ({error}); save the embeddings as npz") from error
    if not isinstance(value, dict) or not value:
        raise AvsieveError(f"{path}: holds a {type(value).__name__}; expected a dictionary {{utterance: vector}}")
    vectors = [np.asarray(v).reshape(-1) for v in value.values()]
    lengths = {len(v) for v in vectors}
    if len(lengths) != 1 or any(v.dtype.kind != "f" for v in vectors):
        raise AvsieveError(f"{path}: vectors of lengths {sorted(lengths)[:5]}; expected floats of one length")
    return [str(k) for k in value], np.stack(vectors)
