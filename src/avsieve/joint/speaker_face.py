"""AVCleanse's `speaker_face`: a speaker and a face encoder trained side by side from one list, scored by the mean.

Tao, Lee, Shi and Li, "Speaker recognition with two-step multi-modal deep cleansing", ICASSP 2023, with their code.
Nothing is fused but scores: each encoder has a loss of its own (AAM-softmax, margin 0.2 and scale 30 for voices, 0.4
and 64 for faces), the two are added, and a trial's score is the mean of both cosines. A batch has one random face of
each utterance; in scoring an utterance's face embedding is the mean of those of five faces, evenly spaced, where the
source averages the cosines of all pairs of five.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from avsieve.fusion import recipe
from avsieve.fusion.reported import Reported
from avsieve.joint.base import JointModel
from avsieve.joint.settings import JointSettings
from avsieve.settings import Positive, key

if TYPE_CHECKING:
    from torch import nn

    from avsieve.fusion.recipe import Recipe
    from avsieve.joint.network import JointNetwork
    from avsieve.joint.reading import Channels, SignalReading
    from avsieve.training.criterion import Criterion


class SpeakerFaceSettings(JointSettings):
    """AVCleanse's recipe."""

    loss: recipe.LossSum = "aam"
    optimiser: recipe.OptimiserName = "adam"
    learning_rate: recipe.LearningRate = 1e-3
    schedule: recipe.ScheduleName = "exponential"
    decay: recipe.Decay = 0.97
    epochs: recipe.Epochs = 99
    batch_size: recipe.BatchSize = 400
    weight_decay: recipe.WeightDecay = 2e-5
    margin: recipe.MarginSize = 0.2
    margin_rises: recipe.MarginRises = False
    scale: recipe.Scale = 30.0
    drop_modality: recipe.DropModality = 0.0
    crop_s: Positive = key(2.015, "Length of the voice in training, in seconds.")
    faces: int = key(5, "Faces of an utterance in scoring; in training it is one.", ge=1)
    face_margin: recipe.Margin = key(0.4, "Margin of the faces' loss, in radians; `margin` is the voices'.")
    face_scale: Positive = key(64.0, "Scale of the faces' loss; `scale` is the voices'.")


class SpeakerFaceModel(JointModel[SpeakerFaceSettings]):
    """Two encoders, two losses, the mean of two cosines."""

    name = "speaker_face"
    label = "both encoders trained side by side (AVCleanse)"
    settings = SpeakerFaceSettings
    parts = ("audio", "visual")
    reported = (
        Reported(
            "EER 0.15 / 0.23 / 0.41 %",
            "Vox1-O / E / H, ECAPA-1024 and IResNet-18, VoxCeleb2-dev; probably the cleaned lists",
            "the repository TaoRuijie/AVCleanse, README",
        ),
    )

    @classmethod
    def build(cls, own: SpeakerFaceSettings, audio: nn.Module, visual: nn.Module, dim: int) -> JointNetwork:
        """Return a new network."""
        from avsieve.joint.speaker_face_network import SpeakerFace

        return SpeakerFace(audio, visual, **own.learning)

    @classmethod
    def reading(cls, own: SpeakerFaceSettings, channels: Channels, *, training: bool) -> SignalReading:
        """Return what is read: in training one random face of each utterance."""
        found = super().reading(own, channels, training=training)
        return replace(found, faces=1) if training else found

    @classmethod
    def criterion(cls, network: JointNetwork, classes: int, recipe: Recipe, own: SpeakerFaceSettings) -> Criterion:
        """Return the sum of both losses."""
        from avsieve.joint.speaker_face_network import TwoLosses

        return TwoLosses(
            network.widths,
            classes,
            scales=(recipe.scale, own.face_scale),
            margins=(recipe.margin, own.face_margin),
        )
