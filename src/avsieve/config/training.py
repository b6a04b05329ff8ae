"""The configuration of the trainings of encoders."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from pydantic import model_validator

from avsieve.settings import Block, Positive, Share, key
from avsieve.training.encoder import presets

Treatment = Literal["none", "room", "babble", "noise", "filter", "music"]


class Preset(Block):
    """A block whose keys take their defaults from a published recipe, if one is named."""

    PRESETS: ClassVar[dict[str, dict[str, Any]]] = {}

    @model_validator(mode="before")
    @classmethod
    def _from_preset(cls, values: Any) -> Any:
        return presets.with_preset(cls.PRESETS, values) if isinstance(values, dict) else values


class LargeMargin(Block):
    """A short second phase on long crops with a large margin, without the classes of other speeds.

    The method is that of Thienpondt et al., arXiv 2010.11255.
    """

    steps: int = key(0, "Its length in batches; 0 for none.", "train_audio", ge=0)
    crop_s: Positive = key(6.0, "Length of a crop, in seconds.", "train_audio")
    batch: int = key(0, "Crops in a batch; 0 for as many as before.", "train_audio", ge=0)
    margin: float = key(0.5, "Margin of the AAM-softmax, in radians.", "train_audio", ge=0, lt=1.5)
    lr: Positive = key(1e-5, "First learning rate.", "train_audio")
    lr_end: Positive = key(1e-7, "Last learning rate, half a cosine later.", "train_audio")
    augment: list[Treatment] | None = key(None, "Treatments; those of the first phase without any.", "train_audio")


class TrainAudio(Preset):
    """Training of an audio encoder on a list (`snakemake train_audio_encoders`).

    A preset stands for the keys that are not given: `avcleanse` is the recipe of AVCleanse's ECAPA-TDNN, and needs a
    folder of music.
    """

    PRESETS = presets.AUDIO

    preset: Literal["none", "avcleanse"] = key(
        "none", "Published recipe that stands for the keys that are not given.", "train_audio"
    )
    arch: str = key("ecapa_small", "Architecture.", "train_audio")
    steps: int = key(600, "Batches to train on.", "train_audio", ge=1)
    epochs: int = key(0, "Passes over the list to train for, in place of `steps`; 0 for `steps`.", "train_audio", ge=0)
    batch: int = key(64, "Crops in a batch, which all processes share.", "train_audio", ge=2)
    crop_s: Positive = key(2.0, "Length of a crop, in seconds.", "train_audio")
    speeds: list[float] = key(lambda: [1.0], "Speed factors; each makes classes of its own.", "train_audio")
    augment: list[Treatment] = key(
        lambda: ["none", "room", "babble", "noise"],
        "Treatments, one of which each crop gets; one named twice is twice as likely.",
        "train_audio",
    )
    stack: Share = key(0.0, "Chance of a second treatment.", "train_audio")
    gain_db: float = key(6.0, "Largest change of a crop's level either way, in dB; 0 for none.", "train_audio", ge=0)
    mixing: Literal["level", "voxceleb_trainer"] = key(
        "level",
        "How noise and rooms are mixed in: `level` by plain ratios, the voices of a babble as one; `voxceleb_trainer` "
        "as that project's loader and AVCleanse's do, each voice at a ratio of its own.",
        "train_audio",
    )
    mask: Share = key(0.1, "SpecAugment: largest share of the frames and of the bands that is hidden.", "train_audio")
    margin: float = key(0.2, "Margin of the AAM-softmax, in radians.", "train_audio", ge=0, lt=1.5)
    margin_from: Share = key(0.1, "Share of the steps before the margin begins to rise.", "train_audio")
    margin_until: Share = key(0.4, "Share of the steps after which it is whole.", "train_audio")
    scale: Positive = key(30.0, "Scale of the AAM-softmax.", "train_audio")
    subcenters: int = key(1, "Centres a class; with 3, wrong labels gather at one of their own.", "train_audio", ge=1)
    top_k: int = key(0, "Inter-top-k: nearest other classes that are penalised; 0 for none.", "train_audio", ge=0)
    top_penalty: float = key(
        0.06, "Inter-top-k: by how many radians they seem nearer; rises as the margin.", "train_audio", ge=0, lt=1.5
    )
    optimiser: Literal["adam", "adamw", "sgd"] = key("adam", "Optimiser.", "train_audio")
    weight_decay: float = key(2e-5, "Decay of the weights.", "train_audio", ge=0)
    clip: float = key(5.0, "Largest norm of the gradient; 0 for any.", "train_audio", ge=0)
    schedule: Literal["cosine", "exponential"] = key("cosine", "How the learning rate falls.", "train_audio")
    lr: Positive = key(2e-3, "Highest learning rate.", "train_audio")
    lr_end: Positive = key(1e-5, "Last learning rate of the cosine.", "train_audio")
    lr_decay: Positive = key(0.97, "Exponential: factor of the learning rate an epoch.", "train_audio")
    epoch_steps: int = key(1000, "Exponential: steps of an epoch; 0 for a pass over the list.", "train_audio", ge=0)
    warmup: Share = key(0.05, "Share of the steps in which the learning rate rises.", "train_audio")
    noise: str | None = key(None, "Folder of noise at 16 kHz; made up without one.", "train_audio")
    music: str | None = key(None, "Folder of music at 16 kHz.", "train_audio")
    speech: str | None = key(
        None, "Folder of speech at 16 kHz for the babble; other speakers of the list without one.", "train_audio"
    )
    rooms: str | None = key(None, "Folder of room impulse responses at 16 kHz; made up without one.", "train_audio")
    start_from: str | None = key(
        None,
        "Weights to begin with in place of random ones: a file as the embedding takes it, or `builtin`.",
        "train_audio",
    )
    validation: Share = key(0.0, "Share of the speakers kept out of the training to measure it on.", "train_audio")
    validate_every: int = key(500, "Steps between two measurements.", "train_audio", ge=1)
    keep: Literal["last", "best"] = key(
        "last", "Weights to keep: those of the last step, or of the lowest EER of the validation.", "train_audio"
    )
    seed: int = key(0, "Decides first weights, order, crops and treatments.", "train_audio", ge=0)
    large_margin: LargeMargin = key(LargeMargin, "", "train_audio")

    @model_validator(mode="after")
    def _has_music(self) -> TrainAudio:
        treatments = [*self.augment, *(self.large_margin.augment or [])]
        if "music" in treatments and self.music is None:
            named = f" (the preset {self.preset} has it)" if self.preset != "none" else ""
            raise ValueError(
                f"augment holds music{named}, and no folder of music is named: set training.audio.music, or leave "
                "music out of training.audio.augment"
            )
        return self


class TrainVisual(Preset):
    """Training of a visual encoder on a list (`snakemake train_visual_encoders`).

    A preset stands for the keys that are not given: `avcleanse` is the recipe of AVCleanse's IResNet-18.
    """

    PRESETS = presets.VISUAL

    preset: Literal["none", "avcleanse"] = key(
        "none", "Published recipe that stands for the keys that are not given.", "train_visual"
    )
    arch: str = key("mobileface_small", "Architecture.", "train_visual")
    steps: int = key(400, "Batches to train on.", "train_visual", ge=1)
    epochs: int = key(0, "Passes over the list to train for, in place of `steps`; 0 for `steps`.", "train_visual", ge=0)
    batch: int = key(64, "Faces in a batch, which all processes share.", "train_visual", ge=2)
    augment: bool = key(True, "Whether faces are spoiled, as the next keys say.", "train_visual")
    flip: Share = key(0.5, "Chance of a mirrored face.", "train_visual")
    grey: Share = key(0.3, "Chance of a face without colour.", "train_visual")
    blur: Share = key(0.3, "Chance of a blurred face, or one made small and large again.", "train_visual")
    smooth: Share = key(0.0, "Chance of a blur of 5 x 9 pixels, standard deviation 0.1 to 5.", "train_visual")
    noise: Share = key(0.3, "Chance of a noisy face.", "train_visual")
    erase: Share = key(0.2, "Chance of a rectangle over the face.", "train_visual")
    jitter: float = key(1.0, "Strength of changes of light and colour.", "train_visual", ge=0)
    shift: float = key(1.0, "Strength of small turns and shifts.", "train_visual", ge=0)
    channels: Literal["auto", "rgb", "bgr"] = key(
        "auto",
        "Order of the colours that the network is fed with; `auto` for that of `start_from`, else `rgb`.",
        "train_visual",
    )
    margin: float = key(0.2, "Margin of the AAM-softmax, in radians.", "train_visual", ge=0, lt=1.5)
    margin_from: Share = key(0.1, "Share of the steps before the margin begins to rise.", "train_visual")
    margin_until: Share = key(0.4, "Share of the steps after which it is whole.", "train_visual")
    scale: Positive = key(30.0, "Scale of the AAM-softmax.", "train_visual")
    subcenters: int = key(1, "Centres a class; with 3, wrong labels gather at one of their own.", "train_visual", ge=1)
    top_k: int = key(0, "Inter-top-k: nearest other classes that are penalised; 0 for none.", "train_visual", ge=0)
    top_penalty: float = key(
        0.06, "Inter-top-k: by how many radians they seem nearer; rises as the margin.", "train_visual", ge=0, lt=1.5
    )
    optimiser: Literal["adam", "adamw", "sgd"] = key("adam", "Optimiser.", "train_visual")
    weight_decay: float = key(2e-5, "Decay of the weights.", "train_visual", ge=0)
    clip: float = key(5.0, "Largest norm of the gradient; 0 for any.", "train_visual", ge=0)
    schedule: Literal["cosine", "exponential"] = key("cosine", "How the learning rate falls.", "train_visual")
    lr: Positive = key(2e-3, "Highest learning rate.", "train_visual")
    lr_end: Positive = key(1e-5, "Last learning rate of the cosine.", "train_visual")
    lr_decay: Positive = key(0.97, "Exponential: factor of the learning rate an epoch.", "train_visual")
    epoch_steps: int = key(1000, "Exponential: steps of an epoch; 0 for a pass over the list.", "train_visual", ge=0)
    warmup: Share = key(0.05, "Share of the steps in which the learning rate rises.", "train_visual")
    start_from: str | None = key(
        None,
        "Weights to begin with in place of random ones: a file as the embedding takes it, or `builtin`.",
        "train_visual",
    )
    validation: Share = key(0.0, "Share of the speakers kept out of the training to measure it on.", "train_visual")
    validate_every: int = key(500, "Steps between two measurements.", "train_visual", ge=1)
    keep: Literal["last", "best"] = key(
        "last", "Weights to keep: those of the last step, or of the lowest EER of the validation.", "train_visual"
    )
    seed: int = key(0, "Decides first weights, order, faces and treatments.", "train_visual", ge=0)


class Training(Block):
    """Training of encoders from a list: `snakemake train_encoders`, or one of its models by name."""

    precision: Literal["fp32", "bf16", "fp16"] = key(
        "fp32", "Of the networks' arithmetic; `bf16` and `fp16` are mixed, the loss stays in `fp32`.", "train_audio"
    )
    devices: int = key(
        1,
        "GPUs that share each batch (or processes on a CPU); the result is the same but for rounding. Takes effect "
        "in the next training.",
        "none",
        ge=1,
    )
    workers: int = key(
        0, "Processes that prepare batches, for each device. Takes effect in the next training.", "none", ge=0
    )
    tensorboard: bool = key(
        False,
        "Write TensorBoard's files beside the models (needs the package tensorboard). Takes effect in the next "
        "training.",
        "none",
    )
    audio: TrainAudio = key(TrainAudio, "", "train_audio")
    visual: TrainVisual = key(TrainVisual, "", "train_visual")
