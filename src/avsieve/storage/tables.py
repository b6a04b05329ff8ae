"""Parquet tables, written whole or not at all and with equal bytes for equal content."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from avsieve.errors import AvsieveError
from avsieve.storage.atomic import atomic_path
from avsieve.storage.unpacked_size import check_parquet

if TYPE_CHECKING:
    import pandas as pd


def write_table(path: str | Path, table: pd.DataFrame | pa.Table, *, group_rows: int | None = None) -> None:
    """Write ``table`` as zstd Parquet, atomically, ``group_rows`` to a row group; a pandas index is dropped."""
    if not isinstance(table, pa.Table):
        table = pa.Table.from_pandas(table, preserve_index=False)
    with atomic_path(path) as partial:
        pq.write_table(table.replace_schema_metadata(None), partial, row_group_size=group_rows, compression="zstd")


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
                options = {"compression": "zstd", "use_dictionary": plain}
                writer = stack.enter_context(pq.ParquetWriter(partial, part.schema, **options))
            writer.write_table(part, row_group_size=max(1, len(part)))
        if writer is None:
            raise AvsieveError(f"{path}: a table of no parts; expected one, which may be empty")


# What reading a damaged Parquet table ends with. Arrow's own OSError has no number, those of the system have.
_DAMAGE = (pa.ArrowException, OSError, ValueError, OverflowError)


def _check_text(column: pa.ChunkedArray | pa.Array) -> None:
    """Raise where text is no UTF-8 (`pyarrow.ArrowInvalid`): Arrow itself looks only where it is made a string."""
    kind = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        column.validate(full=True)


class Table(pq.ParquetFile):
    """A Parquet file whose damage is told in one line, wherever in it that is found."""

    def __init__(self, path: Path) -> None:
        self._told = path
        with self._reading():
            # Else all row groups that will be read are in memory before the first is decoded.
            super().__init__(path, pre_buffer=False)
            check_parquet(self, path.stat().st_size)

    @contextmanager
    def _reading(self) -> Iterator[None]:
        try:
            yield
        except _DAMAGE as error:
            said = " ".join(str(error).split())[:200]
            raise AvsieveError(
                f"{self._told}: not a Parquet table, or damaged ({said}); remove it and run its stage again"
            ) from error

    def read(self, *args: Any, **settings: Any) -> pa.Table:
        """Read as `pyarrow.parquet.ParquetFile.read`."""
        with self._reading():
            table = super().read(*args, **settings)
            for column in table.columns:
                _check_text(column)
            return table

    def iter_batches(self, *args: Any, **settings: Any) -> Iterator[pa.RecordBatch]:
        """Read as `pyarrow.parquet.ParquetFile.iter_batches`."""
        batches = super().iter_batches(*args, **settings)
        while True:
            with self._reading():
                batch = next(batches, None)
                for column in batch.columns if batch is not None else ():
                    _check_text(column)
            if batch is None:
                return
            yield batch


def open_table(path: str | Path, columns: list[str] | None = None) -> Table:
    """Open a Parquet table that has some columns at least.

    Raises
    ------
    AvsieveError
        If the file is absent, is no Parquet, or lacks one of ``columns``.
    """
    path = Path(path)
    if not path.exists():
        raise AvsieveError(f"{path}: no such table; run the stage that makes it first")
    file = Table(path)
    found = file.schema_arrow.names
    if missing := [c for c in columns or [] if c not in found]:
        file.close()
        raise AvsieveError(f"{path}: columns {missing} are missing, found {found}; run its stage again")
    return file


def read_table(path: str | Path, columns: list[str] | None = None) -> pd.DataFrame:
    """Read a Parquet table, or some of its columns.

    Raises
    ------
    AvsieveError
        As `open_table`.
    """
    with open_table(path, columns) as file:
        return file.read(columns=columns).to_pandas()
