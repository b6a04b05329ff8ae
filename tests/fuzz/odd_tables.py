"""Parquet tables that are whole, and nearly right: of other columns, types, lengths and orders, with odd values."""

from __future__ import annotations

import io
import random
from collections.abc import Callable, Sequence

import pyarrow as pa
import pyarrow.parquet as pq

from tests.fuzz.mutations import TOKENS

_WORDS = tuple(word for word in TOKENS if not any("\ud800" <= c <= "\udfff" for c in word))  # a table has no others
_NUMBERS = (0, 1, -1, 127, 2**31 - 1, 2**31, -(2**31), 2**63 - 1, -(2**63))
_FLOATS = (0.0, -1.0, 0.5, float("nan"), float("inf"), -float("inf"), 1e300, 1e-300, 65504.0, 1e38)
_TYPES = (pa.string(), pa.large_string(), pa.binary(), pa.int8(), pa.int64(), pa.float16(), pa.float32(), pa.float64(),
          pa.bool_(), pa.dictionary(pa.int32(), pa.string()), pa.list_(pa.float32()), pa.list_(pa.string()),
          pa.timestamp("us"), pa.decimal128(9, 2), pa.null())  # fmt: skip


def _column(values: list, kind: pa.DataType) -> pa.Array:
    """Return a column, or one of the type that its values have, or of none."""
    for of in (kind, None):
        try:
            return pa.array(values, of)
        except (pa.ArrowException, TypeError, ValueError, OverflowError):
            continue
    return pa.nulls(len(values))


def _odd(value: object, kind: pa.DataType, dice: random.Random) -> object:
    """Return another value for a cell."""
    if dice.random() < 0.3:
        return None
    if pa.types.is_list(kind) or pa.types.is_fixed_size_list(kind) or pa.types.is_large_list(kind):
        items = [float(x) for x in value] if isinstance(value, list) and value and _is_number(value[0]) else [1.0]
        items[dice.randrange(len(items))] = dice.choice(_FLOATS)
        return dice.choice([items, items[:-1], [], items + items, [None] * len(items), [0.0] * len(items)])
    if pa.types.is_floating(kind):
        return dice.choice(_FLOATS)
    if pa.types.is_integer(kind):
        return dice.choice(_NUMBERS)
    if pa.types.is_boolean(kind):
        return not value
    return dice.choice(_WORDS)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float)


def _drop(table: pa.Table, dice: random.Random) -> pa.Table:
    return table.remove_column(dice.randrange(table.num_columns)) if table.num_columns > 1 else table


def _rename(table: pa.Table, dice: random.Random) -> pa.Table:
    names = list(table.column_names)
    names[dice.randrange(len(names))] = dice.choice([*names, "x", ""])
    return table.rename_columns(names)


def _retype(table: pa.Table, dice: random.Random) -> pa.Table:
    k = dice.randrange(table.num_columns)
    kind = dice.choice(_TYPES)
    try:
        column = table.column(k).cast(kind)
    except (pa.ArrowException, ValueError):
        column = _column([dice.choice(_WORDS) for _ in range(len(table))], kind)
    return table.set_column(k, table.column_names[k], column)


def _cells(table: pa.Table, dice: random.Random) -> pa.Table:
    k = dice.randrange(table.num_columns)
    kind = table.schema.field(k).type
    try:
        values = table.column(k).to_pylist()
    except (OverflowError, ValueError):  # times that Python has none for
        return table
    for row in range(len(values)) if dice.random() < 0.3 else [dice.randrange(max(1, len(values)))]:
        if row < len(values):
            values[row] = _odd(values[row], kind.value_type if pa.types.is_dictionary(kind) else kind, dice)
    ragged = pa.list_(kind.value_type) if pa.types.is_fixed_size_list(kind) and dice.random() < 0.5 else kind
    return table.set_column(k, table.column_names[k], _column(values, ragged))


def _rows(table: pa.Table, dice: random.Random) -> pa.Table:
    rows = list(range(len(table)))
    way = dice.randrange(4)
    if way == 0:
        dice.shuffle(rows)
    elif way == 1:
        rows = dice.choices(rows, k=len(rows)) if rows else rows
    elif way == 2:
        rows = rows + rows
    else:
        rows = rows[: dice.randrange(len(rows) + 1)]
    return table.take(rows) if rows else table.slice(0, 0)


_CHANGES: tuple[Callable[[pa.Table, random.Random], pa.Table], ...] = (_drop, _rename, _retype, _retype, _cells, _cells,
                                                                       _cells, _cells, _rows)  # fmt: skip


def table_of(seeds: Sequence[pa.Table], dice: random.Random) -> bytes:
    """Return a Parquet file: one of ``seeds`` with some changes to its columns, cells and rows."""
    table = dice.choice(seeds)
    for _ in range(dice.randint(1, 3)):
        table = dice.choice(_CHANGES)(table, dice)
    handle = io.BytesIO()
    groups = dice.choice([None, None, max(1, len(table) // 2)])  # more of them take longer, and show nothing more
    pq.write_table(table, handle, row_group_size=groups, write_page_checksum=True)
    return handle.getvalue()
