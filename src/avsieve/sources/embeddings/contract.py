"""Embeddings made elsewhere: their settings, and what the source tells of itself."""

from __future__ import annotations

from typing import Any

from avsieve.embedding_files.formats import KNOWN, NAMES_HELP, NAMES_KEY, PREFIX_HELP, VECTORS_HELP, VECTORS_KEY
from avsieve.settings import Block, key
from avsieve.sources.contract import MODALITIES, SourceContract
from avsieve.sources.settings import LISTS
from avsieve.storage.sequence_names import CENTRE, EIGHTHS, FRAMES, HOPS, is_plain


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
    audio_segments: dict[str, str | list[str]] | None = key(
        None,
        "Embeddings of segments, of the list's people and of those of the trials: the name of a segmentation, and its "
        f"Parquet table or tables (`{{{HOPS}: hops.parquet, {EIGHTHS}: eighths.parquet}}`). "
        f"`evaluation.protocol: both` scores by `{HOPS}`, fusion models read others.",
        "split_segments",
    )
    visual_frames: str | list[str] | None = key(
        None, "Embeddings of single faces, of the same people: Parquet tables, a row per face.", "split_frames"
    )
    names_key: str = key(NAMES_KEY, f"The {NAMES_HELP}.", "plan_shards")
    vectors_key: str = key(VECTORS_KEY, f"The {VECTORS_HELP}.", "plan_shards")
    strip_prefix: str | None = key(None, f"The {PREFIX_HELP}.", "plan_shards")


SEQUENCES = ("audio_segments", "visual_frames")
"""Keys of the tables of segments and faces."""


class EmbeddingsSource(SourceContract[Embeddings]):
    """Tables of embeddings: nothing is fetched, decoded or embedded."""

    name = "embeddings"
    block = Embeddings
    plan = "avsieve.sources.embeddings.plan:plan"
    fetch = "avsieve.sources.embeddings.fetch:fetch"
    check = "avsieve.sources.embeddings.check:check"
    plan_keys = tuple(name for name in Embeddings.model_fields if name not in SEQUENCES)
    fetch_keys = ()
    other_keys = SEQUENCES
    needed = ("train_list", "name the training list that the embeddings belong to")
    plan_files = ("train_list",)
    rules = "embeddings"
    fetching = "none"

    def refuse_misfits(self) -> None:
        """Look whether the settings are whole: there must be a table."""
        super().refuse_misfits()
        if not self.modalities:
            raise ValueError("embeddings.audio and embeddings.visual are missing: name at least one table")
        for name, modality in zip(SEQUENCES, MODALITIES, strict=True):
            if getattr(self.settings, name) and modality not in self.modalities:
                raise ValueError(
                    f"embeddings.{name} is given, but embeddings.{modality} is missing: name the table of the whole "
                    "utterances' embeddings as well"
                )
        for name in self.settings.audio_segments or {}:
            if not is_plain(name) or name == FRAMES:
                raise ValueError(
                    f"embeddings.audio_segments has the segmentation {name!r}; expected small letters, digits and _, "
                    f"such as {HOPS}, {EIGHTHS} and {CENTRE}"
                )

    @property
    def modalities(self) -> list[str]:
        """The modalities whose tables are given."""
        return [modality for modality in MODALITIES if getattr(self.settings, modality)]

    def tables(self, modality: str, *, only_test: bool = False) -> list[str]:
        """Return the tables of a modality, for the list and for the trials."""
        keys = [f"test_{modality}"] if only_test else [modality, f"test_{modality}"]
        return [table for value in self.given(keys) for table in ([value] if isinstance(value, str) else value)]

    def sequence_tables(self, modality: str) -> dict[str, list[str]]:
        """Return the tables of each sequence of a modality: the segmentations, or `FRAMES`."""
        given = self.settings.visual_frames if modality == "visual" else self.settings.audio_segments
        named = given if isinstance(given, dict) else {FRAMES: given} if given else {}
        return {name: [own] if isinstance(own, str) else list(own) for name, own in named.items() if own}

    def table_settings(self) -> dict[str, Any]:
        """Return how names and vectors are found in the tables."""
        return {key: getattr(self.settings, key) for key in ("names_key", "vectors_key", "strip_prefix")}
