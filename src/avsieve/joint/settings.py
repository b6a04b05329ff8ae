"""The settings that all joint models have. Snakemake reads them: nothing heavy is imported."""

from __future__ import annotations

from typing import Any, Literal

from avsieve.encoders.registry import AUDIO, VISUAL, trainable
from avsieve.encoders.settings import CropChoice
from avsieve.errors import ConfigError
from avsieve.fusion.recipe import RecipeSettings
from avsieve.registry import Registry
from avsieve.settings import Positive, key

SAME, NONE = "same", "none"
FIRST_WEIGHTS = ("audio_weights", "visual_weights")
"""What a training begins with, and no part of a model: its file has weights of its own; paths are of one machine."""
Augmentation = Literal["none", "avcleanse", "vut", "avn"]


class JointSettings(RecipeSettings):
    """Both encoders of a joint model, what of the signals it is given, and how it is trained.

    Where nothing is given of the training, it is that of `fusion`.
    """

    audio_arch: str = key(
        SAME, "Architecture of its speaker encoder, one that can be trained; `same` for that of `audio.arch`."
    )
    audio_weights: str = key(
        SAME,
        "First weights of it: a file as `audio.checkpoint` takes it, `builtin`, `none` for random ones, or `same` for "
        "those of `audio.checkpoint`.",
    )
    visual_arch: str = key(
        SAME, "Architecture of its face encoder, one that can be trained; `same` for that of `visual.arch`."
    )
    visual_weights: str = key(
        SAME,
        "First weights of it: a file as `visual.model` takes it, `builtin`, `none` for random ones, or `same` for "
        "those of `visual.model`.",
    )
    crop: CropChoice = key(
        "auto",
        "Kind of crop that the face encoder is fed with, one of `faces.crops`; `auto` takes the one that the "
        "architecture's published weights were trained on.",
    )
    channels: Literal["auto", "rgb", "bgr"] = key(
        "auto", "Channel order of the face encoder; `auto` uses that of its first weights, otherwise `rgb`."
    )
    encoders: Literal["frozen", "trained"] = key(
        "trained", "Whether the encoders learn together with the fusion, or stay as they are."
    )
    encoder_rate: Positive = key(1.0, "Learning rate of the encoders, as a multiple of that of the fusion.")
    crop_s: Positive = key(3.0, "Length of the voice in training, in seconds.")
    test_crop_s: Positive | None = key(
        None, "Length of the voice in scoring, from the middle of the utterance, in seconds; all of it unless given."
    )
    faces: int = key(4, "Faces of an utterance, in training and in scoring, at most.", ge=1)
    augmentation: Augmentation = key(
        "avcleanse", "What training does to the signals: `none`, or the recipe of `avcleanse`, `vut` or `avn`."
    )

    @property
    def learning(self) -> dict[str, Any]:
        """How the encoders learn, as every network of a joint model takes it."""
        return {"trained": self.encoders == "trained", "encoder_rate": self.encoder_rate}

    def resolved(self, *, audio: tuple[str, str], visual: tuple[str, str], channels: str) -> JointSettings:
        """Put architecture and weights of the embedding stages in place of `same`.

        Raises
        ------
        ConfigError
            If an encoder is none that can be trained: the file of another has no inner states and no gradients.
        """
        found = {}
        for name, own, table in (("audio", audio, AUDIO), ("visual", visual, VISUAL)):
            asked, weights = getattr(self, f"{name}_arch"), getattr(self, f"{name}_weights")
            arch = own[0] if asked == SAME else asked
            found[f"{name}_arch"] = _trainable(f"{name}_arch", arch, table)
            if weights == SAME and arch != own[0]:
                raise ConfigError(
                    f"{name}_weights is {SAME!r}, those of the embedding stage, which are of {own[0]!r} and not of "
                    f"{arch!r}; expected a file, builtin, or none for random ones"
                )
            found[f"{name}_weights"] = own[1] if weights == SAME else weights
        if self.crop == "auto":
            found["crop"] = VISUAL[found["visual_arch"]].crop
        if self.channels == "auto" and found["visual_arch"] == visual[0] and self.visual_weights == SAME:
            found["channels"] = channels
        whole = self.model_copy(update=found)
        whole.check()
        return whole

    def check(self) -> None:
        """Refuse encoders that lack what the model reads of them (`ConfigError`); most read embeddings alone."""


def _trainable(name: str, arch: str, table: Registry) -> str:
    """Return an architecture that can be trained."""
    names = trainable(table)
    if arch not in names:
        raise ConfigError(
            f"{name} is {arch!r}, which no joint model can be made of; expected one that can be trained: "
            f"{', '.join(names)}"
        )
    return arch
