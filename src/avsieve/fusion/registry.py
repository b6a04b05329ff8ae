"""Fusion models by name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from avsieve.errors import ModelError
from avsieve.fusion.base import FusionModel

if TYPE_CHECKING:
    from avsieve.fusion.neural import NeuralFusion

UNTRAINED = ("audio", "visual", "score_average", "concatenation")
TRAINED = ("gated", "linear")


def untrained_model(name: str) -> FusionModel:
    """Return a model that needs no training.

    Raises
    ------
    ModelError
        If there is none of that name.
    """
    from avsieve.fusion.audio_only import AudioOnly
    from avsieve.fusion.concatenation import Concatenation
    from avsieve.fusion.score_average import ScoreAverage
    from avsieve.fusion.visual_only import VisualOnly

    for model in (AudioOnly, VisualOnly, ScoreAverage, Concatenation):
        if model.name == name:
            return model()
    raise ModelError(f"fusion model {name!r}; expected one of {', '.join(UNTRAINED)}")


def neural_class(name: str) -> type[NeuralFusion]:
    """Return the class of a model that is trained.

    Raises
    ------
    ModelError
        If there is none of that name.
    """
    from avsieve.fusion.gated import GatedFusion
    from avsieve.fusion.linear import LinearConcatenation

    for model in (GatedFusion, LinearConcatenation):
        if model.name == name:
            return model
    raise ModelError(f"fusion model {name!r} cannot be trained; expected one of {', '.join(TRAINED)}")
