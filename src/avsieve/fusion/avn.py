"""AVN-E as the registry knows it; the network is in `avsieve.fusion.avn_network`.

Qian, Chen and Wang, "Audio-visual deep neural network for robust person verification", IEEE/ACM TASLP 29, 2021: the
embedding-level form. A gate fuses the embedding of a voice and the mean of an utterance's face embeddings, here with
`visual.pooling: mean`; by default that mean is weighted by the quality of faces. In training, embeddings are perturbed
by noise of the distribution that damaged signals show.

How the paper fits that noise, and its loss, optimiser and schedule, are not known to us. Our choices: `fusion` says how
to train; first weights are random, so nothing holds the network to them (`l2_sp`); the noise stands for a missing
modality, so none is dropped. The noise is Gaussian, with the mean and the covariance of what damage did to twins of
training utterances (`fusion.twins`). In a run without twins its covariance is that of the deviations of embeddings from
their speaker's mean, of people in two videos or more; this counts wrong labels as noise, a little too much of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from avsieve.fusion import recipe
from avsieve.fusion.base import NeuralModel
from avsieve.fusion.reported import Reported
from avsieve.settings import Positive, Share, key

if TYPE_CHECKING:
    from avsieve.fusion.avn_network import AvnE


class AvnESettings(recipe.RecipeSettings):
    """Settings of AVN-E."""

    l2_sp: recipe.L2SP = 0.0
    drop_modality: recipe.DropModality = 0.0
    noisy: Share = key(0.5, "Share of the training rows of which one modality is perturbed.")
    noise: Positive | None = key(
        None,
        "Size of the perturbation, in units of what damage does to twins (`fusion.twins`), or without twins of how an "
        "utterance deviates from its speaker's mean; 1 with twins and 2 without them unless given.",
    )


class AvnEModel(NeuralModel[AvnESettings]):
    """A gate per dimension, trained on embeddings of which one modality is perturbed."""

    name = "avn_e"
    label = "gated fusion with noise (AVN-E)"
    twins = True
    settings = AvnESettings
    reported = (
        Reported(
            "EER 0.558 / 0.441 / 0.793 %",
            "Vox1-O / E / H, VoxCeleb2-dev; the best single system of the paper, not this head",
            "Qian, Chen and Wang, TASLP 29, 2021, abstract",
        ),
    )

    @classmethod
    def build(cls, audio_dim: int, visual_dim: int, dim: int, own: AvnESettings) -> AvnE:
        """Return a new network."""
        from avsieve.fusion.avn_network import AvnE

        return AvnE(audio_dim, visual_dim, own.length or dim, own.noisy, own.noise)
