"""What the footer of a Parquet file claims, read before Arrow reads it.

Arrow's own reader refuses a footer that contradicts itself, but what Python is given of it to look at does not: asking
there for the facts of a column ends the process where Arrow raises (`docs/decisions/0043-footers-of-parquet-files.md`).
So the few numbers that tell a bomb are read here, and nothing is made of the footer that it does not itself hold.

Layout: Thrift's compact protocol (its specification, `thrift-compact-protocol.md`), and `parquet.thrift` of the format.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

_MAGIC = b"PAR1"
_ENDS = 12  # bytes before and behind: the magic number twice, and the footer's length
_DEEPEST = 100
"""Columns within columns, and structures within structures."""

# Kinds of Thrift's compact protocol.
_TRUE, _FALSE, _BYTE, _I16, _I32, _I64, _DOUBLE, _BINARY, _LIST, _SET, _MAP, _STRUCT = range(1, 13)
_VARINTS = (_I16, _I32, _I64)
_LONGEST_VARINT = 10


class Claim(NamedTuple):
    """What a footer claims: rows of the table, and the values of the column of a row group that has most."""

    rows: int
    values: int


class _Footer:
    """Thrift of which all is passed over but what is asked for."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def _byte(self) -> int:
        if self._at >= len(self._data):
            raise ValueError("a footer that breaks off")
        self._at += 1
        return self._data[self._at - 1]

    def _pass(self, count: int) -> None:
        if count > len(self._data) - self._at:
            raise ValueError("a footer that breaks off")
        self._at += count

    def _varint(self) -> int:
        value = 0
        for place in range(_LONGEST_VARINT):
            byte = self._byte()
            value |= (byte & 0x7F) << 7 * place
            if byte < 0x80:
                return value
        raise ValueError("a number of more than 64 bits in the footer")

    def number(self, kind: int) -> int:
        """Return a whole number."""
        if kind not in _VARINTS:
            raise ValueError(f"kind {kind} in the footer in place of a number")
        value = self._varint()
        return value >> 1 ^ -(value & 1)

    def fields(self) -> Iterator[tuple[int, int]]:
        """Yield number and kind of each field of a structure; whoever asks reads its value before the next."""
        number = 0
        while head := self._byte():
            kind = head & 0x0F
            number = number + (head >> 4) if head >> 4 else self.number(_I16)
            yield number, kind

    def items(self, kind: int, of: int | None = None) -> tuple[int, int]:
        """Return how many items a list has, and their kind, which is ``of`` where that is given."""
        if kind not in (_LIST, _SET):
            raise ValueError(f"kind {kind} in the footer in place of a list")
        head = self._byte()
        count, own = head >> 4, head & 0x0F
        if count == 15:
            count = self._varint()
        if of is not None and count and own != of:
            raise ValueError(f"a list of kind {own} in the footer in place of {of}")
        if count > len(self._data) - self._at:  # each takes a byte at least
            raise ValueError(f"a footer of {len(self._data)} bytes that claims a list of {count}")
        return count, own

    def skip(self, kind: int, depth: int = 0) -> None:
        """Pass over a value."""
        if depth > _DEEPEST:
            raise ValueError(f"a footer nested more than {_DEEPEST} deep")
        if kind in _VARINTS:
            self._varint()
        elif kind == _BINARY:
            self._pass(self._varint())
        elif kind == _DOUBLE:
            self._pass(8)
        elif kind == _BYTE:
            self._pass(1)
        elif kind == _STRUCT:
            for _, own in self.fields():
                self.skip(own, depth + 1)
        elif kind in (_LIST, _SET):
            count, own = self.items(kind)
            for _ in range(count):
                self._skip_item(own, depth)
        elif kind == _MAP:
            if count := self._varint():
                kinds = self._byte()
                for _ in range(count):
                    self._skip_item(kinds >> 4, depth)
                    self._skip_item(kinds & 0x0F, depth)
        elif kind not in (_TRUE, _FALSE):  # the value of these is their kind
            raise ValueError(f"kind {kind} in the footer, which there is not")

    def _skip_item(self, kind: int, depth: int) -> None:
        if kind in (_TRUE, _FALSE):
            self._pass(1)
        else:
            self.skip(kind, depth + 1)


def claim_of(path: str | Path) -> Claim:
    """Return what the footer of a Parquet file claims.

    Raises
    ------
    ValueError
        If it is no Parquet file, or its footer is damaged: it breaks off, claims more items than it has bytes, or is
        nested too deep.
    OSError
        If the file cannot be read.
    """
    with open(path, "rb") as handle:  # noqa: PTH123 - also an open path
        size = os.fstat(handle.fileno()).st_size
        handle.seek(max(0, size - 8))
        tail = handle.read(8)
        length = int.from_bytes(tail[:4], "little")
        if size < _ENDS or tail[4:] != _MAGIC:
            raise ValueError("no Parquet, or cut off: it does not end as such a file does")
        if length > size - _ENDS:
            raise ValueError(f"a footer of {length} bytes in a file of {size}")
        handle.seek(size - 8 - length)
        return _file(_Footer(handle.read(length)))


def _file(footer: _Footer) -> Claim:
    """Read ``FileMetaData``."""
    rows = values = 0
    for number, kind in footer.fields():
        if number == 2:
            _schema(footer, kind)
        elif number == 3:
            rows = footer.number(kind)
        elif number == 4:
            count, _ = footer.items(kind, _STRUCT)
            for _ in range(count):
                values = max(values, _row_group(footer))
        else:
            footer.skip(kind)
    return Claim(rows, values)


def _schema(footer: _Footer, kind: int) -> None:
    """Refuse a tree of columns that is too deep: readers walk it by recursion."""
    count, _ = footer.items(kind, _STRUCT)
    open_: list[int] = []  # children that are still to come, from the root on
    for _ in range(count):
        children = 0
        for number, own in footer.fields():
            if number == 5:
                children = footer.number(own)
            else:
                footer.skip(own)
        while open_ and open_[-1] <= 0:
            open_.pop()
        if open_:
            open_[-1] -= 1
        if children > 0:
            open_.append(children)
        if len(open_) > _DEEPEST:
            raise ValueError(f"columns nested more than {_DEEPEST} deep")


def _row_group(footer: _Footer) -> int:
    """Read ``RowGroup``; return the values of the column that has most, or its rows."""
    most = 0
    for number, kind in footer.fields():
        if number == 1:
            count, _ = footer.items(kind, _STRUCT)
            for _ in range(count):
                most = max(most, _column(footer))
        elif number == 3:
            most = max(most, footer.number(kind))
        else:
            footer.skip(kind)
    return most


def _column(footer: _Footer) -> int:
    """Read ``ColumnChunk``; return its values."""
    values = 0
    for number, kind in footer.fields():
        if number != 3 or kind != _STRUCT:
            footer.skip(kind)
            continue
        for inner, own in footer.fields():
            if inner == 5:
                values = footer.number(own)
            else:
                footer.skip(own)
    return values
