"""The form ``webdataset``: WebDataset tars, one sample per utterance."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from avsieve.export.form import ExportForm
from avsieve.export.settings import Parts

if TYPE_CHECKING:
    import pandas as pd

    from avsieve.export.contents import Contents


class WebDataset(ExportForm[Parts]):
    """Tars in WebDataset's form, a sample an utterance."""

    label = "WebDataset tars, one sample per utterance"
    settings = Parts

    def write(
        self, table: pd.DataFrame, contents: Contents, out: Path, settings: Parts, *, seed: int, threads: int
    ) -> dict[str, int]:
        """Write the parts; see `avsieve.export.samples.write_samples`."""
        from avsieve.export.samples import write_samples

        shuffle_seed = seed if settings.shuffle else None
        return write_samples(table, contents, out, part_bytes=settings.part_bytes, shuffle_seed=shuffle_seed)


WEBDATASET = WebDataset()
