"""What ``torch.save`` wrote, read as data: state dicts and whole modules, without running anything in the file.

A module that was saved whole (``torch.save(model, ...)``) is a pickle of the author's own classes, which torch loads by
importing them. Here every object of a class becomes a `Record` of its name and its state, and tensors are described by
where their numbers lie (`avsieve.encoders.torch_records`). Names of functions are never looked up: a call of one that
is not known is refused by its name.

Both layouts are read: the zip (torch 1.6 and later) and the stream of pickles before it.
"""

from __future__ import annotations

import pickle
import struct
import zipfile
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO, ClassVar

import torch

from avsieve.encoders.torch_records import Described, Named, Record, Storage
from avsieve.storage.data_pickle import KNOWN, LARGEST, Allowed, Array, DataOnly, DType, RefusedError
from avsieve.storage.unpacked_size import check_zip

_MAGIC, _PROTOCOL = 0x1950A86A20F9469CFC6C, 1001
_DTYPES = {
    "FloatStorage": torch.float32, "DoubleStorage": torch.float64, "HalfStorage": torch.float16,
    "BFloat16Storage": torch.bfloat16, "LongStorage": torch.int64, "IntStorage": torch.int32,
    "ShortStorage": torch.int16, "CharStorage": torch.int8, "ByteStorage": torch.uint8, "BoolStorage": torch.bool,
    "UntypedStorage": torch.uint8,
}  # fmt: skip


def _tensor(storage: Any, offset: Any, size: Any, stride: Any, *_: Any) -> Described:
    if not isinstance(storage, Storage):
        raise TypeError("a tensor without a storage")
    size, stride = tuple(map(int, size)), tuple(map(int, stride))
    return Described(storage, int(offset), size, stride, storage.dtype)


def _parameter(data: Any, *_: Any) -> Any:
    return data


_CALLS: dict[tuple[str, str], Callable[..., Any]] = KNOWN | {
    ("torch._utils", "_rebuild_tensor"): _tensor,
    ("torch._utils", "_rebuild_tensor_v2"): _tensor,
    ("torch._utils", "_rebuild_parameter"): _parameter,
    ("torch._utils", "_rebuild_parameter_with_state"): _parameter,
    **{(base, name): (lambda *items: list(*items)) for base in ("builtins", "__builtin__")
       for name in ("set", "frozenset")},
}  # fmt: skip


class _Objects(DataOnly):
    """Numbers, text, containers, NumPy's scalars, tensors, and records of all other objects."""

    expected: ClassVar[str] = "only tensors are read from a file of weights, and nothing in it is run"
    dispatch: ClassVar[dict[int, Any]] = dict(DataOnly.dispatch)

    def __init__(self, file: BinaryIO, storages: dict[str, Storage]) -> None:
        super().__init__(file, encoding="utf-8")
        self.storages = storages

    def find_class(self, module: str, name: str) -> Any:
        """Return a stand-in for a function that is known, else the name alone."""
        call = _CALLS.get((module, name))
        return Named(module, name) if call is None else Allowed(call)

    def persistent_load(self, pid: Any) -> Any:
        """Return the storage that a pickle names; of a class with its source text, the name of the class."""
        if isinstance(pid, tuple) and len(pid) >= 2 and pid[0] == "module" and isinstance(pid[1], Named):
            return pid[1]
        if not isinstance(pid, tuple) or len(pid) < 5 or pid[0] != "storage" or not isinstance(pid[1], Named):
            raise RefusedError(f"the pickle takes something from outside; {self.expected}")
        if len(pid) > 5 and pid[5] is not None:
            raise RefusedError("a storage that is a part of another one, as torch before 0.4 had it; save it again")
        _, kind, key, _device, count = pid[:5]
        if kind.name not in _DTYPES or not isinstance(count, int) or not isinstance(key, str):
            raise RefusedError(f"numbers of the type {kind}; expected one of {', '.join(_DTYPES)}")
        return self.storages.setdefault(key, Storage(key, _DTYPES[kind.name], count))

    def load_reduce(self) -> None:
        """Call a stand-in; a call of anything of torch's is a record, and any other is refused by its name."""
        arguments, function = self.stack.pop(), self.stack[-1]
        if isinstance(function, Allowed) and isinstance(arguments, tuple):
            self.stack[-1] = function.call(*arguments)
        elif isinstance(function, Named) and function.module.partition(".")[0] == "torch":
            self.stack[-1] = Record(function)
        else:
            asked = function if isinstance(function, Named) else "something"
            raise RefusedError(f"the pickle calls {asked}, which was not run; {self.expected}")

    dispatch[pickle.REDUCE[0]] = load_reduce

    def load_newobj(self) -> None:
        """Make a record of an object."""
        self.stack.pop()
        self.stack[-1] = self._record(self.stack[-1])

    dispatch[pickle.NEWOBJ[0]] = load_newobj

    def load_newobj_ex(self) -> None:
        """Make a record of an object."""
        self.stack.pop()
        self.load_newobj()

    dispatch[pickle.NEWOBJ_EX[0]] = load_newobj_ex

    def load_binpersid(self) -> None:
        """Take a storage."""
        self.append(self.persistent_load(self.stack.pop()))

    dispatch[pickle.BINPERSID[0]] = load_binpersid

    def load_build(self) -> None:
        """Keep a record's state; torch gives some dictionaries and tensors a state, which says nothing here."""
        state, target = self.stack.pop(), self.stack[-1]
        if isinstance(target, Array | DType):
            target.set_state(state)
        elif isinstance(target, Record):
            target.state = state
        elif not isinstance(target, dict | Described):
            raise RefusedError(f"the pickle changes an object; {self.expected}")

    dispatch[pickle.BUILD[0]] = load_build

    def _record(self, kind: Any) -> Any:
        if isinstance(kind, Allowed):  # a dictionary or a list, made as an object
            return kind.call()
        if not isinstance(kind, Named):
            raise RefusedError(f"the pickle makes an object of no class; {self.expected}")
        return Record(kind)


