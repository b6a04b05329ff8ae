"""The evidence of voice and face: the sum over the modalities that both sides of a trial have.

`avsieve.fusion.modality_evidence` has that of one, and `avsieve.fusion.evidence_fit` fits them.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from avsieve.evaluation.scoring import Part, settle
from avsieve.fusion.inputs import Inputs
from avsieve.fusion.measures import COUNTS, all_measures
from avsieve.fusion.modality_evidence import ModalityEvidence
from avsieve.fusion.two_streams import ScoringStreams


class EvidenceNetwork(ScoringStreams):
    """The evidence of both modalities.

    Parameters
    ----------
    audio_dim, visual_dim
        Lengths of the embeddings.
    dim
        Not used: nothing is embedded.
    """

    name = "evidence"

    def __init__(self, audio_dim: int, visual_dim: int, dim: int) -> None:
        super().__init__(audio_dim, visual_dim, dim)
        self.audio = ModalityEvidence(audio_dim, COUNTS["audio"])
        self.visual = ModalityEvidence(visual_dim, COUNTS["visual"])

    @property
    def modalities(self) -> dict[str, ModalityEvidence]:
        """Both, by name."""
        return {"audio": self.audio, "visual": self.visual}

    @torch.no_grad()
    def encode(self, inputs: Inputs) -> list[Part]:
        """Return the directions of voice and face in their spaces, and the standardised measures of both.

        Raises
        ------
        ModelError
            If the embeddings are of other lengths than those of the training.
        """
        self.check(inputs)
        measures = all_measures(inputs)
        parts = [model.encode(inputs.streams[m], measures[m]) for m, model in self.modalities.items()]
        return [part for part, _ in parts] + [q for _, q in parts]

    @torch.no_grad()
    def score(self, encoded: Sequence[Part], enrol: np.ndarray, test: np.ndarray) -> np.ndarray:
        """Return the log-likelihood ratios (T,) float32, NaN where the sides have no modality in common."""
        total, found = np.zeros(len(enrol)), np.zeros(len(enrol), dtype=bool)
        for model, part, measures in zip(self.modalities.values(), encoded[:2], encoded[2:], strict=True):
            rows = np.flatnonzero(part.present[enrol] & part.present[test])
            total[rows] += model.cpu().evidence(model.sides(part, measures, enrol[rows], test[rows])).numpy()
            found[rows] = True
        return settle(np.where(found, total, np.nan))
