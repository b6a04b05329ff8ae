"""What the rules ask about the source: its files, folders and flags. Runs inside Snakemake."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from avsieve.config.source import Source
from avsieve.errors import ConfigError
from avsieve.sources.embeddings.files import folder_state, table_files
from avsieve.storage import paths as P

# Keys of a source that only its fetching reads, or only its planning: a change of them reruns no more than that.
FETCH_ONLY = {
    "archive": ["verify"],
    "urls": [
        "store", "parallel", "retries", "pause_s", "timeout_s", "requests_per_s", "bytes_per_s", "max_bytes",
        "ask_again_days",
    ],
    "voxceleb": [
        "store", "url", "format", "cookies", "proxy", "bytes_per_s", "sleep_s", "retries", "timeout_s",
        "give_up_after", "ask_again_days", "size", "margin", "boxes_height", "keep_videos",
    ],
    "frames": ["aligned"],
}  # fmt: skip
PLAN_ONLY = {
    "tree": ["train_list", "layout"],
    "archive": ["train_list", "layout"],
    "urls": ["table", "test_table"],
    "voxceleb": ["train_list"],
    "frames": ["train_list", "names", "aligned", "layout"],
}
# Files that the plan is made from: inputs, so that another content reruns it.
PLAN_FILES = ["train_list", "table", "test_table", "names"]
# kind -> the keys of the folders that the media index starts from: train, test, and the sound's where it lies apart.
ROOTS = {
    "tree": ("root", "test_root", "audio_root", "test_audio_root"),
    "urls": ("store", "store", None, None),
    "voxceleb": ("store", "store", None, None),
    "frames": ("faces", "test_faces", "wavs", "test_wavs"),
}
ROOT_FLAGS = ("train_root", "test_root", "train_audio_root", "test_audio_root")


class SourceWiring:
    """A source as the rules see it."""

    def __init__(
        self,
        source: Source,
        *,
        given: Callable[[str], str] = str,
        at: Callable[[str], str] = str,
    ) -> None:
        self._given, self._at = given, at  # as in `avsieve.wiring.rules.Wiring`
        self.kind = source.kind
        self.settings = getattr(source, source.kind)
        self.is_synthetic = source.kind == "synthetic"
        self.has_media = source.kind != "embeddings"
        self.rules = source.kind if source.kind in ("synthetic", "embeddings") else "clips"
        """Which file of rules plans and fetches: `source_<rules>.smk`."""
        self.network = int(source.kind in ("urls", "voxceleb"))
        """How many of the run's connections to the network a shard takes; 0 for what lies on the disk."""
        self.leave_in_plan = FETCH_ONLY.get(source.kind, [])
        self.leave_in_fetch = PLAN_ONLY.get(source.kind, [])
        self.plan_files = [
            given(str(value)) for name in PLAN_FILES if (value := getattr(self.settings, name, None)) is not None
        ]

    def tables(self, modality: str, *, only_test: bool = False) -> list[str]:
        """Return the tables of embeddings of a modality, for the list and for the trials."""
        names = [f"test_{modality}"] if only_test else [modality, f"test_{modality}"]
        given = [value for name in names if (value := getattr(self.settings, name)) is not None]
        return [table for value in given for table in ([value] if isinstance(value, str) else value)]

    def table_files(self, modality: str, *, only_test: bool = False) -> list[str]:
        """Return the files of these tables: inputs."""
        tables = self.tables(modality, only_test=only_test)
        return [self._given(file) for table in tables for file in table_files(table)]

    def table_settings(self, modality: str) -> dict[str, Any]:
        """Return the tables of a modality and how to read them, by the options of `split_embeddings.py`."""
        keys = {name: getattr(self.settings, name) for name in ("names_key", "vectors_key", "strip_prefix")}
        return {"tables": self.tables(modality), **keys}

    def folder_state(self, *modalities: str, only_test: bool = False) -> str:
        """Return what changes when a file in a folder of embeddings does: the folder's own time does not tell."""
        return folder_state([table for m in modalities for table in self.tables(m, only_test=only_test)])

    def need_media(self, target: str, paths: list[str]) -> list[str] | Callable[[Any], list[str]]:
        """Return ``paths``, or, where the source has embeddings and nothing else, what refuses to make ``target``."""
        if self.has_media:
            return paths

        def refuse(wildcards: Any) -> list[str]:
            raise ConfigError(
                f"{target}: source.kind is embeddings, so there are no clips, frames, wavs or faces; name a source of "
                f"clips for it, or ask for clean, evaluate or report"
            )

        return refuse

    @property
    def roots(self) -> dict[str, str | None]:
        """Folders that the paths of the media index start from, by the flags of `extract_media.py`."""
        if self.is_synthetic:
            return {"train_root": self._at(P.media.folder)}
        if self.kind == "archive":  # its paths are whole: archives may lie anywhere
            return {"train_root": "."}
        keys: tuple[str | None, ...] = ROOTS.get(self.kind, ())
        if self.kind == "frames" and self.settings.faces is None:  # sound alone
            keys = keys[2:]
        roots = {
            flag: getattr(self.settings, name)
            for flag, name in zip(ROOT_FLAGS, keys, strict=False)
            if name is not None and getattr(self.settings, name) is not None
        }
        if self.kind == "tree":  # the paths of a table may be whole, or start where Snakemake runs
            roots.setdefault("train_root", ".")
        return roots

    def media_inputs(self, wildcards: Any) -> list[str]:
        """Return the files of a shard, beside its index, that the clips lie in and that this run made."""
        return [P.of(P.media.clips, shard=wildcards.shard)] if self.is_synthetic else []

    @property
    def modules(self) -> dict[str, str]:
        """Modules that the scripts load by the source's name: part -> module."""
        return {part: f"avsieve.sources.{self.kind}.{part}" for part in ("plan", "fetch")}
