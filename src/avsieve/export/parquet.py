"""The form ``parquet``: Parquet files for the package `datasets`, one row per utterance."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from avsieve.export.form import ExportForm
from avsieve.export.settings import Parts

if TYPE_CHECKING:
    import pandas as pd

    from avsieve.export.contents import Contents


class Parquet(ExportForm[Parts]):
    """Parquet files for the package `datasets`, one row per utterance."""

    label = "Parquet files for the package `datasets`, one row per utterance"
    settings = Parts

    def write(
        self, table: pd.DataFrame, contents: Contents, out: Path, settings: Parts, *, seed: int, threads: int
    ) -> dict[str, int]:
        """Write the parts; see `avsieve.export.datasets.write_datasets`."""
        from avsieve.export.datasets import write_datasets

        shuffle_seed = seed if settings.shuffle else None
        return write_datasets(table, contents, out, part_bytes=settings.part_bytes, shuffle_seed=shuffle_seed)


PARQUET = Parquet()
