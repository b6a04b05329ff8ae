"""What the rules ask about further rounds of cleansing. Runs inside Snakemake.

A round is named by its number. ``2-without-0`` is round 2 trained without part 0 of the list: it goes the same way,
through the same rules, and is only measured (`docs/decisions/0044-rounds.md`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from avsieve.config.model import Config
from avsieve.storage import paths as P
from avsieve.wiring.flags import flags
from avsieve.wiring.names import Words

WITHOUT = "-without-"
MODALITIES = ("audio", "visual")


class RoundWiring:
    """Rounds as the rules see them.

    Parameters
    ----------
    config
        The configuration.
    shards
        Names of the shards.
    at
        As in `avsieve.wiring.rules.Wiring`.
    """

    def __init__(self, config: Config, shards: Sequence[str], *, at: Callable[[str], str] = str) -> None:
        cleansing = config.cleansing
        self._config, self._shards, self._at = config, shards, at
        self.wanted = cleansing.rounds > 1
        """Whether there is more than one."""
        there = config.source.contract.modalities
        self.trained = [m for m in MODALITIES if m in there and m in cleansing.rounds_modalities]
        """Whose encoders are trained anew."""
        self.kept = [m for m in MODALITIES if m in there and m not in self.trained]
        """Whose encoders stay those of the first round."""
        self.folds = cleansing.rounds_folds
        """Parts of the list that are held out in turn."""
        self.numbers = [str(number) for number in range(2, cleansing.rounds + 1)]
        """Names of the rounds after the first."""
        self.arms = [name for n in self.numbers for name in (n, *(f"{n}{WITHOUT}{k}" for k in range(self.folds)))]
        """The same, each with its trainings that leave a part out."""

    def embeddings(self, modality: str) -> str:
        """Return where the embeddings of a round lie: those of the first round, where its encoder is kept."""
        own = P.rounds.embeddings if modality in self.trained else P.embed.embeddings
        return P.of(own, modality=modality)

    def list_before(self, wildcards: Any) -> str:
        """Return what the round before left of the list."""
        number = int(wildcards.round.partition(WITHOUT)[0]) - 1
        return P.lists.clean if number == 1 else P.of(P.rounds.clean, round=number)

    def part(self, wildcards: Any) -> str:
        """Return the options of `list_round.py` that leave a part out."""
        _, _, part = wildcards.round.partition(WITHOUT)
        return str(flags({"part": part, "parts": self.folds})) if part else ""

    def trained_encoder(self, modality: str) -> Callable[[Any], str]:
        """Return the options of the embedding with the encoder of the wildcard ``round``."""
        config = self._config

        def options(wildcards: Any) -> str:
            model = self._at(P.of(P.rounds.encoder, modality=modality, round=wildcards.round))
            arch = getattr(config.training, modality).arch
            if modality == "audio":  # segments are not scored
                changed = {"arch": arch, "checkpoint": model, "features": "auto", "segments": []}
                return str(flags(config.audio.model_copy(update=changed)))
            changed = {"arch": arch, "model": model, "channels": "auto", "crop": config.training.visual.crop}
            return str(flags(config.visual.model_copy(update=changed)))

        return options

    def files(self, path: str) -> list[str]:
        """Return a file of every round after the first, those without a part among them."""
        return [P.of(path, round=name) for name in self.arms]

    @property
    def all_embeddings(self) -> list[str]:
        """Embeddings of all rounds but those without a part: what error rates and the audit are measured on."""
        return [path for _, paths in self._embedded() for path in paths]

    @property
    def embedding_flags(self) -> Words:
        """These files as options of `compare_rounds.py`: one for each modality and round, the first among them."""
        return Words(" ".join(str(flags({m: [self._at(path) for path in paths]})) for m, paths in self._embedded()))

    def _embedded(self) -> list[tuple[str, list[str]]]:
        found = []
        for modality in (*self.trained, *self.kept):
            own = self.embeddings(modality)
            found.append((modality, [P.of(P.embed.embeddings, modality=modality, shard=s) for s in self._shards]))
            for number in self.numbers:
                path = P.of(own, round=number) if modality in self.trained else own
                found.append((modality, [P.of(path, shard=s) for s in self._shards]))
        return found
