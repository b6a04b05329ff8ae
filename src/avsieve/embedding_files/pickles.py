"""Pickled dictionaries, read without running anything that they ask for.

A pickle is a program. This reader knows the few instructions that build numbers, text, lists and dictionaries, and
builds NumPy's arrays itself from their bytes: no function, class or method that a file names is ever looked up, and
NumPy's own ``__setstate__``, which trusts its input, is not called.
"""

from __future__ import annotations

import pickle
import struct
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import numpy as np

from avsieve.embedding_files.formats import FORMATS
from avsieve.embedding_files.mapping import from_mapping
from avsieve.embedding_files.places import Place, short
from avsieve.embedding_files.raw import Options, Raw, decoding
from avsieve.errors import AvsieveError

_ADVICE = {
    "torch": "torch's tensors; save them with torch.save(…, 'x.pt'), or as npz",
    "pandas": "a pandas object; save it with to_parquet",
    "jax": "JAX arrays; save them as npz",
    "tensorflow": "tensors; save them as npz",
    "scipy": "a SciPy object; save plain arrays as npz",
}
_LARGEST = 1 << 40  # bytes of an array: more is a damaged number


class RefusedError(AvsieveError):
    """The pickle asks for something that is not read."""


class _DType:
    """A NumPy dtype as pickles describe it, ``("f4", False, True)`` and then its byte order."""

    def __init__(self, code: Any = "", *_: Any) -> None:
        self.code, self.order = str(code), "="

    def set_state(self, state: Any) -> None:
        self.order = str(state[1]) if isinstance(state, tuple) and len(state) > 1 else "="

    def numpy(self) -> np.dtype:
        code = self.code.lstrip("<>=|")
        if code[:1] not in ("f", "i", "u", "c", "S", "U", "b") or not (code[1:].isdigit() or code[1:] == ""):
            raise RefusedError(f"an array of {short(self.code, 20)!r}; only plain numbers are read, no objects")
        dtype = np.dtype(code)
        return dtype.newbyteorder("<" if self.order == "<" else ">" if self.order == ">" else "=")


class _Array:
    """A NumPy array that is being put together."""

    def __init__(self) -> None:
        self.value: np.ndarray | None = None

    def set_state(self, state: Any) -> None:
        _version, shape, dtype, is_fortran, data = state
        self.value = _build(data, dtype, shape, "F" if is_fortran else "C")


def _build(data: Any, dtype: Any, shape: Any, order: str) -> np.ndarray:
    if not isinstance(dtype, _DType):
        raise TypeError("an array without a dtype")
    kind = dtype.numpy()
    if isinstance(data, str):  # Python 2
        data = data.encode("latin-1")
    if not isinstance(data, bytes | bytearray):
        raise RefusedError("an array of objects; only plain numbers are read")
    shape = (shape,) if isinstance(shape, int) else tuple(int(n) for n in shape)
    count = 1
    for n in shape:
        count *= n
    if min(shape, default=0) < 0 or count * kind.itemsize != len(data) or len(data) > _LARGEST:
        raise ValueError(f"an array of shape {shape} in {len(data)} bytes")
    if not count:
        return np.zeros(0, kind)
    array = np.frombuffer(data, kind).reshape(shape, order="F" if order == "F" else "C")
    return array.astype(kind.newbyteorder("="), copy=False)


def _scalar(dtype: Any, data: Any = b"") -> Any:
    return _build(data, dtype, (), "C").item()


def _encode(text: Any, encoding: Any = "latin1") -> bytes:
    if not isinstance(text, str) or str(encoding) not in ("latin1", "latin-1"):
        raise RefusedError("bytes in an encoding that NumPy does not use")
    return text.encode("latin-1")


def _frombuffer(data: Any, dtype: Any, shape: Any, order: Any) -> np.ndarray:
    return _build(bytes(data), dtype, shape, str(order))


class _Allowed:
    """What stands in for a function that a pickle names."""

    def __init__(self, call: Callable[..., Any]) -> None:
        self.call = call


