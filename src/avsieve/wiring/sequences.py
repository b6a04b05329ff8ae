"""What the rules ask about embeddings of segments and faces. Runs inside Snakemake."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from avsieve.config.model import Config
from avsieve.storage import paths as P
from avsieve.storage.sequence_names import FRAMES
from avsieve.wiring.flags import flags

AUDIO, VISUAL = "audio_segments", "visual_frames"
"""The tables of a run: voices' segments and faces, by the scripts' options."""
_PLACES = {AUDIO: P.embed.segments, VISUAL: P.embed.frames}


def tables_of(sequences: Iterable[str]) -> set[str]:
    """Return which tables have these sequences."""
    return {VISUAL if name == FRAMES else AUDIO for name in sequences}


class SequenceWiring:
    """Sequences as the rules see them.

    Parameters
    ----------
    config
        The configuration.
    shards
        Names of the shards: a table has a file for each.
    at
        As in `avsieve.wiring.rules.Wiring`.
    """

    def __init__(self, config: Config, shards: Sequence[str], *, at: Callable[[str], str] = str) -> None:
        self._fusion, self._shards, self._at = config.fusion, shards, at
        read = tables_of(config.fusion.sequences)
        if config.evaluation.protocol == "both":
            # Where embeddings are all there is, a modality may be missing altogether.
            source = config.source.contract
            scored = {"audio": AUDIO, "visual": VISUAL}
            read |= {scored[m] for m in (scored if source.has_media else source.modalities)}
        found = self._files(read)
        self.files = [path for paths in found.values() for path in paths]
        """Segments and faces that the evaluation reads."""
        self.flags = self._flags(found)
        """The same: option -> a file per shard."""

    def _files(self, tables: set[str]) -> dict[str, list[str]]:
        """Return the tables that are wanted, by the scripts' options: a file per shard."""
        return {
            name: [P.of(path, shard=shard) for shard in self._shards]
            for name, path in _PLACES.items()
            if name in tables
        }

    def _flags(self, files: dict[str, list[str]]) -> dict[str, list[str]]:
        return {name: [self._at(path) for path in paths] for name, paths in files.items()}

    def _read_by(self, model: str) -> dict[str, list[str]]:
        return self._files(tables_of(self._fusion.reads(model)))

    def of_model(self, wildcards: Any) -> list[str]:
        """Return the tables that a fusion model reads: inputs of its training."""
        return [path for paths in self._read_by(wildcards.model).values() for path in paths]

    def flags_of_model(self, wildcards: Any) -> str:
        """Return the options that its training reads them by."""
        return flags(self._flags(self._read_by(wildcards.model)))
