"""What every learned fusion module has: the lengths of both modalities' embeddings, and a refusal of all others."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

import numpy as np
from torch import nn

from avsieve.errors import ModelError
from avsieve.evaluation.scoring import Part
from avsieve.fusion.inputs import Inputs


class TwoStreams(nn.Module):
    """A module that takes embeddings of voices and faces.

    Parameters
    ----------
    audio_dim, visual_dim
        Lengths of the embeddings.
    dim
        Length of the fused embedding; of what fuses scores it means nothing.

    Attributes
    ----------
    name
        That of its model, for messages; a class has it, or sets it before this.

    Raises
    ------
    ModelError
        If a modality has no embeddings.
    """

    name: str

    def __init__(self, audio_dim: int, visual_dim: int, dim: int) -> None:
        super().__init__()
        if min(audio_dim, visual_dim) < 1:
            raise ModelError(
                f"{self.name}: audio embeddings of length {audio_dim}, visual ones of length {visual_dim}; a trained "
                "fusion model needs both modalities: run the missing stage, or leave this model out"
            )
        self.audio_dim, self.visual_dim, self.dim = audio_dim, visual_dim, dim

    def check(self, inputs: Inputs) -> None:
        """Refuse embeddings of other lengths than those of the training.

        Raises
        ------
        ModelError
            Telling both.
        """
        found = (inputs.audio.dim, inputs.visual.dim)
        if found != (self.audio_dim, self.visual_dim):
            raise ModelError(
                f"{self.name}: embeddings of lengths {found}, the model was trained on "
                f"{(self.audio_dim, self.visual_dim)}; embed with the same encoders or train again"
            )


class ScoringStreams(TwoStreams, ABC):
    """Such a module that fuses scores: what a `avsieve.fusion.base.FittedModel` has."""

    @abstractmethod
    def encode(self, inputs: Inputs) -> list[Part]:
        """Return what scores are made of: a part per modality, then the quality measures of each."""

    @abstractmethod
    def score(self, encoded: Sequence[Part], enrol: np.ndarray, test: np.ndarray) -> np.ndarray:
        """Return the scores (T,) float32, NaN where the two sides have nothing that can be compared."""
