"""AVN-F and AVN-J: fusion of feature maps, and of embeddings with the encoders trained along.

Qian, Chen and Wang, "Audio-visual deep neural network for robust person verification", IEEE/ACM TASLP 29, 2021.

AVN-F: each branch ends in a map of 64 channels, M_a of the voice and M_v of the face. An attention weighs the channels,
both maps are put side by side (128 channels), and one trunk makes the embedding:

- attention 1: c = [mean of M_a; mean of M_v], (alpha_a, alpha_v) = sigmoid(W_2 ReLU(W_1 c + b_1) + b_2), of lengths
  128, 8 and 128: 2,184 parameters;
- attention 2: the same of maps that a convolution makes of M_a and M_v;
- attention 3: the same, but one number per modality, 128 -> 8 -> 2: 1,050 parameters behind the convolutions.

AVN-J: the head of AVN-E (`avsieve.fusion.avn`) with both encoders trained along, its noise on embeddings included.

What the paper's text says of branches, trunk, loss and optimiser is not known to us. Our choices: the branches are the
encoders up to an inner state, then a convolution of width 1 to 64 channels; a map's places (frames, or pixels row by
row, the mean over an utterance's faces) become `positions` by adaptive averaging, so that both maps fit side by side;
the convolutions of attention 2 and 3 have width 3; alpha is a sigmoid; the trunk has two convolutions of width 3 with
batch normalisation, the mean and the standard deviation over positions, and a linear layer. "Feature-level
augmentation", one modality of a pair badly corrupted, is done to the signals (`augmentation: avn`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from avsieve.encoders.registry import AUDIO, VISUAL, offered_states
from avsieve.fusion import recipe
from avsieve.fusion.reported import Reported
from avsieve.joint.base import JointModel
from avsieve.joint.settings import Augmentation, JointSettings
from avsieve.settings import Positive, Share, key

if TYPE_CHECKING:
    from torch import nn

    from avsieve.joint.network import JointNetwork

_REPORTED = (
    Reported(
        "EER 0.558 / 0.441 / 0.793 %",
        "Vox1-O / E / H, VoxCeleb2-dev; the best single system of the paper, whichever it is",
        "Qian, Chen and Wang, TASLP 29, 2021, abstract",
    ),
)


class AvnSettings(JointSettings):
    """What AVN-F and AVN-J have in common."""

    l2_sp: recipe.L2SP = 0.0
    drop_modality: recipe.DropModality = 0.0
    faces: int = key(1, "Faces of an utterance, in training and in scoring, at most.", ge=1)
    augmentation: Augmentation = key(
        "avn", "What training does to the signals: `none`, or the recipe of `avcleanse`, `vut` or `avn`."
    )


class AvnFSettings(AvnSettings):
    """Settings of AVN-F."""

    attention: Literal[1, 2, 3] = key(2, "Which of the paper's attention modules.")
    audio_state: str | None = key(
        None, "Inner state of the speaker encoder that its branch ends with; the last one unless given."
    )
    visual_state: str | None = key(
        None, "Inner state of the face encoder that its branch ends with; the last one unless given."
    )
    positions: int = key(16, "Places of a map, in time or in the picture.", ge=1)
    width: int = key(256, "Channels of the trunk.", ge=1)

    def states(self) -> tuple[str, str]:
        """Return the inner states that it reads.

        Raises
        ------
        ConfigError
            If an encoder has no inner states, or none of that name.
        """
        found = []
        for table, arch, name, owner in (
            (AUDIO, self.audio_arch, self.audio_state, "audio_arch"),
            (VISUAL, self.visual_arch, self.visual_state, "visual_arch"),
        ):
            found.append(offered_states(table, arch, None if name is None else [name], key=owner)[-1].name)
        return found[0], found[1]

    def check(self) -> None:
        """Refuse encoders without the states (`ConfigError`)."""
        self.states()


class AvnJSettings(AvnSettings):
    """Settings of AVN-J."""

    noisy: Share = key(0.5, "Share of the training rows of which one modality's embedding is perturbed.")
    noise: Positive | None = key(
        None, "Size of the perturbation, in units of how an utterance deviates from its speaker's mean; 2 unless given."
    )


class AvnFModel(JointModel[AvnFSettings]):
    """Attention over the feature maps of both branches, then one trunk."""

    name = "avn_f"
    label = "fusion of feature maps (AVN-F)"
    settings = AvnFSettings
    reported = _REPORTED

    @classmethod
    def build(cls, own: AvnFSettings, audio: nn.Module, visual: nn.Module, dim: int) -> JointNetwork:
        """Return a new network."""
        from avsieve.joint.avn_network import AvnF

        return AvnF(
            audio,
            visual,
            own.states(),
            own.length or dim,
            attention=own.attention,
            positions=own.positions,
            width=own.width,
            **own.learning,
        )


class AvnJModel(JointModel[AvnJSettings]):
    """The gate of AVN-E with both encoders trained along."""

    name = "avn_j"
    label = "gated fusion with noise, encoders too (AVN-J)"
    settings = AvnJSettings
    reported = _REPORTED

    @classmethod
    def build(cls, own: AvnJSettings, audio: nn.Module, visual: nn.Module, dim: int) -> JointNetwork:
        """Return a new network."""
        from avsieve.fusion.avn_network import AvnE
        from avsieve.joint.heads import HeadNetwork

        head = AvnE(audio.dim, visual.dim, own.length or dim, own.noisy, own.noise)  # type: ignore[arg-type]
        return HeadNetwork(audio, visual, head, **own.learning)