def load(path: Path) -> Any:
    """Return what a file of torch holds, as data: `Described` for tensors, `Record` for objects of any class.

    Raises
    ------
    RefusedError
        If it asks for a call that is not known.
    pickle.UnpicklingError, ValueError, and others
        If it is damaged: `avsieve.encoders.checkpoint.DAMAGED`.
    """
    with path.open("rb") as handle:
        if handle.read(2) == b"PK":
            return _from_zip(path)
        handle.seek(0)
        return _from_stream(handle)


def _from_zip(path: Path) -> Any:
    check_zip(path)
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
        pickled = next((name for name in names if name == "data.pkl" or name.endswith("/data.pkl")), None)
        if pickled is None:
            raise ValueError("a zip without data.pkl")
        base = pickled.removesuffix("data.pkl")
        if any(archive.getinfo(name).compress_type != zipfile.ZIP_STORED for name in names):
            raise ValueError("a packed zip, which torch does not write")
        if f"{base}byteorder" in names and archive.read(f"{base}byteorder").strip() != b"little":
            raise RefusedError("numbers in big-endian order; save it on a little-endian machine")
        storages: dict[str, Storage] = {}
        value = _Objects(BytesIO(archive.read(pickled)), storages).load()
        for key, storage in storages.items():
            storage.data = bytearray(archive.read(f"{base}data/{key}"))
            _check(storage, len(storage.data))
    return value


def _from_stream(handle: BinaryIO) -> Any:
    storages: dict[str, Storage] = {}
    heading = [_Objects(handle, {}).load() for _ in range(3)]
    if heading[:2] != [_MAGIC, _PROTOCOL]:
        raise ValueError("no file that torch.save wrote")
    if not (isinstance(heading[2], dict) and heading[2].get("little_endian", True)):
        raise RefusedError("numbers in big-endian order; save it on a little-endian machine")
    value = _Objects(handle, storages).load()
    for key in _Objects(handle, {}).load():
        (count,) = struct.unpack("<q", handle.read(8))
        storage = storages.get(key)
        if storage is None or count != storage.count:
            raise ValueError(f"storage {str(key)[:20]!r} holds {count} numbers")
        size = count * storage.dtype.itemsize
        storage.data = bytearray(handle.read(size) if 0 <= size <= LARGEST else b"")
        _check(storage, len(storage.data))
    return value


def _check(storage: Storage, size: int) -> None:
    # What is called untyped counts bytes; a tensor of it is refused by its own sizes.
    if size != storage.count * storage.dtype.itemsize:
        raise ValueError(f"storage {storage.key[:20]!r}: {size} bytes for {storage.count} numbers")
