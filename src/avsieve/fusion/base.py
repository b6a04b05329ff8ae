"""What a fusion model is: from inputs to the parts whose cosines are averaged.

The configuration and the report load a model for its settings and its label, where there is neither numpy nor torch.
So what is registered imports both only inside its functions, and a network lies in a module of its own.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

from avsieve.settings import Block

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    import torch
    from torch import nn

    from avsieve.evaluation.scoring import Part
    from avsieve.fusion.inputs import Inputs
    from avsieve.fusion.neural import NeuralFusion
    from avsieve.fusion.reported import Reported
    from avsieve.fusion.twins import Twins
    from avsieve.fusion.two_streams import ScoringStreams

S = TypeVar("S", bound=Block)
LENGTHS = ("audio_dim", "visual_dim", "dim")
BEGUN = ("weights", "train")
"""Settings that say what a training begins with (`avsieve.fusion.recipe.StartSettings`): no part of a network."""


class FusionModel(ABC):
    """Turn what is known of each utterance into one or more parts, and two utterances' parts into a score.

    Parts are unit vectors, and a trial's score is the mean of their cosines over the parts that both of its sides have
    (`avsieve.evaluation.scoring.mean_of_cosines`), unless a model has a `score` of its own. A model that fuses
    embeddings returns one part; one that fuses scores returns one part per modality. The same call serves scoring,
    nearest-speaker search and export.

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
    cosines
        Whether its score is the mean of the cosines of its parts: only such scores are normalised by a cohort.
    calibrated
        Whether its score is a log-likelihood ratio: it then has a threshold by itself.
    sequences
        The sequences that it reads beside pooled embeddings: names of `audio.segments`, and `FRAMES`
        (`avsieve.storage.sequence_names`). A run gives it these, and refuses it where they are not configured.
    settings
        Its own settings, in its entry of `fusion.models`.
    twins
        Whether it learns from damaged twins of the training utterances, where a run makes any (`avsieve.fusion.twins`).
    reported
        What its paper or repository reports.
    joint
        Whether it has encoders of its own and is trained on signals (`avsieve.joint`).
    embedding_s
        Seconds that an utterance took before `encode`, in a job of its own; 0 where there was none.
    """

    name: ClassVar[str]
    label: ClassVar[str]
    trained: ClassVar[bool] = False
    needs: ClassVar[tuple[str, ...]] = ("audio", "visual")
    averages: ClassVar[bool] = False
    cosines: ClassVar[bool] = True
    calibrated: ClassVar[bool] = False
    sequences: ClassVar[tuple[str, ...]] = ()
    twins: ClassVar[bool] = False
    settings: ClassVar[type[Block]] = Block
    reported: ClassVar[tuple[Reported, ...]] = ()
    joint: ClassVar[bool] = False
    embedding_s: float = 0.0

    @classmethod
    def reads(cls, own: Block) -> tuple[str, ...]:
        """Return the ``sequences`` that it reads with settings of its own."""
        return cls.sequences

    @abstractmethod
    def encode(self, inputs: Inputs) -> list[Part]:
        """Return the parts, each with one row per utterance; absent rows where nothing is known."""

    def score(self, encoded: Sequence[Part], enrol: np.ndarray, test: np.ndarray) -> np.ndarray:
        """Score trials.

        Parameters
        ----------
        encoded
            What `encode` returned.
        enrol, test
            (T,) rows of it.

        Returns
        -------
        (T,) float32, NaN where the two sides have nothing that can be compared; higher means "same person".
        """
        from avsieve.evaluation.scoring import mean_of_cosines

        return mean_of_cosines(encoded, enrol, test)


class TrainedModel(FusionModel, Generic[S]):
    """A model that is trained on a list.

    Its `network` is a module of torch that holds all that is learned, as parameters or buffers, and the lengths
    `LENGTHS` as attributes.

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
    def build(cls, audio_dim: int, visual_dim: int, dim: int, own: S) -> nn.Module:
        """Return a new network."""

    @property
    def is_trained(self) -> bool:
        """Whether it learns from the list, and does not stay at the weights that its settings name."""
        return bool(getattr(self.own, "train", True))

    @property
    def shape(self) -> dict[str, Any]:
        """What builds it again: lengths and its own settings, by name."""
        return {name: getattr(self.network, name) for name in LENGTHS} | self.own.model_dump(exclude=set(BEGUN))


class FittedModel(TrainedModel[S]):
    """A model that is fitted to pairs of the list's utterances and scores trials in a way of its own."""

    cosines = False
    twins = True
    network: ScoringStreams

    @abstractmethod
    def fit(
        self, inputs: Inputs, speakers: Sequence[str], *, seed: int, device: torch.device, twins: Twins | None = None
    ) -> list[float]:
        """Fit the network in place; it ends on ``device``, in evaluation mode.

        Parameters
        ----------
        inputs, speakers
            The training utterances and the speaker of each.
        seed
            Of all that is drawn.
        twins
            Damaged twins of the utterances, where `fusion.twins` makes any: what teaches it what quality is worth.

        Returns
        -------
        The loss before and after.

        Raises
        ------
        TooFewError
            If there are too few people, or utterances of them, to train on.
        """

    def encode(self, inputs: Inputs) -> list[Part]:
        """Return what scores are made of: a part per modality, then the quality measures of each."""
        return self.network.encode(inputs)

    def score(self, encoded: Sequence[Part], enrol: np.ndarray, test: np.ndarray) -> np.ndarray:
        """Return the scores (T,) float32, NaN where the two sides have nothing that can be compared."""
        return self.network.score(encoded, enrol, test)


class NeuralModel(TrainedModel[S]):
    """A model whose network turns both embeddings into one, and learns to tell the list's speakers apart.

    `avsieve.fusion.training.train_fusion` trains it, and is not imported here: whatever knows a model by its label
    would depend on the training.
    """

    network: NeuralFusion

    def __init__(self, audio_dim: int, visual_dim: int, dim: int, own: S) -> None:
        super().__init__(audio_dim, visual_dim, dim, own)
        self.begun_at: dict[str, Any] = {}
        """What is known of the weights that its training began with, where its settings named some."""

    def encode(self, inputs: Inputs) -> list[Part]:
        """Return the fused embeddings."""
        return self.network.encode(inputs)
