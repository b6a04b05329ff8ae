"""The settings of the trainings of encoders. Snakemake reads them: nothing heavy is imported."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from pydantic import model_validator

from avsieve.encoders.settings import CropChoice
from avsieve.settings import Block, Positive, Share, key
from avsieve.training.encoder import presets

Augmentation = Literal["none", "room", "babble", "noise", "filter", "music"]


class Preset(Block):
    """A block whose keys take their defaults from a published recipe, if one is named."""

    PRESETS: ClassVar[dict[str, dict[str, Any]]] = {}

    @model_validator(mode="before")
    @classmethod
    def _from_preset(cls, values: Any) -> Any:
        return presets.with_preset(cls.PRESETS, values) if isinstance(values, dict) else values


class EncoderTraining(Preset):
    """What the trainings of all encoders have: their length, the loss, the optimiser and the validation."""

    preset: Literal["none", "avcleanse"] = key("none", "Published recipe that sets the keys not given.")
    arch: str  # its default is the modality's, as that of the steps
    steps: int
    epochs: int = key(0, "Number of epochs, instead of `steps`; 0 to use `steps`.", ge=0)
    batch: int = key(64, "Crops or faces in a batch, which all processes share.", ge=2)
    margin: float = key(0.2, "Margin of the AAM-softmax, in radians.", ge=0, lt=1.5)
    margin_from: Share = key(0.1, "Fraction of the steps before the margin starts to rise.")
    margin_until: Share = key(0.4, "Fraction of the steps after which it is full.")
    scale: Positive = key(30.0, "Scale of the AAM-softmax.")
    subcenters: int = key(1, "Centres per class; with 3, wrong labels gather at a centre of their own.", ge=1)
    top_k: int = key(0, "Inter-top-k: nearest other classes that are penalised; 0 for none.", ge=0)
    top_penalty: float = key(0.06, "Inter-top-k: penalty in radians; rises with the margin.", ge=0, lt=1.5)
    optimiser: Literal["adam", "adamw", "sgd"] = key("adam", "Optimiser.")
    weight_decay: float = key(2e-5, "Weight decay.", ge=0)
    clip: float = key(5.0, "Maximum norm of the gradient; 0 for no limit.", ge=0)
    schedule: Literal["cosine", "exponential"] = key("cosine", "Learning rate schedule.")
    lr: Positive = key(2e-3, "Highest learning rate.")
    lr_end: Positive = key(1e-5, "Final learning rate of the cosine schedule.")
    lr_decay: Positive = key(0.97, "Exponential schedule: factor of the learning rate per epoch.")
    epoch_steps: int = key(1000, "Exponential schedule: steps per epoch; 0 for one pass over the list.", ge=0)
    warmup: Share = key(0.05, "Fraction of the steps used for warm-up.")
    start_from: str | None = key(
        None, "Initial weights instead of random ones: any file that the embedding stage accepts, or `builtin`."
    )
    validation: Share = key(0.0, "Share of the speakers held out for validation.")
    validate_every: int = key(500, "Steps between validations.", ge=1)
    keep: Literal["last", "best"] = key(
        "last", "Weights to keep: those of the last step, or those with the lowest validation EER."
    )
    seed: int = key(0, "Decides the first weights, the order and the augmentation.", ge=0)


class LargeMargin(Block):
    """A short second phase on long crops with a large margin, without the classes of other speeds.

    The method is that of Thienpondt et al., arXiv 2010.11255.
    """

    RERUNS = "train_audio"

    steps: int = key(0, "Number of batches in the phase; 0 for none.", ge=0)
    crop_s: Positive = key(6.0, "Length of a crop, in seconds.")
    batch: int = key(0, "Crops per batch; 0 for the same as before.", ge=0)
    margin: float = key(0.5, "Margin of the AAM-softmax, in radians.", ge=0, lt=1.5)
    lr: Positive = key(1e-5, "Initial learning rate.")
    lr_end: Positive = key(1e-7, "Final learning rate, after half a cosine.")
    augment: list[Augmentation] | None = key(None, "Augmentations; those of the first phase without any.")


class TrainAudio(EncoderTraining):
    """Training of an audio encoder on a list (`snakemake train_audio_encoders`).

    A preset sets the keys that are not given: `avcleanse` is the recipe of AVCleanse's ECAPA-TDNN, and needs a
    folder of music.
    """

    PRESETS = presets.AUDIO
    RERUNS = "train_audio"

    arch: str = key("ecapa_small", "Architecture.")
    steps: int = key(600, "Number of batches.", ge=1)
    crop_s: Positive = key(2.0, "Length of a crop, in seconds.")
    speeds: list[float] = key(lambda: [1.0], "Speed factors; each creates its own classes.")
    augment: list[Augmentation] = key(
        lambda: ["none", "room", "babble", "noise"],
        "Augmentations, one of which is applied to each crop; one named twice is twice as likely.",
    )
    stack: Share = key(0.0, "Chance of a second augmentation.")
    gain_db: float = key(6.0, "Maximum change of a crop's level in either direction, in dB; 0 for none.", ge=0)
    mixing: Literal["level", "voxceleb_trainer"] = key(
        "level",
        "How noise and rooms are mixed in: `level` uses plain ratios, with the voices of a babble mixed as one; "
        "`voxceleb_trainer` works like the loaders of that project and AVCleanse, with a separate ratio for each "
        "voice.",
    )
    mask: Share = key(0.1, "SpecAugment: maximum share of the frames and of the bands that is masked.")
    noise: str | None = key(None, "Folder of noise at 16 kHz; generated if not given.")
    music: str | None = key(None, "Folder of music at 16 kHz.")
    speech: str | None = key(
        None, "Folder of speech at 16 kHz for the babble; other speakers of the list if not given."
    )
    rooms: str | None = key(None, "Folder of room impulse responses at 16 kHz; generated if not given.")
    large_margin: LargeMargin = key(LargeMargin, "A second phase with a large margin on long crops.")

    @model_validator(mode="after")
    def _has_music(self) -> TrainAudio:
        wanted = [*self.augment, *(self.large_margin.augment or [])]
        if "music" in wanted and self.music is None:
            named = f" (the preset {self.preset} has it)" if self.preset != "none" else ""
            raise ValueError(
                f"augment holds music{named}, and no folder of music is named: set training.audio.music, or leave "
                "music out of training.audio.augment"
            )
        return self


class TrainVisual(EncoderTraining):
    """Training of a visual encoder on a list (`snakemake train_visual_encoders`).

    A preset sets the keys that are not given: `avcleanse` is the recipe of AVCleanse's IResNet-18.
    """

    PRESETS = presets.VISUAL
    RERUNS = "train_visual"

    arch: str = key("mobileface_small", "Architecture.")
    crop: CropChoice = key(
        "auto", "Kind of crop that it is trained on (`faces.crops`); `auto` takes the architecture's."
    )
    steps: int = key(400, "Number of batches.", ge=1)
    augment: bool = key(True, "Whether faces are augmented, as the next keys say.")
    flip: Share = key(0.5, "Probability of mirroring.")
    grey: Share = key(0.3, "Probability of converting to grey.")
    blur: Share = key(0.3, "Probability of blurring, or of reducing and enlarging.")
    smooth: Share = key(0.0, "Probability of a Gaussian blur of 5 x 9 pixels, standard deviation 0.1 to 5.")
    noise: Share = key(0.3, "Probability of added noise.")
    erase: Share = key(0.2, "Probability of a rectangle over the face.")
    jitter: float = key(1.0, "Strength of changes in brightness and colour.", ge=0)
    shift: float = key(1.0, "Strength of small rotations and shifts.", ge=0)
    channels: Literal["auto", "rgb", "bgr"] = key(
        "auto", "Channel order of the network's input; `auto` uses that of `start_from`, otherwise `rgb`."
    )
