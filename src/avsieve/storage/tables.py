"""Parquet tables, written whole or not at all and with equal bytes for equal content.

Each page carries a checksum of its bytes, which every reader here compares: a file that was damaged on a disk or in a
copy is told, and never taken for data.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from avsieve.errors import AvsieveError
from avsieve.storage.atomic import atomic_path
from avsieve.storage.column_kinds import check_columns, check_values
from avsieve.storage.remedies import make_anew
from avsieve.storage.unpacked_size import check_parquet

if TYPE_CHECKING:
    import pandas as pd

WRITTEN: dict[str, Any] = {"compression": "zstd", "write_page_checksum": True}
"""How every table of the results is written."""


def write_table(path: str | Path, table: pd.DataFrame | pa.Table, *, group_rows: int | None = None) -> None:
    """Write ``table`` as zstd Parquet, atomically, ``group_rows`` to a row group; a pandas index is dropped."""
    if not isinstance(table, pa.Table):
        table = pa.Table.from_pandas(table, preserve_index=False)
    with atomic_path(path) as partial:
        pq.write_table(table.replace_schema_metadata(None), partial, row_group_size=group_rows, **WRITTEN)


def write_parts(path: str | Path, parts: Iterable[pa.Table]) -> None:
    """Write a table of which only parts are in memory, as `write_table` would; each part is a row group.

    Parameters
    ----------
    parts
        One at least, all of the same columns.
    """
    with atomic_path(path) as partial, ExitStack() as stack:
        writer: pq.ParquetWriter | None = None
        for part in parts:
            part = part.replace_schema_metadata(None)
            if writer is None:
                # A dictionary of the numbers of embeddings takes three times as long, and no less room.
                plain = [field.name for field in part.schema if not pa.types.is_fixed_size_list(field.type)]
                writer = stack.enter_context(pq.ParquetWriter(partial, part.schema, use_dictionary=plain, **WRITTEN))
            writer.write_table(part, row_group_size=max(1, len(part)))
        if writer is None:
            raise AvsieveError(f"{path}: a table of no parts; expected one, which may be empty")


Column = TypeVar("Column", pa.Array, pa.ChunkedArray)

_PLAIN = frozenset({"utterance", "video"})
"""Columns that are never read as dictionaries, though another tool may have written them so: Arrow's functions of text
take none."""
_SMALL = 64 << 20
"""Bytes of a file that asks for more memory than there is only if it lies."""


@contextmanager
def _told(path: Path) -> Iterator[None]:
    """Tell what Arrow says of a file in one line."""
    try:
        yield
    except FileNotFoundError:
        raise AvsieveError(f"{path}: no such table; run the stage that makes it first") from None
    except (pa.ArrowException, OSError, ValueError, OverflowError) as error:  # ValueError: names that are no UTF-8
        if isinstance(error, MemoryError) and path.stat().st_size > _SMALL:
            raise  # of this machine, not of the file
        if isinstance(error, OSError) and error.errno:
            raise AvsieveError(f"{path}: cannot be read ({error.strerror}); mend that first") from error
        raise AvsieveError(f"{path}: not a Parquet table, or damaged ({error}); {make_anew(path)}") from error


def _check(path: Path, name: str, column: pa.ChunkedArray | pa.Array) -> None:
    """Raise where text is no UTF-8 (`pyarrow.ArrowInvalid`): Arrow itself looks only where it is made a string."""
    kind = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        column.validate(full=True)
    check_values(path, name, column)


def _checked(path: Path, table: pa.Table) -> pa.Table:
    for name, column in zip(table.column_names, table.columns, strict=True):
        _check(path, name, column)
    for at, field in enumerate(table.schema):
        if field.name in _PLAIN and pa.types.is_dictionary(field.type):
            table = table.set_column(at, field.name, decoded(table.column(at)))
    return table


class Table(pq.ParquetFile):
    """A Parquet table whose readers tell of damage in one line: the path, what is wrong, and the remedy."""

    def __init__(self, path: Path) -> None:
        self._path = path
        with _told(path):
            check_parquet(path)
            # Else all row groups that will be read are in memory before the first is decoded.
            super().__init__(path, pre_buffer=False, page_checksum_verification=True)
            schema = self.schema_arrow
        check_columns(path, schema)

    def read(self, *given: Any, **options: Any) -> pa.Table:
        """Read as `pyarrow.parquet.ParquetFile.read` does."""
        with _told(self._path):
            return _checked(self._path, super().read(*given, **options))

    def read_row_group(self, *given: Any, **options: Any) -> pa.Table:
        """Read as `pyarrow.parquet.ParquetFile.read_row_group` does."""
        with _told(self._path):
            return _checked(self._path, super().read_row_group(*given, **options))

    def read_row_groups(self, *given: Any, **options: Any) -> pa.Table:
        """Read as `pyarrow.parquet.ParquetFile.read_row_groups` does."""
        with _told(self._path):
            return _checked(self._path, super().read_row_groups(*given, **options))

    def iter_batches(self, *given: Any, **options: Any) -> Iterator[pa.RecordBatch]:
        """Read as `pyarrow.parquet.ParquetFile.iter_batches` does."""
        batches = super().iter_batches(*given, **options)
        while True:
            with _told(self._path):
                batch = next(batches, None)
                if batch is None:
                    return
                table = _checked(self._path, pa.Table.from_batches([batch]))
            yield from table.to_batches() if table.schema != batch.schema else [batch]


def open_table(path: str | Path, columns: list[str] | None = None) -> Table:
    """Open a Parquet table that has some columns at least.

    Raises
    ------
    AvsieveError
        If the file is absent, is no Parquet, is damaged, or lacks one of ``columns``; its readers raise it too.
    """
    file = Table(Path(path))
    with _told(Path(path)):
        found = file.schema_arrow.names
    if missing := [c for c in columns or [] if c not in found]:
        file.close()
        raise AvsieveError(f"{path}: columns {missing} are missing, found {found}; run its stage again")
    return file


def row_count(path: str | Path) -> int:
    """Return how many rows a Parquet table says that it has; nothing but its end is read.

    Raises
    ------
    AvsieveError
        If the file is absent, is no Parquet, or its footer is damaged.
    """
    with _told(Path(path)):
        return check_parquet(path).rows


def read_arrow(
    path: str | Path, columns: list[str] | None = None, *, where: tuple[str, str | int | list[str]] | None = None
) -> pa.Table:
    """Read a Parquet table, some of its columns, or only the rows with a value in one.

    Parameters
    ----------
    columns
        All where not given.
    where
        A column and the value that is wanted there, or several.

    Raises
    ------
    AvsieveError
        As `open_table`.
    """
    if where is None:
        with open_table(path, columns) as file:
            return file.read(columns=columns)
    # Arrow filters, too, but waits for ever on a row group whose own facts are damaged.
    column, value = where
    read = None if columns is None else list(dict.fromkeys([*columns, column]))
    with open_table(path, read or [column]) as file:
        parts = [batch.filter(_is(batch[column], value)) for batch in file.iter_batches(columns=read)]
        schema = file.schema_arrow
    names = columns if columns is not None else schema.names
    kept = [batch.select(names) for batch in parts if len(batch)]
    if kept:
        return pa.Table.from_batches(kept)
    return pa.schema([schema.field(name) for name in names]).empty_table()


def decoded(column: Column) -> Column:
    """Return a column as it is without a dictionary, in which other tools may have written it."""
    return column.cast(column.type.value_type) if pa.types.is_dictionary(column.type) else column


def frame_of(table: pa.Table) -> pd.DataFrame:
    """Return a table as a data frame, without categories."""
    return pa.table([decoded(column) for column in table.columns], names=table.column_names).to_pandas()


def _is(column: pa.Array, value: str | int | list[str]) -> pa.Array:
    """Tell which rows hold a value, or one of several."""
    plain = decoded(column)
    if isinstance(value, list):
        return pc.is_in(plain, value_set=pa.array(value, plain.type))
    return pc.equal(plain, value)


def read_table(path: str | Path, columns: list[str] | None = None) -> pd.DataFrame:
    """Read a Parquet table, or some of its columns, as a data frame.

    Raises
    ------
    AvsieveError
        As `open_table`.
    """
    return frame_of(read_arrow(path, columns))
