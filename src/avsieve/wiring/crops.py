"""Which crops of faces are written, and which one an encoder reads. Runs inside Snakemake."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from avsieve.config.model import Config
from avsieve.errors import ConfigError
from avsieve.storage import paths as P


class CropWiring:
    """The files of crops, as the rules name them.

    Attributes
    ----------
    others
        The kinds that alignment writes beside the aligned faces.
    embedded, embedded_index
        Of a shard: the tar that the face encoder reads, and its index.
    of_trained, of_trained_index
        The same of an encoder that the run trains.
    """

    def __init__(self, config: Config, shards: Sequence[str]) -> None:
        self._shards = shards
        self.others = config.written_crops[1:]
        self._first = config.written_crops[0]
        read = config.crop_of("visual")
        self.embedded, self.embedded_index = self._files(read)
        self.of_trained, self.of_trained_index = self._files(config.crop_of("training.visual"))
        self._trained_on, self._lacking = config.crop_of("training.visual"), config.lacking_crop("training.visual")

    def of(self, kind: str) -> tuple[list[str], list[str]]:
        """Return the tars of a kind, and their indices, of all shards."""
        tars, indices = self._files(kind)
        return [P.of(tars, shard=shard) for shard in self._shards], [
            P.of(indices, shard=shard) for shard in self._shards
        ]

    def _files(self, kind: str) -> tuple[str, str]:
        if kind == self._first:
            return P.align.faces, P.align.faces_index
        return P.of(P.align.crops, crop=kind), P.of(P.align.crops_index, crop=kind)

    @property
    def trained(self) -> list[str] | Callable[[Any], list[str]]:
        """The tars of all shards that the training of face encoders reads."""
        return self._all(0)

    @property
    def trained_index(self) -> list[str] | Callable[[Any], list[str]]:
        """Their indices."""
        return self._all(1)

    def _all(self, which: int) -> list[str] | Callable[[Any], list[str]]:
        if self._lacking is None:
            return [P.of(self._files(self._trained_on)[which], shard=shard) for shard in self._shards]

        # No fault of a run that trains no encoder: it is told when the training is asked for.
        def refuse(wildcards: Any) -> list[str]:
            raise ConfigError(self._lacking)

        return refuse
