"""Mask bands of the features in training (SpecAugment, Park et al., Interspeech 2019)."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from avsieve.errors import ConfigError


class Masked(nn.Module):
    """An encoder with ``fbank`` and ``embed`` whose features are masked in training (SpecAugment, Park et al. 2019).

    One band of up to ``share`` of the frames and one of up to ``share`` of the mel bands are set to 0, their mean.
    With a ``share`` of 0 any encoder of waveforms will do.

    Raises
    ------
    ConfigError
        If there is something to mask and the encoder has no features.
    """

    encoder: Any

    def __init__(self, encoder: nn.Module, share: float) -> None:
        super().__init__()
        if share > 0 and not (hasattr(encoder, "fbank") and hasattr(encoder, "embed")):
            raise ConfigError(
                f"mask is {share}, and {type(encoder).__name__} has no filter banks to mask; expected 0 for it"
            )
        self.encoder = encoder
        self.share = share
        # Drawn on the CPU, so that a GPU masks the same; of its own, so that dropout changes nothing.
        self._generator = torch.Generator()
        self._rank, self._world = 0, 1

    def begin(self, seed: int, rank: int, world: int) -> None:
        """Draw from ``seed`` for the whole batch, and take the part of process ``rank`` of ``world``."""
        self._generator.manual_seed(seed)
        self._rank, self._world = rank, world

    def forward(self, waves: Tensor) -> Tensor:
        """Map (B, samples) to (B, dim)."""
        embedding: Tensor
        if not self.training or self.share == 0:
            embedding = self.encoder(waves)
            return embedding
        rows = len(waves)
        draws = torch.rand(rows * self._world, 4, generator=self._generator)[self._rank * rows :][:rows]
        with torch.no_grad():
            features = mask_bands(self.encoder.fbank(waves), 1, self.share, draws[:, :2])
            features = mask_bands(features, 2, self.share, draws[:, 2:])
        embedding = self.encoder.embed(features)
        return embedding


def mask_bands(features: Tensor, axis: int, share: float, draws: Tensor) -> Tensor:
    """Set a band of each row to 0: along ``axis`` (1 bands, 2 frames), less than ``share`` of it wide.

    Width and place follow from ``draws`` (B, 2), evenly distributed from 0 to below 1.
    """
    size = features.shape[axis]
    width = (draws[:, :1] * max(1, int(share * size))).long()
    start = (draws[:, 1:] * (size - width)).long()
    steps = torch.arange(size)[None]
    hidden = ((steps >= start) & (steps < start + width)).to(features.device)
    return features.masked_fill(hidden[:, :, None] if axis == 1 else hidden[:, None, :], 0.0)
