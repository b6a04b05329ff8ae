"""What may be asked of an export: which utterances, which of their files, and how large the parts are."""

from __future__ import annotations

from typing import Literal, get_args

from avsieve.settings import Block, Positive, key

Kind = Literal["faces", "wav", "frames"]
KINDS: tuple[Kind, ...] = get_args(Kind)
"""Kinds of files that a run can give away."""
Subset = Literal["all", "clean", "noisy", "test"]


class Wish(Block):
    """What is wanted of a run, in whatever form."""

    subset: Subset = key(
        "clean", "Which utterances; `test` are those of the people kept for the trials.", "export_tree"
    )
    what: list[Kind] = key(lambda: ["faces", "wav"], "Which files of them.", "export_tree", min_length=1)
    speakers: str | None = key(None, "Only these speakers: a file of one a line.", "export_tree")
    utterances: str | None = key(None, "Only these utterances: one a line, or any list of utterances.", "export_tree")
    share: float = key(
        1.0, "Share of the utterances; a larger one holds all of a smaller one.", "export_tree", gt=0, le=1
    )
    seed: int = key(0, "Decides which share, and the order where it is shuffled.", "export_tree", ge=0)


class Parts(Block):
    """Settings of the forms that write many utterances to a file."""

    part_mb: Positive = key(1000.0, "Most megabytes of a tar or Parquet file.", "export_webdataset")
    shuffle: bool = key(True, "Whether tars and Parquet files mix the speakers.", "export_webdataset")

    @property
    def part_bytes(self) -> int:
        """Most bytes of a file."""
        return int(self.part_mb * 1e6)
