"""The VUT thesis's image heads trained together with their encoders; see `avsieve.fusion.vut` for the heads alone.

Bahounek, "Audio-visual person verification", bachelor thesis, FIT VUT Brno, 2024, with his code: the centre 3 s of a
voice (WavLM Base+ with MHFA), one face of 112 pixels (Inception-ResNet-V1), a head over both embeddings, and learning
rates by layer: 1e-5 x 1.45^l for the twelve blocks of WavLM, whose convolutions stay as they are, 1e-3 for the MHFA,
1e-5 x 1.4^i for the thirteen stages of the face network, where the head has 0.005. The thesis has one encoder of each
kind; here any that can be trained has rates that rise by layer in the same way.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from avsieve.fusion.vut import VutSettings, thesis_figures
from avsieve.joint.base import JointModel
from avsieve.joint.settings import Augmentation, JointSettings
from avsieve.settings import Positive, key

if TYPE_CHECKING:
    from torch import nn

    from avsieve.joint.network import JointNetwork

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

        return VutHead.of(own, audio, visual, VutSoft(audio.dim, visual.dim, own.length or dim))  # type: ignore[arg-type]


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
        return VutHead.of(own, audio, visual, head)
