"""Pickles read as data, without running anything that they ask for.

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

from avsieve.errors import AvsieveError

LARGEST = 1 << 40
"""Bytes of an array: more is a damaged number."""


class RefusedError(AvsieveError):
    """The pickle asks for something that is not read."""


class DType:
    """A NumPy dtype as pickles describe it, ``("f4", False, True)`` and then its byte order."""

    def __init__(self, code: Any = "", *_: Any) -> None:
        self.code, self.order = str(code), "="

    def set_state(self, state: Any) -> None:
        """Take the byte order."""
        self.order = str(state[1]) if isinstance(state, tuple) and len(state) > 1 else "="

    @property
    def of_objects(self) -> bool:
        """Whether its arrays hold Python's objects."""
        return self.code.lstrip("<>=|") in ("O", "O4", "O8")

    def numpy(self) -> np.dtype:
        """Return it as NumPy has it, where it is one of plain numbers or text.

        Raises
        ------
        RefusedError
            If it is not.
        """
        code = self.code.lstrip("<>=|")
        if code[:1] not in ("f", "i", "u", "c", "S", "U", "b") or not (code[1:].isdigit() or code[1:] == ""):
            raise RefusedError(f"an array of {self.code[:20]!r}; only plain numbers are read, no objects")
        dtype = np.dtype(code)
        return dtype.newbyteorder("<" if self.order == "<" else ">" if self.order == ">" else "=")


class Array:
    """A NumPy array that is being put together.

    Attributes
    ----------
    value
        The array; of an array of objects, where these are read, the list of them; None before its state was set.
    shape
        Of an array of objects, which may be ``()``.
    """

    def __init__(self, *, objects: bool = False) -> None:
        self.value: np.ndarray | list[Any] | None = None
        self.shape: tuple[int, ...] = ()
        self._objects = objects

    def set_state(self, state: Any) -> None:
        """Take shape, type and content."""
        _version, shape, dtype, is_fortran, data = state
        if self._objects and isinstance(dtype, DType) and dtype.of_objects and isinstance(data, list):
            self.value, self.shape = data, tuple(int(n) for n in shape)
        else:
            self.value = build(data, dtype, shape, "F" if is_fortran else "C")


def build(data: Any, dtype: Any, shape: Any, order: str) -> np.ndarray:
    """Return the array of some bytes.

    Raises
    ------
    RefusedError
        If it is one of objects.
    TypeError, ValueError
        If bytes, type and shape do not fit.
    """
    if not isinstance(dtype, DType):
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
    if min(shape, default=0) < 0 or count * kind.itemsize != len(data) or len(data) > LARGEST:
        raise ValueError(f"an array of shape {shape} in {len(data)} bytes")
    if not count:
        return np.zeros(0, kind)
    array = np.frombuffer(data, kind).reshape(shape, order="F" if order == "F" else "C")
    return array.astype(kind.newbyteorder("="), copy=False)


def _scalar(dtype: Any, data: Any = b"") -> Any:
    return build(data, dtype, (), "C").item()


def _encode(text: Any, encoding: Any = "latin1") -> bytes:
    if not isinstance(text, str) or str(encoding) not in ("latin1", "latin-1"):
        raise RefusedError("bytes in an encoding that NumPy does not use")
    return text.encode("latin-1")


def _frombuffer(data: Any, dtype: Any, shape: Any, order: Any) -> np.ndarray:
    return build(bytes(data), dtype, shape, str(order))


class Allowed:
    """What stands in for a function that a pickle names.

    Parameters
    ----------
    call
        One of our own, which is called in its place.
    """

    def __init__(self, call: Callable[..., Any]) -> None:
        self.call = call


