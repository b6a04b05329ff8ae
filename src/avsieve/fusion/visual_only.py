"""The face alone: the figure that fusion has to beat."""

from __future__ import annotations

from avsieve.evaluation.scoring import Part
from avsieve.fusion.base import FusionModel
from avsieve.fusion.inputs import Inputs


class VisualOnly(FusionModel):
    """Score by the cosine of the visual embeddings."""

    name = "visual"

    def encode(self, inputs: Inputs) -> list[Part]:
        """Return the visual embeddings."""
        return [Part.of(inputs.visual.pooled, inputs.visual.present)]
