"""The VUT thesis's systems that need more than embeddings: encoders trained along, inner states, faces frame by frame.

See `avsieve.fusion.vut` for its heads alone.

Bahounek, "Audio-visual person verification", bachelor thesis, FIT VUT Brno, 2024, with his code: the centre 3 s of a
voice (WavLM Base+ with MHFA), one face of 112 pixels (Inception-ResNet-V1), a head over both embeddings, and learning
rates by layer: 1e-5 x 1.45^l for the twelve blocks of WavLM, whose convolutions stay as they are, 1e-3 for the MHFA,
1e-5 x 1.4^i for the thirteen stages of the face network, where the head has 0.005. The thesis has one encoder of each
kind; here any that can be trained has rates that rise by layer in the same way.

`vut_lower` looks at inner states as well. h_i is the mean over time of a layer of WavLM, m_i the mean over channels of
a map of the face network, both of length 1; a and v are the embeddings:

    w = softmax((L_1 [h_1; m_1] + L_2 [h_2; m_2] + L_3 [h_3; m_3] + L_4 [a; v]) / 4)
    e = w_a (W_a a + b_a) + w_v (W_v v + b_v)

`vut_video_frames`, head (d) of its videos, weighs voice against face in every frame t of the voice. q_t is a weighted
sum of WavLM's layers, of length 1, f_t the face of that time:

    (alpha_t, beta_t) = softmax(W [q_t; f_t] + b)
    a = MHFA with its values times alpha_t, of length 1       v = mean over t of beta_t (W_f f_t + b_f), of length 1
    e = W_a a + b_a + W_v v + b_v

The thesis repeats faces up to the rate of WavLM's frames and gives what is left over to frames drawn at random, in
scoring too; here f_t is the face that is nearest in time.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

from avsieve.encoders.registry import AUDIO, VISUAL, offered_states
from avsieve.errors import ConfigError
from avsieve.fusion.vut import VutSettings, thesis_figures
from avsieve.joint.base import JointModel
from avsieve.joint.settings import Augmentation, JointSettings
from avsieve.settings import Positive, key

if TYPE_CHECKING:
    from torch import nn

    from avsieve.joint.network import JointNetwork
    from avsieve.joint.reading import Channels, SignalReading

_AUDIO_STATES = ("layer1", "layer3", "layer5")
_VISUAL_STATES = ("conv2d_2a", "conv2d_4a", "repeat_1")
_LEVELS = 3
_JOINT = (
    "Vox1-O, WavLM and MHFA on the centre 3 s, one face, all trained on VoxCeleb1-dev, best epoch on the test trials"
)


class VutJointSettings(VutSettings, JointSettings):
    """The thesis's recipe."""

    crop_s: Positive = key(3.0, "Length of the voice in training, in seconds.")
    test_crop_s: Positive | None = key(3.0, "Length of the voice in scoring, from the middle, in seconds.")
    faces: int = key(1, "Faces of an utterance, in training and in scoring, at most.", ge=1)
    augmentation: Augmentation = key(
        "vut", "What training does to the signals: `none`, or the recipe of `avcleanse`, `vut` or `avn`."
    )
    rates: Literal["layers", "one"] = key(
        "layers", "Learning rates of the encoders: rising from `layers` to layer, or `one`, `encoder_rate`."
    )

    @property
    def learning(self) -> dict[str, Any]:
        """How the encoders learn, by layers or not."""
        return super().learning | {"by_layers": self.rates == "layers"}


class VutJointGatedSettings(VutJointSettings):
    """Settings of the gated head."""

    hidden: int = key(32, "Width of the gate's bottleneck.", ge=1)


class VutJointSoftModel(JointModel[VutJointSettings]):
    """Both encoders under the soft attention of `vut_soft`."""

    name = "vut_joint_soft"
    label = "soft attention, encoders too (VUT)"
    settings = VutJointSettings
    reported = thesis_figures("EER 0.324 %, minDCF(0.01) 0.059", "EER 1.132 %, minDCF(0.01) 0.151", _JOINT)

    @classmethod
    def build(cls, own: VutJointSettings, audio: nn.Module, visual: nn.Module, dim: int) -> JointNetwork:
        """Return a new network."""
        from avsieve.fusion.vut_network import VutSoft
        from avsieve.joint.vut_network import VutHead

        return VutHead(audio, visual, VutSoft(audio.dim, visual.dim, own.length or dim), **own.learning)  # type: ignore[arg-type]


class VutJointGatedModel(JointModel[VutJointGatedSettings]):
    """Both encoders under the gate of `vut_gated`."""

    name = "vut_joint_gated"
    label = "gated fusion, encoders too (VUT)"
    settings = VutJointGatedSettings
    reported = thesis_figures("EER 0.388 %, minDCF(0.01) 0.063", "EER 1.021 %, minDCF(0.01) 0.134", _JOINT)

    @classmethod
    def build(cls, own: VutJointGatedSettings, audio: nn.Module, visual: nn.Module, dim: int) -> JointNetwork:
        """Return a new network."""
        from avsieve.fusion.vut_network import VutGated
        from avsieve.joint.vut_network import VutHead

        head = VutGated(audio.dim, visual.dim, own.length or dim, own.hidden)  # type: ignore[arg-type]
        return VutHead(audio, visual, head, **own.learning)


