"""What the rules ask about joint models. Runs inside Snakemake."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from avsieve.config.model import Config
from avsieve.encoders.registry import AUDIO, VISUAL
from avsieve.fusion.registry import MODELS
from avsieve.storage import paths as P
from avsieve.wiring.crops import CropWiring
from avsieve.wiring.flags import flags
from avsieve.wiring.models import model_file, model_paths
from avsieve.wiring.names import Words
from avsieve.wiring.watch import Watch


class JointWiring:
    """Joint models as the rules see them: those of `fusion.models` with encoders of their own.

    Parameters
    ----------
    config
        The configuration.
    shards
        Names of the shards.
    damaged
        Modalities whose signals are damaged for the trials.
    crops
        The files of each kind of crop.
    watch
        Tells of changes of the user's weights.
    given, at
        As in `avsieve.wiring.rules.Wiring`.
    """

    def __init__(
        self,
        config: Config,
        shards: Sequence[str],
        damaged: Sequence[str],
        *,
        crops: CropWiring,
        watch: Watch,
        given: Callable[[str], str] = str,
        at: Callable[[str], str] = str,
    ) -> None:
        fusion = config.fusion
        self.names = fusion.joint
        self._crops = crops
        self.own = {name: config.joint_settings(name) for name in self.names}
        """Their settings, without `same`."""
        self.tables, self.origins = (
            [
                P.of(path, list=name, model=model, seed=seed)
                for name in ("all", "clean")
                for model in self.names
                for seed in fusion.seeds
            ]
            for path in (P.joint.embeddings, P.joint.origin)
        )
        """What they made of the trials, and which model made each table: inputs of the evaluation."""
        self.table_flags = {"joint": [at(path) for path in self.tables]}
        used = {"audio": ("wav", P.damage.wav), "visual": ("faces", P.damage.faces)}
        indexes = {"audio": P.damage.wav_index, "visual": P.damage.faces_index}
        damage = {used[m][0]: [P.of(used[m][1], shard=shard) for shard in shards] for m in damaged}
        tars = [path for paths in damage.values() for path in paths]
        tars += [P.of(indexes[m], shard=shard) for m in damaged for shard in shards]
        table = [P.evaluation.damage] if config.evaluation.damage.conditions else []
        self.damaged = [*table, *tars] if self.names else []
        """The table of damages, and tars of damaged voices and faces that they embed, with their indexes."""
        options = {f"damaged_{name}": [at(path) for path in paths] for name, paths in damage.items()}
        self.damaged_flags = flags({"damage_table": [at(path) for path in table]} | options if self.names else {})
        """The same, by their options."""
        weights = {name: [own.audio_weights, own.visual_weights] for name, own in self.own.items()}
        self._files = {
            name: [given(p) for value in values for p in model_file(value)] for name, values in weights.items()
        }
        self._watched = {name: watch.files("weights", model_paths(*values)) for name, values in weights.items()}
        augment = config.training.audio
        folders = {name: getattr(augment, name) for name in ("noise", "music", "speech", "rooms")}
        self.recordings = flags(folders)
        """Recordings that augmentation takes from: those of `training.audio`."""
        self.watched_recordings = watch.recordings("recordings", folders.values())
        """What they are: a parameter."""

    def faces(self, wildcards: Any) -> list[str]:
        """Return the tars of the crops that a model's face encoder reads."""
        return self._crops.of(self.own[wildcards.model].crop)[0]

    def faces_index(self, wildcards: Any) -> list[str]:
        """Return their indices."""
        return self._crops.of(self.own[wildcards.model].crop)[1]

    def files(self, wildcards: Any) -> list[str]:
        """Return the user's files of weights that a model begins with: inputs."""
        return self._files[wildcards.model]

    def started_from(self, wildcards: Any) -> Any:
        """Return what they hold: a parameter."""
        return self._watched[wildcards.model](wildcards)

    def settings(self, wildcards: Any) -> Words:
        """Return the option with a model's own settings."""
        return flags({"options": self.own[wildcards.model].model_dump()})

    def modules(self, model: str) -> list[str]:
        """Return the modules of a model and of its encoders, which no script imports by itself."""
        own = self.own[model]
        return list(
            dict.fromkeys([MODELS.module(model), *AUDIO[own.audio_arch].modules, *VISUAL[own.visual_arch].modules])
        )
