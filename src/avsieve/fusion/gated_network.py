"""Gated fusion: a small network decides, for each dimension, how much voice and how much face.

    z = sigmoid(W2 ReLU(BN(W1 [a; v])))        e = z * tanh(Wa a) + (1 - z) * tanh(Wv v)

after Bahounek ("Audio-visual person verification", thesis, FIT VUT Brno, 2024, gated head), itself a form of the gated
multimodal unit (Arevalo et al., 2017). Three known traps are avoided: batch normalisation is the same layer in training
and in scoring (by its running statistics), it is not shared between an input and the output, and no dropout lies on the
gate's logits.

With a few hundred utterances a random start would forget what the encoders know. So the projections start at the
discriminant directions of the training data, small enough for tanh to be nearly linear, and the gate at one half: the
untrained network scores like a whitened concatenation, and training departs from there. Where a modality is missing the
gate is closed to it.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from avsieve.fusion.inputs import Inputs
from avsieve.fusion.missing import close_gate
from avsieve.fusion.neural import NeuralFusion
from avsieve.fusion.stream_batch import StreamBatch

START_SIZE = 0.4  # root mean square before tanh at the start: tanh(0.4) = 0.38


class GatedFusion(NeuralFusion):
    """The gated head.

    Parameters
    ----------
    audio_dim, visual_dim, dim
        Lengths of the embeddings.
    hidden
        Width of the gate's bottleneck; the thesis has 32.
    """

    name = "gated"

    def __init__(self, audio_dim: int, visual_dim: int, dim: int, hidden: int) -> None:
        super().__init__(audio_dim, visual_dim, dim)
        self.audio_projection = nn.Linear(audio_dim, dim)
        self.visual_projection = nn.Linear(visual_dim, dim)
        self.gate_in = nn.Linear(audio_dim + visual_dim, hidden)
        self.gate_norm = nn.BatchNorm1d(hidden)
        self.gate_out = nn.Linear(hidden, dim)
        nn.init.normal_(self.gate_out.weight, std=0.01)
        nn.init.zeros_(self.gate_out.bias)

    @torch.no_grad()
    def start_at_data(self, inputs: Inputs, labels: np.ndarray) -> None:
        """Turn the projections to the discriminant directions."""
        weight = torch.from_numpy(self.first_projection(inputs, labels, START_SIZE))
        self.audio_projection.weight.copy_(weight[:, : self.audio_dim])
        self.visual_projection.weight.copy_(weight[:, self.audio_dim :])
        nn.init.zeros_(self.audio_projection.bias)
        nn.init.zeros_(self.visual_projection.bias)

    def gate(self, audio: StreamBatch, visual: StreamBatch) -> Tensor:
        """Return z (B, dim): 1 is all voice, 0 all face."""
        both = torch.cat([audio.pooled, visual.pooled], dim=1)
        z = torch.sigmoid(self.gate_out(torch.relu(self.gate_norm(self.gate_in(both)))))
        return close_gate(z, audio.present, visual.present)

    def fuse(self, audio: StreamBatch, visual: StreamBatch) -> Tensor:
        """Return (B, dim)."""
        z = self.gate(audio, visual)
        voice, face = self.audio_projection(audio.pooled), self.visual_projection(visual.pooled)
        return z * torch.tanh(voice) + (1 - z) * torch.tanh(face)