class VutLowerSettings(VutJointSettings):
    """Settings of the lower-level soft attention."""

    audio_states: list[str] = key(
        list,
        "Three inner states of the speaker encoder that attention looks at. By default `layer1`, `layer3`, `layer5` of "
        "WavLM, as the thesis's code has them (its text: 2, 4, 6), and three evenly chosen ones of another encoder.",
    )
    visual_states: list[str] = key(
        list,
        "Three inner states of the face encoder. By default `conv2d_2a`, `conv2d_4a` and `repeat_1` of "
        "Inception-ResNet-V1, and of another encoder three evenly chosen ones.",
    )

    def states(self) -> tuple[list[str], list[str]]:
        """Return the inner states that it reads.

        Raises
        ------
        ConfigError
            If an encoder has no inner states or not these, or not three are named.
        """
        found = []
        for table, arch, names, published, owner in (
            (AUDIO, self.audio_arch, self.audio_states, _AUDIO_STATES, "audio"),
            (VISUAL, self.visual_arch, self.visual_states, _VISUAL_STATES, "visual"),
        ):
            offered = [layer.name for layer in offered_states(table, arch, names or None, key=f"{owner}_arch")]
            if names and len(names) != _LEVELS:
                raise ConfigError(f"{owner}_states are {len(names)}; expected {_LEVELS}")
            if not names and set(published) <= set(offered):
                offered = list(published)
            elif not names:
                offered = [offered[(2 * k + 1) * len(offered) // (2 * _LEVELS)] for k in range(_LEVELS)]
            found.append(offered)
        return found[0], found[1]

    def check(self) -> None:
        """Refuse encoders without the states (`ConfigError`)."""
        self.states()


class VutLowerModel(JointModel[VutLowerSettings]):
    """Soft attention that looks at inner states of both encoders, too."""

    name = "vut_lower"
    label = "lower-level soft attention (VUT)"
    settings = VutLowerSettings
    reported = thesis_figures("EER 0.303 %, minDCF(0.01) 0.050", "EER 1.010 %, minDCF(0.01) 0.129", _JOINT)

    @classmethod
    def build(cls, own: VutLowerSettings, audio: nn.Module, visual: nn.Module, dim: int) -> JointNetwork:
        """Return a new network."""
        from avsieve.joint.vut_lower_network import VutLower

        return VutLower(
            audio,
            visual,
            own.states(),
            own.length or dim,
            **own.learning,
        )


class VutFramesSettings(VutJointSettings):
    """Settings of the frame-wise quality attention."""

    faces: int = key(75, "Faces of an utterance, in training and in scoring, at most.", ge=1)
    heads: int = key(64, "Heads of the pooling, where the speaker encoder has none of its own.", ge=1)

    def states(self) -> list[str]:
        """Return the inner states of the speaker encoder that it pools: all, or the largest group of one width.

        Raises
        ------
        ConfigError
            If the encoder has none.
        """
        layers = offered_states(AUDIO, self.audio_arch, key="audio_arch")
        groups: dict[tuple[int, int], list[str]] = {}
        for layer in layers:
            groups.setdefault((layer.channels, layer.step), []).append(layer.name)
        return max(groups.values(), key=len)

    def check(self) -> None:
        """Refuse encoders without the states (`ConfigError`)."""
        self.states()


class VutFramesModel(JointModel[VutFramesSettings]):
    """Every frame of the voice is weighed against the face that is seen at that time."""

    name = "vut_video_frames"
    label = "frame-wise cross-modal attention (VUT)"
    settings = VutFramesSettings
    reported = thesis_figures(
        "EER 0.159 %, minDCF(0.01) 0.009",
        "EER 0.369 %, minDCF(0.01) 0.030",
        "58 % of the trials of Vox1-O, WavLM and MHFA on the centre 3 s, 75 faces, VoxCeleb1-dev, best epoch on them",
    )

    @classmethod
    def reading(cls, own: VutFramesSettings, channels: Channels, *, training: bool) -> SignalReading:
        """Return what is read: the faces of the same time as the piece of the voice."""
        return replace(super().reading(own, channels, training=training), choice="crop")

    @classmethod
    def build(cls, own: VutFramesSettings, audio: nn.Module, visual: nn.Module, dim: int) -> JointNetwork:
        """Return a new network."""
        from avsieve.joint.vut_frames_network import VutFrames

        return VutFrames(
            audio,
            visual,
            own.states(),
            own.length or dim,
            heads=own.heads,
            **own.learning,
        )
