"""Train a visual encoder from a training list and shards of aligned faces."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from torch import nn

from avsieve.encoders.visual import BUILTIN_FILE, VISUAL, load_weights
from avsieve.errors import ConfigError
from avsieve.training.encoder.encoder_run import Data, Modality, Run, train_encoder
from avsieve.training.encoder.face_augment import FaceAugmentation
from avsieve.training.encoder.settings import TrainVisual
from avsieve.training.encoder.validation import Validation, split
from avsieve.training.encoder.visual_data import FaceBatches, Faces, Scaled
from avsieve.training.optimisation import Schedule
from avsieve.training.phase import Phase
from avsieve.training.state import Row
from avsieve.training.validation import Watch

_VISUAL = Modality(
    "train_visual",
    ("torch", "lightning-fabric", "numpy", "opencv-python"),
    VISUAL,
    BUILTIN_FILE,
    load_weights,
    "faces",
)
# What decides the result beside augmentation, schedule, optimiser, validation and first weights.
RECIPE = ("arch", "batch", "augment", "channels", "scale", "subcenters", "top_k", "top_penalty", "seed")


def train_visual(train_list: Path, tars: Sequence[Path], output: Path, *, settings: TrainVisual, run: Run) -> list[Row]:
    """Train and write a visual encoder; return the rows of the log.

    Parameters
    ----------
    train_list, tars
        The list and the shards of aligned faces that hold its utterances.
    output
        Safetensors file to write, with ``arch``, ``dim``, ``channels``, ``classes`` and ``seed`` in its metadata.
    settings
        What to do.
    run
        Where, and what to write besides.

    Raises
    ------
    AvsieveError
        If list and shards do not fit, the device is absent, or the loss is no longer finite.
    """
    watch = Watch.of(settings)

    def load(encoder: nn.Module) -> Data:
        channels = _order(settings.channels, getattr(encoder, "channels", None), settings.start_from)
        faces, validation = Faces(train_list, tars, channels=channels), None
        if watch.share:
            faces, held = split(faces, watch.share)
            validation = Validation(held, held.middle, watch)
        augmentation = FaceAugmentation.of(settings, channels) if settings.augment else None
        plan = Schedule.of(settings).for_list(len(faces), settings.batch)
        batches = FaceBatches(
            faces, steps=plan.steps, batch=settings.batch, augmentation=augmentation, seed=settings.seed
        )
        return Data(faces, [Phase(batches, plan)], faces.classes, validation, {"channels": channels})

    return train_encoder(
        _VISUAL,
        train_list,
        output,
        load,
        settings=settings,
        run=run,
        recipe={
            **{name: getattr(settings, name) for name in RECIPE},
            "augmentation": asdict(FaceAugmentation.of(settings, "rgb")),
        },
        wrap=Scaled,
    )


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
