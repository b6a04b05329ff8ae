"""What a file of ``torch.save`` describes: objects by the names of their classes, and tensors by where they lie.

A module of ``torch.nn`` keeps its tensors in ``_parameters`` and ``_buffers``, and its parts in ``_modules``; these are
all that is looked at.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from avsieve.storage.data_pickle import RefusedError

_MOST, _DEEPEST = 100_000, 100  # tensors, and modules within each other: more is no network


@dataclass(frozen=True)
class Named:
    """A class or a function that a pickle names; it is not looked up."""

    module: str
    name: str

    def __str__(self) -> str:
        return f"{self.module}.{self.name}"[:80]


@dataclass(eq=False)
class Record:
    """An object of a class that is not loaded: the name of the class, and what the pickle says of the object."""

    kind: Named
    state: Any = None

    def append(self, _item: Any) -> None:
        """Pass over what a list of the author's own class holds."""

    def extend(self, _items: Any) -> None:
        """Pass over it."""

    def __setitem__(self, _key: Any, _value: Any) -> None:
        """Pass over what a dictionary of the author's own class holds."""


@dataclass(eq=False)
class Storage:
    """Where the numbers of tensors lie."""

    key: str
    dtype: torch.dtype
    count: int
    data: bytearray | None = None


@dataclass(eq=False)
class Described:
    """A tensor as a pickle describes it.

    Attributes
    ----------
    offset, size, stride
        In entries of the storage.
    """

    storage: Storage
    offset: int
    size: tuple[int, ...]
    stride: tuple[int, ...]
    dtype: torch.dtype = field(default=torch.float32)

    def tensor(self) -> Tensor:
        """Return it, as a view of its storage: many views of one cost no memory.

        Raises
        ------
        ValueError
            If it reaches beyond its storage, or repeats it.
        """
        count = 1
        for n in self.size:
            count *= n
        furthest = self.offset + sum((n - 1) * step for n, step in zip(self.size, self.stride, strict=True))
        ends = [self.offset, *self.size, *self.stride]
        if min(ends) < 0 or (count and (count > self.storage.count or furthest >= self.storage.count)):
            raise ValueError(f"a tensor of shape {self.size} in {self.storage.count} numbers")
        if not count:
            return torch.zeros(self.size, dtype=self.dtype)
        if self.storage.data is None:
            raise ValueError(f"the numbers of storage {self.storage.key[:20]!r} are not in the file")
        whole = torch.frombuffer(self.storage.data, dtype=self.dtype)
        return whole.as_strided(self.size, self.stride, self.offset)


def tensors_of(module: Record) -> Iterator[tuple[str, Described]]:
    """Yield the parameters and buffers of a module by their names, as ``state_dict`` would name them.

    Raises
    ------
    RefusedError
        If one is anything but a plain tensor, or there are more than a network has.
    """
    waiting: list[tuple[str, Record, int]] = [("", module, 0)]
    found = seen = 0
    while waiting:
        path, record, depth = waiting.pop()
        seen += 1
        state = record.state if isinstance(record.state, dict) else {}
        passing = state.get("_non_persistent_buffers_set") or []
        for group in ("_parameters", "_buffers"):
            for name, value in (state.get(group) or {}).items():
                if value is None or (group == "_buffers" and name in passing):
                    continue
                if not isinstance(value, Described):
                    kind = value.kind if isinstance(value, Record) else type(value).__name__
                    raise RefusedError(f"{path}{name} is a {kind}; expected a plain tensor")
                found += 1
                yield f"{path}{name}", value
        parts = [(f"{path}{name}.", part, depth + 1) for name, part in (state.get("_modules") or {}).items()
                 if isinstance(part, Record)]  # fmt: skip
        waiting += reversed(parts)
        if max(found, seen, len(waiting)) > _MOST or depth > _DEEPEST:
            raise RefusedError("modules that hold each other without end; expected a network")


def is_module(value: Any) -> bool:
    """Tell whether a value is a module of torch, by what its state holds."""
    return isinstance(value, Record) and isinstance(value.state, dict) and "_modules" in value.state
