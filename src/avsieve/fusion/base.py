"""What a fusion model is: from inputs to the parts whose cosines are averaged.

The configuration and the report load a model for its settings and its label, where there is neither numpy nor torch.
So what is registered imports both only inside its functions, and a network lies in a module of its own.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

from avsieve.settings import Block

if TYPE_CHECKING:
    from avsieve.evaluation.scoring import Part
    from avsieve.fusion.inputs import Inputs
    from avsieve.fusion.neural import NeuralFusion

S = TypeVar("S", bound=Block)
LENGTHS = ("audio_dim", "visual_dim", "dim")


class FusionModel(ABC):
    """Turn what is known of each utterance into one or more unit vectors.

    A trial's score is the mean of the parts' cosines over the parts that both of its sides have
    (`avsieve.evaluation.scoring.mean_of_cosines`). A model that fuses embeddings returns one part; one that fuses
    scores returns one part per modality. The same call serves scoring, nearest-speaker search and export.

    Attributes
    ----------
    name
        As in the registry, the configuration and the tables of results.
    label
        What the report calls it.
    trained
        Whether it is trained on a list; what is not is always evaluated.
    needs
        The modalities that somebody must have for it.
    averages
        Whether its score is the mean of the cosines of ``needs``: it can be scored by segments, too.
    settings
        Its own settings, in its entry of `fusion.models`.
    """

    name: ClassVar[str]
    label: ClassVar[str]
    trained: ClassVar[bool] = False
    needs: ClassVar[tuple[str, ...]] = ("audio", "visual")
    averages: ClassVar[bool] = False
    settings: ClassVar[type[Block]] = Block

    @abstractmethod
    def encode(self, inputs: Inputs) -> list[Part]:
        """Return the parts, each with one row per utterance; absent rows where nothing is known."""


class TrainedModel(FusionModel, Generic[S]):
    """A model whose network is trained.

    Parameters
    ----------
    audio_dim, visual_dim
        Length of the embeddings.
    dim
        Length of the fused embedding.
    own
        Its own settings.
    """

    trained = True

    def __init__(self, audio_dim: int, visual_dim: int, dim: int, own: S) -> None:
        self.own = own
        self.network = self.build(audio_dim, visual_dim, dim, own)

    @classmethod
    @abstractmethod
    def build(cls, audio_dim: int, visual_dim: int, dim: int, own: S) -> NeuralFusion:
        """Return a new network."""

    @property
    def shape(self) -> dict[str, Any]:
        """What builds it again: lengths and its own settings, by name."""
        return {name: getattr(self.network, name) for name in LENGTHS} | self.own.model_dump()

    def encode(self, inputs: Inputs) -> list[Part]:
        """Return the fused embeddings."""
        return self.network.encode(inputs)
