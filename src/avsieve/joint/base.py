"""What a joint model is: from the signals of an utterance to the parts whose cosines are averaged.

The configuration and the report load a model for its settings and its label, where there is neither numpy nor torch.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, ClassVar, Generic, TypeVar

from avsieve.errors import ModelError
from avsieve.fusion.base import FusionModel
from avsieve.joint.settings import JointSettings

if TYPE_CHECKING:
    from torch import nn

    from avsieve.evaluation.scoring import Part
    from avsieve.fusion.inputs import Inputs
    from avsieve.fusion.recipe import Recipe
    from avsieve.joint.network import JointNetwork
    from avsieve.joint.reading import Channels, SignalReading
    from avsieve.training.criterion import Criterion

S = TypeVar("S", bound=JointSettings)


class JointModel(FusionModel, Generic[S]):
    """A model of signals, with both encoders inside.

    Its embeddings cannot be computed from those of the embedding stages: `train_joint` trains it, `embed_joint` embeds
    the utterances of the trials with it, and the evaluation scores what that wrote
    (`avsieve.joint.embedded.EmbeddedModel`).

    Attributes
    ----------
    parts
        Names of what it makes of an utterance: one fused embedding, or one of each modality.
    states
        Inner states that it reads of its encoders: modality -> names (`avsieve.encoders.states`).
    """

    trained = True
    joint = True
    settings: ClassVar[type[JointSettings]] = JointSettings
    parts: ClassVar[tuple[str, ...]] = ("fused",)

    @classmethod
    @abstractmethod
    def build(cls, own: S, audio: nn.Module, visual: nn.Module, dim: int) -> JointNetwork:
        """Return a new network around two encoders, for a fused embedding of ``dim`` unless its settings say other."""

    @classmethod
    def criterion(cls, network: JointNetwork, classes: int, recipe: Recipe, own: S) -> Criterion:
        """Return the loss that it is trained with: by default the sum that the recipe names, of its one part."""
        from avsieve.fusion.losses import SumOfLosses

        return SumOfLosses(recipe.losses, network.widths[0], classes, scale=recipe.scale)

    @classmethod
    def reading(cls, own: S, channels: Channels, *, training: bool) -> SignalReading:
        """Return what is read of an utterance's signals, in training or in scoring.

        By default a random piece of the voice and random faces in training; in scoring the middle of the voice, or all
        of it, and evenly spaced faces.

        Parameters
        ----------
        channels
            Order of the planes that the face encoder is fed with.
        """
        from avsieve.joint.reading import SignalReading

        if training:
            return SignalReading(own.crop_s, own.faces, "random", need="both", channels=channels)
        return SignalReading(own.test_crop_s, own.faces, "even", short="pad", need="either", channels=channels)

    def encode(self, inputs: Inputs) -> list[Part]:
        """Refuse: embeddings are not enough for it."""
        raise ModelError(f"{self.name} is a model of signals; embed the utterances with it first (embed_joint)")
