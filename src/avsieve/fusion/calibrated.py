"""Calibrated score fusion as the registry knows it; what is learned lies in `avsieve.fusion.calibrated_network`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from avsieve.fusion.base import FittedModel
from avsieve.settings import Block, key

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    import torch

    from avsieve.evaluation.scoring import Part
    from avsieve.fusion.calibrated_network import Calibration
    from avsieve.fusion.inputs import Inputs
    from avsieve.fusion.twins import Twins


class CalibratedSettings(Block):
    """Settings of models that calibrate scores."""

    ridge: float = key(1e-4, "Weight of the squared distance to the first weights.", ge=0)


class Calibrated(FittedModel[CalibratedSettings]):
    """Logistic regression of both cosines, of its own for trials that lack a modality: scores share one threshold.

    Brümmer and du Preez, "Application-independent evaluation of speaker detection", Computer Speech and Language 20,
    2006. Seven numbers.
    """

    name = "calibrated"
    label = "calibrated scores"
    calibrated = True
    settings = CalibratedSettings
    with_measures = False
    network: Calibration

    @classmethod
    def build(cls, audio_dim: int, visual_dim: int, dim: int, own: CalibratedSettings) -> Calibration:
        """Return a new network."""
        from avsieve.fusion.calibrated_network import Calibration

        return Calibration(cls.name, audio_dim, visual_dim, dim, with_measures=cls.with_measures)

    def fit(
        self, inputs: Inputs, speakers: Sequence[str], *, seed: int, device: torch.device, twins: Twins | None = None
    ) -> list[float]:
        """Fit it to pairs of the list's utterances and of their damaged twins."""
        return self.network.fit(inputs, speakers, self.own.ridge, seed, twins)


class CalibratedQmf(Calibrated):
    """The same with quality measures of both sides: durations, numbers of faces, their quality, consistency.

    As in the systems that won evaluations (Thienpondt et al., "The IDLab VoxSRC-20 submission", arXiv 2010.11255).
    """

    name = "calibrated_qmf"
    label = "calibrated scores with quality"
    with_measures = True


class ScoreWeighted(Calibrated):
    """One learned weight: w cos_audio + (1 - w) cos_visual; where a modality is missing, the other cosine."""

    name = "score_weighted"
    label = "weighted score average"
    calibrated = False

    def score(self, encoded: Sequence[Part], enrol: np.ndarray, test: np.ndarray) -> np.ndarray:
        """Return the weighted means (T,) of the cosines."""
        return self.network.weighted(encoded, enrol, test)
