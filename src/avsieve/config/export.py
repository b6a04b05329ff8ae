"""The configuration of exports: which utterances leave a run, and in what."""

from __future__ import annotations

from typing import Literal

from avsieve.settings import Block, Positive, key


class Export(Block):
    """What leaves a run in another layout: `snakemake export_tree`, `export_webdataset` or `export_parquet`.

    Each is written to the folder of its name below `out`.
    """

    out: str = key("export", "Folder to write to.", "export_tree")
    subset: Literal["all", "clean", "noisy", "test"] = key(
        "clean", "Which utterances; `test` are those of the people kept for the trials.", "export_tree"
    )
    what: list[Literal["faces", "wav", "frames"]] = key(
        lambda: ["faces", "wav"], "Which files of them.", "export_tree", min_length=1
    )
    speakers: str | None = key(None, "Only these speakers: a file of one a line.", "export_tree")
    utterances: str | None = key(None, "Only these utterances: one a line, or any list of utterances.", "export_tree")
    share: float = key(
        1.0, "Share of the utterances; a larger one holds all of a smaller one.", "export_tree", gt=0, le=1
    )
    seed: int = key(0, "Decides which share, and the order where it is shuffled.", "export_tree", ge=0)
    part_mb: Positive = key(1000.0, "Most megabytes of a tar or Parquet file.", "export_webdataset")
    shuffle: bool = key(True, "Whether tars and Parquet files mix the speakers.", "export_webdataset")
