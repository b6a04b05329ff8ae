"""The voice alone: the figure that fusion has to beat."""

from __future__ import annotations

from avsieve.evaluation.scoring import Part
from avsieve.fusion.base import FusionModel
from avsieve.fusion.inputs import Inputs


class AudioOnly(FusionModel):
    """Score by the cosine of the audio embeddings."""

    name = "audio"

    def encode(self, inputs: Inputs) -> list[Part]:
        """Return the audio embeddings."""
        return [Part.of(inputs.audio.pooled, inputs.audio.present)]
