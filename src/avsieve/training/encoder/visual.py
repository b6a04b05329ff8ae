"""Train a visual encoder from a training list and shards of aligned faces."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Unpack

from torch import nn

from avsieve.encoders.visual import BUILTIN_FILE, VISUAL, load_weights
from avsieve.errors import ConfigError
from avsieve.training.encoder.encoder_run import train_encoder
from avsieve.training.encoder.face_augment import FaceAugmentation
from avsieve.training.encoder.job import Data, Modality, Run
from avsieve.training.encoder.phase import Phase
from avsieve.training.encoder.schedule import Schedule
from avsieve.training.encoder.state import Row
from avsieve.training.encoder.validation import OFF, Validation, Watch, split
from avsieve.training.encoder.visual_data import FaceBatches, Faces, Scaled

_VISUAL = Modality(
    "train_visual",
    ("torch", "lightning-fabric", "numpy", "opencv-python"),
    VISUAL,
    BUILTIN_FILE,
    load_weights,
    "faces",
)
CHANNELS = ("auto", "rgb", "bgr")


@dataclass(frozen=True)
class VisualRecipe:
    """What decides a trained visual encoder, besides the data and the schedule.

    Parameters
    ----------
    arch
        A name of `avsieve.encoders.visual.VISUAL`.
    batch
        Faces a step.
    augment
        Whether faces are spoiled as `augmentation` says.
    augmentation
        How.
    channels
        Order of the colours that the network is fed with, ``rgb`` or ``bgr`` (AVCleanse); ``auto`` for that of the
        weights that it begins with, else ``rgb``.
    scale, subcenters, top_k, top_penalty
        Of the AAM-softmax; the margin is part of the schedule.
    seed
        Decides the first weights, the order, the faces and the treatments.
    """

    arch: str = "mobileface_small"
    batch: int = 64
    augment: bool = True
    augmentation: FaceAugmentation = field(default_factory=FaceAugmentation)
    channels: str = "auto"
    scale: float = 30.0
    subcenters: int = 1
    top_k: int = 0
    top_penalty: float = 0.06
    seed: int = 0


def train_visual(
    train_list: Path,
    tars: Sequence[Path],
    output: Path,
    *,
    recipe: VisualRecipe,
    schedule: Schedule,
    watch: Watch = OFF,
    **run: Unpack[Run],
) -> list[Row]:
    """Train and write a visual encoder; return the rows of the log.

    Parameters
    ----------
    train_list, tars
        The list and the shards of aligned faces that hold its utterances.
    output
        Safetensors file to write, with ``arch``, ``dim``, ``channels``, ``classes`` and ``seed`` in its metadata.
    recipe, schedule
        What to do.
    watch
        Which speakers are kept out for a validation, and what for.
    run
        Optimiser, machine and files; see `avsieve.training.encoder.encoder_run.train_encoder`.

    Raises
    ------
    AvsieveError
        If list and shards do not fit, the device is absent, or the loss is no longer finite.
    """
    if recipe.channels not in CHANNELS:
        raise ConfigError(f"channels: {recipe.channels!r} is not known; expected one of {', '.join(CHANNELS)}")

    def load(encoder: nn.Module) -> Data:
        channels = _order(recipe.channels, getattr(encoder, "channels", None), run.get("start_from"))
        faces, validation = Faces(train_list, tars, channels=channels), None
        if watch.share:
            faces, held = split(faces, watch.share)
            validation = Validation(held, held.middle, watch)
        treat = replace(recipe.augmentation, planes=channels) if recipe.augment else None
        plan = schedule.for_list(len(faces), recipe.batch)
        batches = FaceBatches(faces, steps=plan.steps, batch=recipe.batch, augmentation=treat, seed=recipe.seed)
        return Data(faces, [Phase(batches, plan)], faces.classes, validation, {"channels": channels})

    return train_encoder(_VISUAL, train_list, output, load, recipe=recipe, treated=Scaled, **run)


def _order(asked: str, begun: str | None, start_from: str | Path | None) -> str:
    """Return the order of colours to train with: as asked, as the first weights ``start_from`` have it, or RGB.

    Raises
    ------
    ConfigError
        If the first weights were trained on the other order.
    """
    if start_from is None:
        return "rgb" if asked == "auto" else asked
    if asked == "auto":
        if begun not in ("rgb", "bgr"):
            raise ConfigError(
                f"{start_from}: does not say whether it was trained on RGB or BGR faces; "
                f"set training.visual.channels (--channels) to rgb or bgr"
            )
        return begun
    if begun is not None and begun != asked:
        raise ConfigError(
            f"{start_from}: was trained on {begun.upper()} faces, and channels is {asked}; "
            f"set training.visual.channels (--channels) to {begun}, or to auto"
        )
    return asked
