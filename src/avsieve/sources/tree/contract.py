"""Folders of clips: their settings, and what the source tells of itself."""

from __future__ import annotations

from avsieve.settings import Block, key
from avsieve.sources.containers import EXTENSIONS
from avsieve.sources.contract import SourceContract, folder_roots
from avsieve.sources.layout import DEFAULT
from avsieve.sources.settings import LAYOUT, LIST, LayoutText


class Tree(Block):
    """Folders of clips, in VoxCeleb2's layout `speaker/video/utterance.mp4` or another (`source.kind: tree`)."""

    root: str | None = key(None, "Folder that contains the speakers' folders.", "refused")
    layout: LayoutText = key(DEFAULT, f"Layout of the clips in their folders: {LAYOUT}", "plan_shards")
    table: str | None = key(
        None,
        "If the folder names say nothing: a CSV with the columns `utterance` and `path` (absolute, or relative to "
        "`root`) and, as needed, `speaker`, `video` and `seconds`. It replaces the layout for the training clips.",
        "plan_shards",
    )
    audio_root: str | None = key(
        None,
        "Folder of the sound in the same layout, if it is separate from the video (`00001.m4a` or `.wav`).",
        "plan_shards",
    )
    train_list: str | None = key(None, LIST, "plan_shards")
    test_root: str | None = key(
        None, "Folder of other people's clips for the trials, in the same layout.", "plan_shards"
    )
    test_audio_root: str | None = key(None, "Folder of their sound, if separate.", "plan_shards")


class TreeSource(SourceContract[Tree]):
    """Clips that lie in folders and stay there."""

    name = "tree"
    block = Tree
    plan = "avsieve.sources.tree.plan:plan"
    fetch = "avsieve.sources.tree.fetch:fetch"
    check = "avsieve.sources.tree.check:check"
    plan_keys = tuple(Tree.model_fields)
    folders = ("root", "audio_root", "test_root", "test_audio_root")
    fetch_keys = (*folders, "table")
    needed = ("root", "give the folder that holds the speakers' folders")
    plan_files = ("train_list", "table")
    lists = ("train_list", "table")
    named_folders = (("root", "audio_root"), ("test_root", "test_audio_root"))
    named_endings = EXTENSIONS

    def missing(self) -> str | None:
        """Return what is missing; a table needs no root: its paths may be whole, or start where Snakemake runs."""
        return None if self.settings.table else super().missing()

    def roots(self, made: str) -> dict[str, str | None]:
        """Return the folders that the media index starts from."""
        return {"train_root": "."} | folder_roots(self.settings, "root", "test_root", "audio_root", "test_audio_root")

    @property
    def speaker_folders(self) -> str | None:
        """The folder of the training speakers."""
        return self.settings.root
