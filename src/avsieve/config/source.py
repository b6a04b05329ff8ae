"""The block `source` of the configuration: where utterances come from, with one block for each registered source."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from pydantic import create_model, model_validator

from avsieve.settings import Block, key
from avsieve.sources.contract import SourceContract
from avsieve.sources.registry import SOURCES

if TYPE_CHECKING:

    class _Blocks(Block):
        """Which source, and the settings of each: only its own code knows their keys."""

        kind: str
else:
    _Blocks = create_model(
        "_Blocks",
        __base__=Block,
        kind=(Literal[SOURCES.names], key("synthetic", "One of the sources below.", "refused")),
        **{name: (source.block, key(source.block, "", "plan_shards")) for name, source in SOURCES.items()},
    )


class Source(_Blocks):
    """The source of the utterances."""

    watch: Literal["files", "names", "nothing"] = key(
        "files",
        "How a run detects clips that have changed since they were indexed: by size and time, by name only (for slow "
        "disks, or tens of millions of images), or not at all. In every case a changed clip is never read in place "
        "of the indexed one: it gets `media_changed`.",
        "none",
    )
    modalities: Literal["both", "audio"] = key(
        "both", "`audio` for sound only, such as a speech corpus to train an encoder on.", "extract_media"
    )
    truth: str | None = key(
        None,
        "`truth.csv` (`utterance,speaker,kind,face_of,voice_of`) if known: the report compares with it, and "
        "generated trials use only utterances that it calls clean. The synthetic source provides its own.",
        "make_trials",
    )

    @property
    def settings(self) -> Block:
        """The settings of the source that was chosen."""
        block: Block = getattr(self, self.kind)
        return block

    @property
    def contract(self) -> SourceContract[Any]:
        """The source that was chosen, with its settings."""
        return SOURCES[self.kind](self.settings, self.modalities)

    @model_validator(mode="after")
    def _has_what_it_needs(self) -> Source:
        self.contract.refuse_misfits()
        return self
