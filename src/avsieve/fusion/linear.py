"""Linear fusion as the registry knows it; the network is in `avsieve.fusion.linear_network`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from avsieve.fusion.base import NeuralModel
from avsieve.settings import Block

if TYPE_CHECKING:
    from avsieve.fusion.linear_network import LinearConcatenation


class Linear(NeuralModel[Block]):
    """One matrix over both embeddings, the plainest model that is trained."""

    name = "linear"
    label = "linear fusion"

    @classmethod
    def build(cls, audio_dim: int, visual_dim: int, dim: int, own: Block) -> LinearConcatenation:
        """Return a new network."""
        from avsieve.fusion.linear_network import LinearConcatenation

        return LinearConcatenation(audio_dim, visual_dim, dim)
