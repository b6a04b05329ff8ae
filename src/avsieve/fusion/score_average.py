"""The mean of both cosines: no training, and hard to beat (AVCleanse, Tao et al., ICASSP 2023)."""

from __future__ import annotations

from avsieve.evaluation.scoring import Part
from avsieve.fusion.base import FusionModel
from avsieve.fusion.inputs import Inputs


class ScoreAverage(FusionModel):
    """Score by (cos_audio + cos_visual) / 2; by the remaining cosine where a side lacks a modality."""

    name = "score_average"

    def encode(self, inputs: Inputs) -> list[Part]:
        """Return one part per modality."""
        return [Part.of(side.pooled, side.present) for side in (inputs.audio, inputs.visual)]
