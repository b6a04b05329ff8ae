"""Millions of names in the room of their characters: as a list of texts VoxCeleb2's ids take 90 MB, here 32."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import overload

import numpy as np
import pyarrow as pa

_AT_ONCE = 10_000


class PackedNames(Sequence[str]):
    """A list of names that does not change.

    Parameters
    ----------
    names
        What it holds.
    repeated
        Whether there are few different ones, which are then held once.
    """

    def __init__(self, names: Iterable[str], *, repeated: bool = False) -> None:
        self._texts: pa.Array
        texts = names._texts if isinstance(names, PackedNames) else pa.array(names, pa.string())
        self._texts = texts.dictionary_encode() if repeated else texts

    def __len__(self) -> int:
        return len(self._texts)

    @overload
    def __getitem__(self, index: int) -> str: ...

    @overload
    def __getitem__(self, index: slice) -> PackedNames: ...

    def __getitem__(self, index: int | slice) -> str | PackedNames:
        if isinstance(index, slice):
            return self.taken(np.arange(len(self))[index])
        if not -len(self) <= index < len(self):
            raise IndexError(index)
        return str(self._texts[int(index) % len(self)].as_py())

    def __iter__(self) -> Iterator[str]:
        for begin in range(0, len(self), _AT_ONCE):
            yield from self._texts.slice(begin, _AT_ONCE).to_pylist()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and list(self) == list(other)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"PackedNames({list(self)!r})"

    def taken(self, places: np.ndarray) -> PackedNames:
        """Return the names at some places, in the order of these."""
        found = PackedNames(())
        found._texts = self._texts.take(pa.array(places, pa.int64()))
        return found
