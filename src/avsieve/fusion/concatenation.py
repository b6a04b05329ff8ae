"""Concatenation of the unit vectors: no training.

With both modalities present its cosine equals the mean of the two cosines, so it differs from score averaging only
where a modality is missing: then the vector keeps a block of zeros, and comparing it with a complete one costs a factor
of the square root of two. That difference is what the model is here to show.
"""

from __future__ import annotations

import numpy as np

from avsieve.evaluation.scoring import Part
from avsieve.fusion.base import FusionModel
from avsieve.fusion.inputs import Inputs


class Concatenation(FusionModel):
    """Score by the cosine of ``[audio / |audio|; visual / |visual|]``."""

    name = "concatenation"

    def encode(self, inputs: Inputs) -> list[Part]:
        """Return the concatenated unit vectors; zeros stand for a missing modality."""
        sides = [Part.of(side.pooled, side.present) for side in (inputs.audio, inputs.visual)]
        return [Part.of(np.concatenate([side.vectors for side in sides], axis=1))]