def _table() -> dict[tuple[str, str], Callable[..., Any]]:
    known: dict[tuple[str, str], Callable[..., Any]] = {
        ("numpy", "dtype"): DType,
        ("numpy", "ndarray"): lambda *_: Array(),
        ("_codecs", "encode"): _encode,
        ("collections", "OrderedDict"): lambda *items: dict(*items),
        ("collections", "defaultdict"): lambda *_: {},
    }
    for base in ("numpy.core", "numpy._core"):  # the modules' names changed with NumPy 2
        known |= {
            (f"{base}.multiarray", "_reconstruct"): lambda *_: Array(),
            (f"{base}.multiarray", "scalar"): _scalar,
            (f"{base}.numeric", "_frombuffer"): _frombuffer,
        }
    for base in ("builtins", "__builtin__"):
        known |= {(base, "list"): lambda *_: [], (base, "dict"): lambda *_: {}, (base, "bytes"): lambda *_: b""}
    return known


KNOWN = _table()
"""Module and name -> what stands in for that function."""
# Instructions that call classes of their own choosing, or take things from outside: left out.
_LEFT_OUT = {
    pickle.PERSID, pickle.BINPERSID, pickle.INST, pickle.OBJ, pickle.NEWOBJ, pickle.NEWOBJ_EX, pickle.EXT1,
    pickle.EXT2, pickle.EXT4, pickle.NEXT_BUFFER, pickle.READONLY_BUFFER,
}  # fmt: skip


# Python's own unpickler in Python, since the one in C can be made to ask for any amount of memory.
class DataOnly(pickle._Unpickler):
    """Read a pickle of numbers, text, lists, dictionaries and NumPy's arrays.

    Attributes
    ----------
    expected
        What is read, for messages.
    """

    expected: ClassVar[str] = "only dictionaries of NumPy arrays are read"
    stack: list[Any]
    read: Callable[[int], bytes]
    append: Callable[[Any], None]
    dispatch: ClassVar[dict[int, Any]] = {
        code: run for code, run in pickle._Unpickler.dispatch.items() if bytes([code]) not in _LEFT_OUT
    }

    def find_class(self, module: str, name: str) -> Any:
        """Return what stands in for a name; nothing is imported."""
        if (module, name) in KNOWN:
            return Allowed(KNOWN[module, name])
        raise RefusedError(self.refusal(module, name))

    def refusal(self, module: str, name: str) -> str:
        """Say what a pickle asks for that it does not get."""
        return f"the pickle asks for {f'{module}.{name}'[:60]}; {self.expected}"

    def load_reduce(self) -> None:
        """Call one of our own functions in place of the one that is named."""
        arguments, function = self.stack.pop(), self.stack[-1]
        if not isinstance(function, Allowed) or not isinstance(arguments, tuple):
            raise RefusedError(f"the pickle calls something; {self.expected}")
        self.stack[-1] = function.call(*arguments)

    dispatch[pickle.REDUCE[0]] = load_reduce

    def load_build(self) -> None:
        """Give an array or a type its state; nothing else has one."""
        state, target = self.stack.pop(), self.stack[-1]
        if not isinstance(target, Array | DType):
            raise RefusedError(f"the pickle changes an object; {self.expected}")
        target.set_state(state)

    dispatch[pickle.BUILD[0]] = load_build

    def load_bytearray8(self) -> None:
        """Read a byte array: the original reserves, and fills, as many bytes as a damaged number says."""
        (size,) = struct.unpack("<Q", self.read(8))
        data = self.read(size) if size <= LARGEST else b""
        if len(data) != size:
            raise pickle.UnpicklingError("the file ends within an array")
        self.append(data)

    dispatch[pickle.BYTEARRAY8[0]] = load_bytearray8


class WithObjects(DataOnly):
    """The same, and arrays of objects, whose objects are read in the same way."""

    def find_class(self, module: str, name: str) -> Any:
        """Return what stands in for a name."""
        if name == "_reconstruct" and (module, name) in KNOWN:
            return Allowed(lambda *_: Array(objects=True))
        return super().find_class(module, name)


def plain(value: Any) -> Any:
    """Replace the arrays under construction by arrays, two levels deep: what a table can hold."""
    if isinstance(value, Array):
        return value.value
    if isinstance(value, Mapping):
        return {plain(k): _items(v) for k, v in value.items()}
    return value


def _items(value: Any) -> Any:
    if isinstance(value, Array):
        return value.value
    return [plain(v) for v in value] if isinstance(value, list | tuple) else value
