"""The heads of a VUT thesis on pooled embeddings as the registry knows them; networks in `avsieve.fusion.vut_network`.

Bahounek, "Audio-visual person verification", bachelor thesis, FIT VUT Brno, 2024, with his code. They are trained as
there: unit vectors, random first weights, AAM-softmax with its whole margin from the first step on, SGD, one factor on
the learning rate per epoch. Our choices: where a modality is missing, which the thesis does not have, the head is
closed to it; class centres are drawn from a normal distribution, with the variance of the source's uniform one; batches
are of nearly equal size, where the source has a last one that is shorter; the last epoch counts, where the source takes
the best on the test.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from avsieve.fusion import recipe
from avsieve.fusion.base import NeuralModel
from avsieve.fusion.reported import Reported
from avsieve.settings import key

if TYPE_CHECKING:
    from avsieve.fusion.vut_network import Mlp, VutGated, VutSoft


_SOURCE = "Bahounek, thesis, FIT VUT Brno, 2024"
_CLEAN = "Vox1-O, WavLM and MHFA on the centre 3 s, one face, VoxCeleb1-dev, best epoch on the test trials"


def thesis_figures(clean: str, damaged: str, protocol: str = _CLEAN) -> tuple[Reported, ...]:
    """Return the thesis's figures with frozen encoders: trained and tested undamaged, and both damaged."""
    both = f"{protocol}; one modality of 80 % of the utterances damaged, in training too"
    return Reported(clean, protocol, _SOURCE), Reported(damaged, both, _SOURCE)


class VutSettings(recipe.RecipeSettings):
    """Settings of the thesis's heads: its recipe."""

    length: recipe.Length = 512
    loss: recipe.LossSum = "aam"
    optimiser: recipe.OptimiserName = "sgd"
    learning_rate: recipe.LearningRate = 0.005
    schedule: recipe.ScheduleName = "exponential"
    decay: recipe.Decay = 0.7
    epochs: recipe.Epochs = 20
    batch_size: recipe.BatchSize = 80
    weight_decay: recipe.WeightDecay = 0.0
    l2_sp: recipe.L2SP = 0.0
    margin: recipe.MarginSize = 0.2
    margin_rises: recipe.MarginRises = False
    scale: recipe.Scale = 30.0
    drop_modality: recipe.DropModality = 0.0


class VutGatedSettings(VutSettings):
    """Settings of the gated head."""

    hidden: int = key(32, "Width of the gate's bottleneck.", ge=1)


class MlpSettings(VutSettings):
    """Settings of the three layers."""

    hidden: recipe.AtLeastOne | None = key(
        None, "Width of the first layer; nothing for that of both embeddings together. The thesis's text has 1024."
    )


class VutSoftModel(NeuralModel[VutSettings]):
    """Two weights, one for the voice and one for the face, from both embeddings."""

    name = "vut_soft"
    label = "soft attention (VUT)"
    reported = thesis_figures("EER 0.350 %, minDCF(0.01) 0.060", "EER 1.504 %, minDCF(0.01) 0.163")
    settings = VutSettings

    @classmethod
    def build(cls, audio_dim: int, visual_dim: int, dim: int, own: VutSettings) -> VutSoft:
        """Return a new network."""
        from avsieve.fusion.vut_network import VutSoft

        return VutSoft(audio_dim, visual_dim, own.length or dim)


class VutGatedModel(NeuralModel[VutGatedSettings]):
    """The network of `gated`, trained as published."""

    name = "vut_gated"
    label = "gated fusion (VUT)"
    reported = thesis_figures("EER 0.388 %, minDCF(0.01) 0.069", "EER 1.478 %, minDCF(0.01) 0.156")
    settings = VutGatedSettings

    @classmethod
    def build(cls, audio_dim: int, visual_dim: int, dim: int, own: VutGatedSettings) -> VutGated:
        """Return a new network."""
        from avsieve.fusion.vut_network import VutGated

        return VutGated(audio_dim, visual_dim, own.length or dim, own.hidden)


class MlpModel(NeuralModel[MlpSettings]):
    """Three layers over both embeddings."""

    name = "mlp"
    label = "three layers (VUT)"
    reported = (Reported("EER 1.169 %, minDCF(0.01) 0.146", _CLEAN, _SOURCE),)
    settings = MlpSettings

    @classmethod
    def build(cls, audio_dim: int, visual_dim: int, dim: int, own: MlpSettings) -> Mlp:
        """Return a new network."""
        from avsieve.fusion.vut_network import Mlp

        return Mlp(audio_dim, visual_dim, own.length or dim, own.hidden)
