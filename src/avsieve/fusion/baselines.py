"""Models that need no training: each modality alone, the mean of both scores, and the concatenation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from avsieve.fusion.base import FusionModel
from avsieve.fusion.reported import Reported

if TYPE_CHECKING:
    from avsieve.evaluation.scoring import Part
    from avsieve.fusion.inputs import Inputs


class _Average(FusionModel):
    """Score by the mean of the cosines of the modalities that it needs."""

    averages = True

    def encode(self, inputs: Inputs) -> list[Part]:
        """Return one part per modality."""
        from avsieve.evaluation.scoring import Part

        streams = (getattr(inputs, modality) for modality in self.needs)
        return [Part.of(stream.pooled, stream.present) for stream in streams]


class AudioOnly(_Average):
    """The voice alone: a figure that fusion has to beat."""

    name = "audio"
    label = "voice alone"
    needs = ("audio",)


class VisualOnly(_Average):
    """The face alone: a figure that fusion has to beat."""

    name = "visual"
    label = "face alone"
    needs = ("visual",)


class ScoreAverage(_Average):
    """Score by (cos_audio + cos_visual) / 2; by the remaining cosine where a side of a trial lacks a modality.

    It needs no training, and is hard to beat (AVCleanse, Tao et al., ICASSP 2023).
    """

    name = "score_average"
    label = "score average"
    reported = (
        Reported(
            "EER 0.15 / 0.23 / 0.41 %",
            "Vox1-O / E / H, ECAPA-1024 and IResNet18 trained on VoxCeleb2, 5 x 5 faces",
            "repository of AVCleanse",
        ),
        Reported(
            "EER 0.01 / 0.07 / 0.13 %",
            "Vox1-O / E / H, ECAPA-1024 trained on VoxCeleb2 and IResNet50 of Glint360K, 5 x 5 faces",
            "AVCleanse, ICASSP 2023",
        ),
        Reported(
            "EER 0.734 %, minDCF(0.05) 0.080",
            "Vox1-O, ECAPA-1024 and IResNet18 trained on VoxCeleb1 by a user",
            "issue 5 of TaoRuijie/AVCleanse",
        ),
    )


class Concatenation(FusionModel):
    """Score by the cosine of ``[audio / |audio|; visual / |visual|]``.

    With both modalities present it equals the mean of the two cosines, so it differs from score averaging only where a
    modality is missing: then the vector keeps a block of zeros, and comparing it with a complete one costs a factor of
    the square root of two. That difference is what the model is here to show.
    """

    name = "concatenation"
    label = "concatenation"

    def encode(self, inputs: Inputs) -> list[Part]:
        """Return the concatenated unit vectors; zeros stand for a missing modality."""
        import numpy as np

        from avsieve.evaluation.scoring import Part

        units = [Part.of(stream.pooled, stream.present) for stream in (inputs.audio, inputs.visual)]
        return [Part.of(np.concatenate([unit.vectors for unit in units], axis=1))]
