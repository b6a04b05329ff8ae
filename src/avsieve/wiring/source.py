"""What the rules ask about the source: its files, folders and flags. Runs inside Snakemake."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from avsieve.config.source import Source
from avsieve.embedding_files.places import folder_state, table_files
from avsieve.errors import ConfigError
from avsieve.storage import paths as P


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
        self.contract = source.contract
        self.kind = self.contract.name
        self.settings = source.settings
        self.has_media = self.contract.has_media
        self.rules = self.contract.rules
        """Which file of rules plans and fetches: `source_<rules>.smk`."""
        self.network = int(self.contract.fetching == "downloaded")
        """How many of the run's connections to the network a shard takes; 0 for what lies on the disk."""
        keys = self.contract.block.model_fields
        self.leave_in_plan = [key for key in keys if key not in self.contract.plan_keys]
        self.leave_in_fetch = [key for key in keys if key not in self.contract.fetch_keys]
        self.plan_files = [given(path) for path in self.contract.given(self.contract.plan_files)]
        self.writes_truth = "truth" in self.contract.plan_outputs
        """Whether the run itself writes who is really seen and heard."""
        self.writes_sex = "speakers_table" in self.contract.plan_outputs
        """Whether the run itself writes the speakers' sexes."""

    def table_files(self, modality: str, *, only_test: bool = False) -> list[str]:
        """Return the files of these tables: inputs."""
        tables = self.contract.tables(modality, only_test=only_test)
        return [self._given(file) for table in tables for file in table_files(table)]

    def table_settings(self, modality: str) -> dict[str, Any]:
        """Return the tables of a modality and how to read them, by the options of `split_embeddings.py`."""
        return {"tables": self.contract.tables(modality), **self.contract.table_settings()}

    def sequence_files(self, modality: str) -> list[str]:
        """Return the tables of its segments or faces: inputs."""
        tables = self.contract.sequence_tables(modality).values()
        return [self._given(path) for path in dict.fromkeys(path for own in tables for path in own)]

    def sequence_settings(self, modality: str) -> dict[str, Any]:
        """Return these tables and how to read them, by the options of `split_segments.py`."""
        return {"tables": self.contract.sequence_tables(modality), **self.contract.table_settings()}

    def folder_state(self, *modalities: str, only_test: bool = False) -> str:
        """Return what changes when a file in a folder of embeddings does: the folder's own time does not tell."""
        return folder_state([table for m in modalities for table in self.contract.tables(m, only_test=only_test)])

    def need_media(self, target: str, paths: list[str]) -> list[str] | Callable[[Any], list[str]]:
        """Return ``paths``, or, where the source has embeddings and nothing else, what refuses to make ``target``."""
        if self.has_media:
            return paths

        def refuse(wildcards: Any) -> list[str]:
            raise ConfigError(
                f"{target}: source.kind is {self.kind}, so there are no clips, frames, wavs or faces; use a source "
                "with clips, or request clean, evaluate or report"
            )

        return refuse

    @property
    def roots(self) -> dict[str, str | None]:
        """Folders that the paths of the media index start from, by the flags of `extract_media.py`."""
        return self.contract.roots(self._at(P.media.folder))

    def media_inputs(self, wildcards: Any) -> list[str]:
        """Return the files of a shard, beside its index, that the clips lie in and that this run made."""
        return [P.of(P.media.clips, shard=wildcards.shard)] if self.contract.fetching == "rendered" else []

    @property
    def modules(self) -> dict[str, str]:
        """Modules that the scripts load by the source's name: part -> module."""
        return {"plan": self.contract.module("plan"), "fetch": self.contract.module("fetch")}