def _table() -> dict[tuple[str, str], Callable[..., Any]]:
    known: dict[tuple[str, str], Callable[..., Any]] = {
        ("numpy", "dtype"): _DType,
        ("numpy", "ndarray"): _Array,
        ("_codecs", "encode"): _encode,
        ("collections", "OrderedDict"): lambda *items: dict(*items),
        ("collections", "defaultdict"): lambda *_: {},
    }
    for base in ("numpy.core", "numpy._core"):  # the modules' names changed with NumPy 2
        known |= {
            (f"{base}.multiarray", "_reconstruct"): lambda *_: _Array(),
            (f"{base}.multiarray", "scalar"): _scalar,
            (f"{base}.numeric", "_frombuffer"): _frombuffer,
        }
    for base in ("builtins", "__builtin__"):
        known |= {(base, "list"): lambda *_: [], (base, "dict"): lambda *_: {}, (base, "bytes"): lambda *_: b""}
    return known


_KNOWN = _table()
# Instructions that call classes of their own choosing, or take things from outside: left out.
_LEFT_OUT = {
    pickle.PERSID, pickle.BINPERSID, pickle.INST, pickle.OBJ, pickle.NEWOBJ, pickle.NEWOBJ_EX, pickle.EXT1,
    pickle.EXT2, pickle.EXT4, pickle.NEXT_BUFFER, pickle.READONLY_BUFFER,
}  # fmt: skip


# Python's own unpickler in Python, since the one in C can be made to ask for any amount of memory.
class _DataOnly(pickle._Unpickler):
    stack: list[Any]
    read: Callable[[int], bytes]
    append: Callable[[Any], None]
    dispatch: ClassVar[dict[int, Any]] = {
        code: run for code, run in pickle._Unpickler.dispatch.items() if bytes([code]) not in _LEFT_OUT
    }

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) in _KNOWN:
            return _Allowed(_KNOWN[module, name])
        about = _ADVICE.get(module.partition(".")[0])
        raise RefusedError(
            f"the pickle asks for {short(f'{module}.{name}', 60)}"
            + (f": {about}" if about else "; only dictionaries of NumPy arrays are read")
        )

    def load_reduce(self) -> None:
        arguments, function = self.stack.pop(), self.stack[-1]
        if not isinstance(function, _Allowed) or not isinstance(arguments, tuple):
            raise RefusedError("the pickle calls something; only dictionaries of NumPy arrays are read")
        self.stack[-1] = function.call(*arguments)

    dispatch[pickle.REDUCE[0]] = load_reduce

    def load_build(self) -> None:
        state, target = self.stack.pop(), self.stack[-1]
        if not isinstance(target, _Array | _DType):
            raise RefusedError("the pickle changes an object; only dictionaries of NumPy arrays are read")
        target.set_state(state)

    dispatch[pickle.BUILD[0]] = load_build

    def load_bytearray8(self) -> None:
        # The original reserves, and fills, as many bytes as a damaged number says.
        (size,) = struct.unpack("<Q", self.read(8))
        data = self.read(size) if size <= _LARGEST else b""
        if len(data) != size:
            raise pickle.UnpicklingError("the file ends within an array")
        self.append(data)

    dispatch[pickle.BYTEARRAY8[0]] = load_bytearray8


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
            value = _DataOnly(handle, encoding="latin1").load()
    except RefusedError as error:
        raise AvsieveError(f"{label}: {error}") from error
    if isinstance(value, list) and value and all(isinstance(v, tuple) and len(v) == 2 for v in value):
        names = [name for name, _ in value]
        value = dict(value) if len(set(map(repr, names))) == len(names) else value
    return from_mapping(label, _plain(value), options)


def _plain(value: Any) -> Any:
    """Replace the arrays under construction by arrays, two levels deep: what a table can hold."""
    if isinstance(value, _Array):
        return value.value
    if isinstance(value, Mapping):
        return {_plain(k): _items(v) for k, v in value.items()}
    return value


def _items(value: Any) -> Any:
    if isinstance(value, _Array):
        return value.value
    return [_plain(v) for v in value] if isinstance(value, list | tuple) else value
