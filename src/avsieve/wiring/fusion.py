"""What the rules ask about fusion models. Runs inside Snakemake."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from avsieve.config.model import Config
from avsieve.fusion.registry import MODELS
from avsieve.storage import paths as P
from avsieve.wiring.flags import flags
from avsieve.wiring.names import Words
from avsieve.wiring.watch import Watch


class FusionWiring:
    """Fusion models as the rules see them.

    Parameters
    ----------
    config
        The configuration.
    watch
        Tells of changes of the user's weights.
    given, at
        As in `avsieve.wiring.rules.Wiring`.
    """

    def __init__(
        self,
        config: Config,
        *,
        watch: Watch,
        given: Callable[[str], str] = str,
        at: Callable[[str], str] = str,
    ) -> None:
        self._fusion, self._tensorboard = config.fusion, config.training.tensorboard
        every, names = self._fusion.names, self._fusion.heads
        self.models = [
            P.of(P.models.fusion, list=name, model=model, seed=seed)
            for name in ("all", "clean")
            for model in names
            for seed in self._fusion.seeds
        ]
        """Trained models: a file per list, model and seed."""
        self.model_flags = {"models": [at(path) for path in self.models]}
        begun = {name: getattr(self._fusion.own(name), "weights", None) for name in names}
        self.weights = {name: [given(path)] if path else [] for name, path in begun.items()}
        """Published weights that the training of a fusion model begins with: an input of it."""
        self.started_from = {name: watch.files("weights", [path] if path else []) for name, path in begun.items()}
        """What they hold: a parameter."""
        untrained = [name for name in MODELS if not MODELS[name].trained]
        self.modules = list(dict.fromkeys(map(MODELS.module, [*untrained, *names])))
        """The modules of the fusion models, which no script imports by itself. What joint models made is a file to the
        evaluation: an edit of their networks reruns their training, and so what follows."""
        self.provenance = [
            P.of(
                P.models.joint_provenance if MODELS[model].joint else P.models.fusion_provenance,
                list=name,
                model=model,
                seed=seed,
            )
            for name in ("all", "clean")
            for model in every
            for seed in self._fusion.seeds
        ]
        """What was recorded of the training of them all."""
        self.provenance_flags = {"training": [at(path) for path in self.provenance]}
        self.headline = every[0] if every else "score_average"
        """Whose figure the report begins with: chosen by the configuration, before anything is known."""

    def settings(self, wildcards: Any) -> Words:
        """Return the option with the settings that the fusion model of a job has of its own."""
        return flags({"options": self._fusion.own(wildcards.model).model_dump()})

    def board(self, wildcards: Any, output: Any) -> str:
        """Return the option that the training of fusion models writes TensorBoard's files with, beside them."""
        return "--tensorboard" if self._tensorboard else ""
