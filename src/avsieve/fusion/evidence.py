"""Evidence as the registry knows it; the maths lies in `avsieve.fusion.evidence_network`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from avsieve.fusion.base import FittedModel
from avsieve.settings import Block, key

if TYPE_CHECKING:
    from collections.abc import Sequence

    import torch

    from avsieve.fusion.evidence_network import EvidenceNetwork
    from avsieve.fusion.inputs import Inputs


class EvidenceSettings(Block):
    """Settings of the model `evidence`."""

    development: float = key(
        0.3,
        "Share of the list's speakers, drawn by the seed, whom the covariances are not fitted to: the weights of the "
        "quality measures, the calibration and the doubt are learned from pairs of theirs.",
        gt=0, lt=1,
    )  # fmt: skip
    ridge: float = key(
        0.3,
        "Weight of the squared distance to the first weights, divided by the number of those speakers.",
        ge=0,
    )


class Evidence(FittedModel[EvidenceSettings]):
    """The sum of a log-likelihood ratio per modality: what is uncertain says less, what may be somebody else no veto.

    Ours. A two-covariance model per modality with a noise per utterance that its quality measures tell, and a component
    for the voice or face of another person. Some 17 numbers beside the covariances.
    """

    name = "evidence"
    label = "evidence"
    calibrated = True
    settings = EvidenceSettings
    network: EvidenceNetwork

    @classmethod
    def build(cls, audio_dim: int, visual_dim: int, dim: int, own: EvidenceSettings) -> EvidenceNetwork:
        """Return a new network."""
        from avsieve.fusion.evidence_network import EvidenceNetwork

        return EvidenceNetwork(audio_dim, visual_dim, dim)

    def fit(self, inputs: Inputs, speakers: Sequence[str], *, seed: int, device: torch.device) -> list[float]:
        """Fit the covariances to most of the list's speakers, and the rest to pairs of the others."""
        loss = self.network.fit(inputs, speakers, development=self.own.development, ridge=self.own.ridge, seed=seed)
        self.network.to(device)
        return loss
