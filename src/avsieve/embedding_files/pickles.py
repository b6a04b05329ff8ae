"""Pickled dictionaries, read as data (`avsieve.storage.data_pickle`): nothing that they ask for is run."""

from __future__ import annotations

from typing import Any

from avsieve.embedding_files.formats import FORMATS
from avsieve.embedding_files.mapping import from_mapping
from avsieve.embedding_files.places import Place, short
from avsieve.embedding_files.raw import Options, Raw, decoding
from avsieve.errors import AvsieveError
from avsieve.storage.data_pickle import Array, DataOnly, RefusedError, WithObjects, plain

_ADVICE = {
    "torch": "torch's tensors; save them with torch.save(…, 'x.pt'), or as npz",
    "pandas": "a pandas object; save it with to_parquet",
    "jax": "JAX arrays; save them as npz",
    "tensorflow": "tensors; save them as npz",
    "scipy": "a SciPy object; save plain arrays as npz",
}


def _advised(module: str, name: str, expected: str) -> str:
    about = _ADVICE.get(module.partition(".")[0])
    return f"the pickle asks for {short(f'{module}.{name}', 60)}" + (f": {about}" if about else f"; {expected}")


class _Table(DataOnly):
    def refusal(self, module: str, name: str) -> str:
        return _advised(module, name, self.expected)


class _Objects(WithObjects):
    def refusal(self, module: str, name: str) -> str:
        return _advised(module, name, self.expected)


def read(place: Place, options: Options) -> Raw:
    """Read a dictionary ``{utterance: vector}``, or one with names and vectors under two keys.

    Raises
    ------
    AvsieveError
        If the pickle asks for anything but arrays, numbers, text, lists and dictionaries, or is damaged.
    """
    label = place.text
    try:
        with decoding(label, FORMATS["pickle"].name), place.path.open("rb") as handle:
            value = _Table(handle, encoding="latin1").load()
    except RefusedError as error:
        raise AvsieveError(f"{label}: {error}") from error
    return from_mapping(label, _unique(plain(value)), options)


def _unique(value: Any) -> Any:
    """Return a list of names and vectors as a dictionary, where no name occurs twice."""
    if isinstance(value, list) and value and all(isinstance(v, tuple) and len(v) == 2 for v in value):
        names = [name for name, _ in value]
        return plain(dict(value)) if len(set(map(repr, names))) == len(names) else value
    return value


def objects_of(handle: Any) -> tuple[list[Any], tuple[int, ...]]:
    """Read the pickle behind the heading of an npy with an array of objects, as data.

    Returns
    -------
    The objects, arrays among them as arrays, and the shape of the array that holds them.

    Raises
    ------
    RefusedError
        If it asks for anything but data.
    """
    value = _Objects(handle, encoding="latin1").load()
    if not isinstance(value, Array) or not isinstance(value.value, list):
        raise RefusedError("no array of objects")
    return [plain(item) for item in value.value], value.shape
