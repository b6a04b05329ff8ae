"""A fusion model that nobody needs, in a module of its own, as a contributor would write it."""

from __future__ import annotations

import torch

from avsieve.fusion.base import NeuralModel
from avsieve.fusion.neural import NeuralFusion
from avsieve.settings import Block, key


class SumSettings(Block):
    """Settings of the model below."""

    factor: float = key(1.0, "Weight of the face.", gt=0)


class SumNetwork(NeuralFusion):
    """Adds the first entries of both embeddings."""

    name = "sum"

    def __init__(self, audio_dim, visual_dim, dim, factor):
        super().__init__(audio_dim, visual_dim, dim)
        self.factor = factor
        self.audio = torch.nn.Linear(audio_dim, dim)
        self.visual = torch.nn.Linear(visual_dim, dim)

    def fuse(self, audio, visual):
        return self.audio(audio.pooled) + self.factor * self.visual(visual.pooled)


class Sum(NeuralModel[SumSettings]):
    """A model that nobody needs."""

    name = "sum"
    label = "weighted sum"
    settings = SumSettings

    @classmethod
    def build(cls, audio_dim, visual_dim, dim, own):
        return SumNetwork(audio_dim, visual_dim, dim, own.factor)
