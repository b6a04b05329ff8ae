"""The form ``tree``: AVCleanse's folders, a file each face and each wav."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from avsieve.export.form import ExportForm
from avsieve.settings import Block

if TYPE_CHECKING:
    import pandas as pd

    from avsieve.export.contents import Contents


class Tree(ExportForm[Block]):
    """Folders and the lists about them."""

    label = "AVCleanse's folders: frame_align/speaker/video/utterance/0010.jpg and wav/speaker/video/utterance.wav"
    threads = 4

    def write(
        self, table: pd.DataFrame, contents: Contents, out: Path, settings: Block, *, seed: int, threads: int
    ) -> dict[str, int]:
        """Write the folders; see `avsieve.export.folders.write_folders`."""
        from avsieve.export.folders import write_folders

        return write_folders(table, contents, out, threads=threads)


TREE = Tree()
