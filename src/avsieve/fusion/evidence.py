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
    from avsieve.fusion.twins import Twins


class EvidenceSettings(Block):
    """Settings of the model `evidence`."""

    folds: int = key(
        3,
        "Parts that the speakers are split into: the weights of the quality measures, the calibration and the doubt "
        "are learned from pairs of each part, in the space of the others' covariances.",
        ge=2,
    )
    ridge: float = key(
        0.3,
        "Weight of the squared distance to the first weights, divided by the number of speakers.",
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

    def fit(
        self, inputs: Inputs, speakers: Sequence[str], *, seed: int, device: torch.device, twins: Twins | None = None
    ) -> list[float]:
        """Fit the covariances to the list's speakers, and the rest to pairs of those whom they were not fitted to."""
        from avsieve.fusion.evidence_fit import fit_evidence

        loss = fit_evidence(
            self.network.modalities,
            inputs,
            speakers,
            folds=self.own.folds,
            ridge=self.own.ridge,
            seed=seed,
            twins=twins,
        )
        self.network.to(device).eval()
        return loss
