"""The form ``spotlight``: files, and a table of them that Renumics Spotlight opens."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from avsieve.export.form import ExportForm
from avsieve.settings import Block

if TYPE_CHECKING:
    import pandas as pd

    from avsieve.export.contents import Contents


class Spotlight(ExportForm[Block]):
    """Folders, and ``spotlight.csv`` with a row per utterance: its facts, its sound, and the middle one of its faces.

    Paths are relative, so Spotlight is started in the folder.
    """

    label = "files and a table of utterances for Renumics Spotlight: cd OUT; spotlight spotlight.csv"
    threads = 4

    def write(
        self, table: pd.DataFrame, contents: Contents, out: Path, settings: Block, *, seed: int, threads: int
    ) -> dict[str, int]:
        """Write the folders, then the table."""
        from avsieve.export.folders import write_folders
        from avsieve.export.viewed import facts_table, pictures, voice, write_csv

        counts = write_folders(table, contents, out, threads=threads, form="spotlight")
        told = facts_table(table)
        shown = [pictures(out, utterance) for utterance in told["utterance"]]
        told.insert(1, "face", [faces[len(faces) // 2] if faces else "" for faces in shown])
        told.insert(2, "voice", [voice(out, utterance) for utterance in told["utterance"]])
        write_csv(out / "spotlight.csv", told)
        return counts


SPOTLIGHT = Spotlight()
