"""Embeddings made elsewhere: their settings, and what the source tells of itself."""

from __future__ import annotations

from typing import Any

from avsieve.embedding_files.formats import KNOWN, NAMES_HELP, NAMES_KEY, PREFIX_HELP, VECTORS_HELP, VECTORS_KEY
from avsieve.settings import Block, key
from avsieve.sources.contract import MODALITIES, SourceContract
from avsieve.sources.settings import LISTS


class Embeddings(Block):
    """Embeddings made elsewhere: nothing is fetched, decoded or embedded (`source.kind: embeddings`)."""

    train_list: str | None = key(None, f"{LISTS}.", "refused")
    audio: str | list[str] | None = key(
        None, f"Voice embeddings; several files are read as one table. {KNOWN}.", "plan_shards"
    )
    visual: str | list[str] | None = key(None, "Face embeddings, in any of these formats.", "plan_shards")
    test_audio: str | list[str] | None = key(
        None,
        "Voice embeddings of other people, for the trials; if it is the same file as `audio`, utterances outside the "
        "list are used.",
        "plan_shards",
    )
    test_visual: str | list[str] | None = key(None, "Face embeddings of other people, for the trials.", "plan_shards")
    names_key: str = key(NAMES_KEY, f"The {NAMES_HELP}.", "plan_shards")
    vectors_key: str = key(VECTORS_KEY, f"The {VECTORS_HELP}.", "plan_shards")
    strip_prefix: str | None = key(None, f"The {PREFIX_HELP}.", "plan_shards")


class EmbeddingsSource(SourceContract[Embeddings]):
    """Tables of embeddings: nothing is fetched, decoded or embedded."""

    name = "embeddings"
    block = Embeddings
    plan = "avsieve.sources.embeddings.plan:plan"
    fetch = "avsieve.sources.embeddings.fetch:fetch"
    check = "avsieve.sources.embeddings.check:check"
    plan_keys = tuple(Embeddings.model_fields)
    fetch_keys = ()
    needed = ("train_list", "name the training list that the embeddings belong to")
    plan_files = ("train_list",)
    rules = "embeddings"
    fetching = "none"

    def refuse_misfits(self) -> None:
        """Look whether the settings are whole: there must be a table."""
        super().refuse_misfits()
        if not self.modalities:
            raise ValueError("embeddings.audio and embeddings.visual are missing: name at least one table")

    @property
    def modalities(self) -> list[str]:
        """The modalities whose tables are given."""
        return [modality for modality in MODALITIES if getattr(self.settings, modality)]

    def tables(self, modality: str, *, only_test: bool = False) -> list[str]:
        """Return the tables of a modality, for the list and for the trials."""
        keys = [f"test_{modality}"] if only_test else [modality, f"test_{modality}"]
        return [table for value in self.given(keys) for table in ([value] if isinstance(value, str) else value)]

    def table_settings(self) -> dict[str, Any]:
        """Return how names and vectors are found in the tables."""
        return {key: getattr(self.settings, key) for key in ("names_key", "vectors_key", "strip_prefix")}
