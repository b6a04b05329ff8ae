"""Gated fusion as the registry knows it; the network is in `avsieve.fusion.gated_network`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from avsieve.fusion.base import NeuralModel
from avsieve.settings import Block, key

if TYPE_CHECKING:
    from avsieve.fusion.gated_network import GatedFusion


class GatedSettings(Block):
    """Settings of the gated fusion."""

    hidden: int = key(32, "Width of the gate's bottleneck.", ge=1)


class Gated(NeuralModel[GatedSettings]):
    """A small network decides, for each dimension, how much voice and how much face."""

    name = "gated"
    label = "gated fusion"
    settings = GatedSettings

    @classmethod
    def build(cls, audio_dim: int, visual_dim: int, dim: int, own: GatedSettings) -> GatedFusion:
        """Return a new network."""
        from avsieve.fusion.gated_network import GatedFusion

        return GatedFusion(audio_dim, visual_dim, dim, own.hidden)
