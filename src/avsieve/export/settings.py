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

    subset: Subset = key("clean", "Which utterances; `test` selects those of the test speakers.", "export_tree")
    what: list[Kind] = key(lambda: ["faces", "wav"], "Which of their files.", "export_tree", min_length=1)
    speakers: str | None = key(None, "Only these speakers: a file with one per line.", "export_tree")
    utterances: str | None = key(None, "Only these utterances: one per line, or any list of utterances.", "export_tree")
    share: float = key(
        1.0, "Share of the utterances; a larger share contains a smaller one.", "export_tree", gt=0, le=1
    )
    seed: int = key(0, "Seed for the share, and for shuffling.", "export_tree", ge=0)


class Parts(Block):
    """Settings of the forms that write many utterances to a file."""

    part_mb: Positive = key(1000.0, "Maximum size of a tar or Parquet file, in megabytes.", "export_webdataset")
    shuffle: bool = key(True, "Whether tars and Parquet files are shuffled across speakers.", "export_webdataset")

    @property
    def part_bytes(self) -> int:
        """Most bytes of a file."""
        return int(self.part_mb * 1e6)
