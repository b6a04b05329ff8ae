"""The form ``fiftyone``: files, and a table of faces that FiftyOne imports."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from avsieve.export.form import ExportForm
from avsieve.settings import Block

if TYPE_CHECKING:
    import pandas as pd

    from avsieve.export.contents import Contents


class FiftyOne(ExportForm[Block]):
    """Folders, and ``labels.csv`` with a row per face: its path, and the facts of its utterance.

    It is FiftyOne's ``CSVDataset``, which shows pictures and plays no sound; the column ``voice`` says where that lies.
    """

    label = "files and a table of faces for FiftyOne (CSVDataset)"
    threads = 4

    def write(
        self, table: pd.DataFrame, contents: Contents, out: Path, settings: Block, *, seed: int, threads: int
    ) -> dict[str, int]:
        """Write the folders, then the table."""
        from avsieve.export.folders import write_folders
        from avsieve.export.viewed import facts_table, pictures, voice, write_csv

        counts = write_folders(table, contents, out, threads=threads, form="fiftyone")
        told = facts_table(table)
        told["voice"] = [voice(out, utterance) for utterance in told["utterance"]]
        told.insert(0, "filepath", [pictures(out, utterance) for utterance in told["utterance"]])
        rows = told.explode("filepath").dropna(subset=["filepath"])
        write_csv(out / "labels.csv", rows)
        return counts | {"pictures": len(rows)}


FIFTYONE = FiftyOne()
