"""Learned concatenation: one matrix over both embeddings, the plainest model that is trained."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from avsieve.fusion.inputs import Inputs
from avsieve.fusion.neural import NeuralFusion
from avsieve.fusion.stream_batch import StreamBatch


class LinearConcatenation(NeuralFusion):
    """``e = W [a; v]``, started at the discriminant directions of the training data.

    Whatever a gate gains over this, it gains by being a gate.
    """

    name = "linear"

    def __init__(self, audio_dim: int, visual_dim: int, dim: int) -> None:
        super().__init__(audio_dim, visual_dim, dim)
        self.projection = nn.Linear(audio_dim + visual_dim, dim, bias=False)

    @torch.no_grad()
    def start_at_data(self, inputs: Inputs, labels: np.ndarray) -> None:
        """Turn the projection to the discriminant directions."""
        self.projection.weight.copy_(torch.from_numpy(self.first_projection(inputs, labels, 1.0)))

    def fuse(self, audio: StreamBatch, visual: StreamBatch) -> Tensor:
        """Return (B, dim); a missing modality adds nothing."""
        return self.projection(torch.cat([audio.pooled, visual.pooled], dim=1))
