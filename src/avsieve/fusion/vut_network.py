"""The heads of a VUT thesis on pooled embeddings: soft attention, gate and three layers; see `avsieve.fusion.vut`.

Inputs are unit vectors, the first weights random. Batch normalisation is the same layer in training and in scoring.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from avsieve.fusion.gated_network import GatedFusion
from avsieve.fusion.missing import close_gate
from avsieve.fusion.neural import NeuralFusion
from avsieve.fusion.stream_batch import StreamBatch


class VutSoft(NeuralFusion):
    """Soft attention.

        w = softmax(W [a; v] + b)        e = w_a (W_a a + b_a) + w_v (W_v v + b_v)

    For embeddings of 256 and 512 and a fused length of 512: 395,778 parameters.

    Parameters
    ----------
    audio_dim, visual_dim, dim
        Lengths of the embeddings.
    """

    name = "vut_soft"
    centred = False
    from_data = False

    def __init__(self, audio_dim: int, visual_dim: int, dim: int) -> None:
        super().__init__(audio_dim, visual_dim, dim)
        self.audio_projection = nn.Linear(audio_dim, dim)
        self.visual_projection = nn.Linear(visual_dim, dim)
        self.attention = nn.Linear(audio_dim + visual_dim, 2)

    def gate(self, audio: StreamBatch, visual: StreamBatch) -> Tensor:
        """Return the weight of the voice (B, 1); the face has the rest."""
        weights = torch.softmax(self.attention(torch.cat([audio.pooled, visual.pooled], dim=1)), dim=1)
        return close_gate(weights[:, :1], audio.present, visual.present)

    def fuse(self, audio: StreamBatch, visual: StreamBatch) -> Tensor:
        """Return (B, dim)."""
        w = self.gate(audio, visual)
        return w * self.audio_projection(audio.pooled) + (1 - w) * self.visual_projection(visual.pooled)


class VutGated(GatedFusion):
    """The gated head: 435,808 parameters for embeddings of 256 and 512, fused length 512 and bottleneck 32."""

    name = "vut_gated"
    centred = False
    from_data = False


class Mlp(NeuralFusion):
    """Three layers over the concatenation; the first two with batch normalisation and ReLU.

    Where a modality is missing it adds nothing to the first layer.

    Parameters
    ----------
    audio_dim, visual_dim, dim
        Lengths of the embeddings.
    hidden
        Width of the first layer; None for that of its input, as in the code of the thesis.
    """

    name = "mlp"
    centred = False
    from_data = False

    def __init__(self, audio_dim: int, visual_dim: int, dim: int, hidden: int | None = None) -> None:
        super().__init__(audio_dim, visual_dim, dim)
        both = audio_dim + visual_dim
        width = hidden or both
        self.layers = nn.Sequential(
            nn.Linear(both, width),
            nn.BatchNorm1d(width),
            nn.ReLU(),
            nn.Linear(width, dim),
            nn.BatchNorm1d(dim),
            nn.ReLU(),
            nn.Linear(dim, dim),
        )

    def fuse(self, audio: StreamBatch, visual: StreamBatch) -> Tensor:
        """Return (B, dim)."""
        return self.layers(torch.cat([audio.pooled, visual.pooled], dim=1))
