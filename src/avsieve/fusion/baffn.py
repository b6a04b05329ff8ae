"""BAFFN and the two heads it is compared with, as the registry knows them; networks in `avsieve.fusion.baffn_network`.

"Bimodal adaptive feature fusion network", code at github.com/ZQSong1997/AVMFN-For-Person-Verification. They are trained
as there: unit vectors, Xavier's first weights, cross entropy, AMSGrad, and voices and faces that are paired anew within
a speaker, once. The other losses of the source are `am` and `aam` (margin 0.1, scale 80 and 60), `ce + 0.2 centre` and
`0.6 ce + 0.4 centre`; it does not say which gave its result. Our choices: where a modality is missing, which the source
does not have, the head is closed to it; batches are of nearly equal size, where the source drops the last one; the last
epoch counts, where the source takes the best on the test.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from avsieve.fusion import recipe
from avsieve.fusion.base import NeuralModel
from avsieve.fusion.reported import Reported
from avsieve.settings import key

if TYPE_CHECKING:
    from avsieve.fusion.baffn_network import BaffnAttention, BaffnConcat, BaffnGated


class BaffnSettings(recipe.StartSettings):
    """Settings of BAFFN: its recipe."""

    length: recipe.Length = 1024
    loss: recipe.LossSum = "ce"
    optimiser: recipe.OptimiserName = "amsgrad"
    learning_rate: recipe.LearningRate = 1e-3
    schedule: recipe.ScheduleName = "inverse"
    decay: recipe.Decay = 1e-4
    epochs: recipe.Epochs = 60
    batch_size: recipe.BatchSize = 64
    weight_decay: recipe.WeightDecay = 1e-4
    l2_sp: recipe.L2SP = 0.0
    margin: recipe.MarginSize = 0.1
    margin_rises: recipe.MarginRises = False
    scale: recipe.Scale = 60.0
    drop_modality: recipe.DropModality = 0.0
    pairs: int = key(
        80_000,
        "Number of pairs of a voice and a face of one speaker that are drawn once to train on; 0 trains on the "
        "utterances as they are.",
        ge=0,
    )
    dropout: float = key(0.5, "Share of the projected entries that are dropped in training.", ge=0, lt=1)


class BaffnWeightedSettings(BaffnSettings):
    """Settings of the gate and of the attention."""

    published_scoring: bool = key(
        False,
        "Whether scores skip batch normalisation, as in the source, where it is a mistake; to repeat its figures.",
    )


class BaffnConcatSettings(BaffnSettings):
    """Settings of the concatenation."""

    hidden: int = key(2048, "Width of the first layer.", ge=1)
    dropout: float = key(0.7, "Share of the entries that are dropped in training, after either layer.", ge=0, lt=1)


class BaffnGatedModel(NeuralModel[BaffnWeightedSettings]):
    """One matrix decides, for each dimension, how much voice and how much face."""

    name = "baffn_gated"
    label = "gated fusion (BAFFN)"
    reported = (
        Reported(
            "EER 0.548 %",
            "20 draws of random pairs of a voice and a face of 40 VoxCeleb1 speakers, RawNet2 and FaceNet, best epoch "
            "on the test trials",
            "repository of BAFFN",
        ),
    )
    settings = BaffnWeightedSettings

    @classmethod
    def build(cls, audio_dim: int, visual_dim: int, dim: int, own: BaffnWeightedSettings) -> BaffnGated:
        """Return a new network."""
        from avsieve.fusion.baffn_network import BaffnGated

        return BaffnGated(
            audio_dim, visual_dim, own.length or dim, own.dropout, published_scoring=own.published_scoring
        )


class BaffnAttentionModel(NeuralModel[BaffnWeightedSettings]):
    """One matrix decides how much voice and how much face, with one weight for each."""

    name = "baffn_attention"
    label = "soft attention (BAFFN)"
    settings = BaffnWeightedSettings

    @classmethod
    def build(cls, audio_dim: int, visual_dim: int, dim: int, own: BaffnWeightedSettings) -> BaffnAttention:
        """Return a new network."""
        from avsieve.fusion.baffn_network import BaffnAttention

        return BaffnAttention(
            audio_dim, visual_dim, own.length or dim, own.dropout, published_scoring=own.published_scoring
        )


class BaffnConcatModel(NeuralModel[BaffnConcatSettings]):
    """Two layers over both embeddings."""

    name = "baffn_concat"
    label = "two layers (BAFFN)"
    settings = BaffnConcatSettings

    @classmethod
    def build(cls, audio_dim: int, visual_dim: int, dim: int, own: BaffnConcatSettings) -> BaffnConcat:
        """Return a new network."""
        from avsieve.fusion.baffn_network import BaffnConcat

        return BaffnConcat(audio_dim, visual_dim, own.length or dim, own.hidden, own.dropout)
