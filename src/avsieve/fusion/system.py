"""A system: a fusion model, and what it was trained on."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field

from avsieve.evaluation.as_norm import Cohort
from avsieve.evaluation.scoring import Part
from avsieve.fusion.base import FusionModel
from avsieve.fusion.inputs import Inputs
from avsieve.fusion.registry import MODELS

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class System:
    """A model to evaluate; ``trained_on`` is the list (``all``, ``clean``), ``-`` where nothing was trained."""

    model: FusionModel
    trained_on: str = "-"
    seed: int | None = None
    speakers: frozenset[str] = field(default_factory=frozenset)

    def columns(self) -> dict[str, str | int | None]:
        """Return its columns of the tables."""
        return {"model": self.model.name, "trained_on": self.trained_on, "seed": self.seed}


@dataclass(frozen=True)
class Normalisation:
    """A cohort and what it is embedded with: pooled inputs, and mean vectors of segments per modality."""

    cohort: Cohort
    inputs: Inputs
    segments: Mapping[str, Part] = field(default_factory=dict)


def untrained_systems(inputs: Inputs) -> list[System]:
    """Return the systems that need no training, as far as there are modalities for them."""
    models = [model for model in MODELS.values() if not model.trained]
    missing = {name for name, stream in inputs.streams.items() if not stream.present.any()}
    for name in sorted(missing):
        logger.warning("no utterance of the trials has an %s embedding: what needs one is not evaluated", name)
    able = [model for model in models if not missing & set(model.needs)]
    # Where nobody has any, it is for the evaluation to say so.
    return [System(model()) for model in able or models]
