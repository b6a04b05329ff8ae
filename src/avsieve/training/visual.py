"""Train a visual encoder from a training list and shards of aligned faces."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import torch

from avsieve.encoders.checkpoint import load_into, read_state, resolve
from avsieve.encoders.device import pick_device
from avsieve.encoders.registry import build
from avsieve.encoders.visual import BUILTIN_FILE, VISUAL
from avsieve.provenance import sha256_of, write_provenance
from avsieve.training.face_augment import FaceAugmentation
from avsieve.training.loop import Optimiser, fit, save_encoder
from avsieve.training.margin import AAMSoftmax
from avsieve.training.schedule import Schedule
from avsieve.training.visual_data import FaceBatches, Faces

logger = logging.getLogger(__name__)


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
    scale, subcenters
        Of the AAM-softmax; the margin is part of the schedule.
    seed
        Decides the first weights, the order, the faces and the treatments.
    """

    arch: str = "mobileface_small"
    batch: int = 64
    augment: bool = True
    augmentation: FaceAugmentation = field(default_factory=FaceAugmentation)
    scale: float = 30.0
    subcenters: int = 1
    seed: int = 0


def train_visual(
    train_list: Path,
    tars: Sequence[Path],
    output: Path,
    *,
    recipe: VisualRecipe,
    schedule: Schedule,
    optimiser: Optimiser,
    device: str = "auto",
    precision: str = "fp32",
    workers: int = 0,
    start_from: str | Path | None = None,
    log: Path | None = None,
    provenance: Path | None = None,
    checkpoint: Path | None = None,
    log_every: int = 50,
    checkpoint_every: int = 500,
    half: bool = False,
) -> list[list[float]]:
    """Train and write an encoder; return the rows of the log.

    Parameters
    ----------
    train_list, tars
        The list and the shards of aligned faces that hold its utterances.
    output
        Safetensors file to write, with ``arch``, ``dim``, ``channels``, ``classes`` and ``seed`` in its metadata.
    recipe, schedule, optimiser
        What to do.
    device, precision, workers
        Where and how; see `avsieve.training.loop.fit`.
    start_from
        Weights to begin with (fine-tuning) in place of random ones; ``builtin`` for the shipped ones.
    log, provenance
        CSV of the losses and JSON to write.
    checkpoint
        State of an unfinished training: resumed if it is there, removed at the end.
    half
        Store the weights as float16.

    Raises
    ------
    AvsieveError
        If list and shards do not fit, the device is absent, or the loss is no longer finite.
    """
    target = pick_device(device)
    faces = Faces(train_list, tars)
    augmentation = recipe.augmentation if recipe.augment else None
    batches = FaceBatches(faces, steps=schedule.steps, batch=recipe.batch, augmentation=augmentation, seed=recipe.seed)
    torch.manual_seed(recipe.seed)
    encoder = build(VISUAL, recipe.arch)
    first: Path | None = None
    if start_from is not None:
        first = resolve(start_from, BUILTIN_FILE)
        load_into(encoder, read_state(first), source=first)
    dim = int(encoder.dim)  # type: ignore[arg-type]
    criterion = AAMSoftmax(dim, faces.classes, margin=0.0, scale=recipe.scale, subcenters=recipe.subcenters)
    logger.info(
        "%s (%d parameters) on %d utterances of %d speakers, %d steps of %d faces",
        recipe.arch,
        sum(p.numel() for p in encoder.parameters()),
        len(faces),
        faces.classes,
        schedule.steps,
        recipe.batch,
    )
    facts = {"train_list": sha256_of(train_list), "speakers": faces.classes, "utterances": len(faces)}
    rows = fit(
        encoder,
        criterion,
        batches,
        schedule=schedule,
        optimiser=optimiser,
        seed=recipe.seed,
        device=target,
        precision=precision,
        workers=workers,
        log=log,
        log_every=log_every,
        checkpoint=checkpoint,
        checkpoint_every=checkpoint_every,
        recipe={**asdict(recipe), **facts, "start_from": sha256_of(first) if first else ""},
    )
    metadata = {"arch": recipe.arch, "dim": str(dim), "channels": "rgb", "classes": str(faces.classes)}
    save_encoder(output, encoder, metadata | {"seed": str(recipe.seed)}, half=half)
    if provenance is not None:
        write_provenance(
            provenance,
            stage="train_visual",
            packages=["torch", "numpy", "opencv-python"],
            device=target.type,
            precision=precision,
            recipe=asdict(recipe),
            schedule=asdict(schedule),
            optimiser=asdict(optimiser),
            loss=rows[-1][1],
            accuracy=rows[-1][2],
            sha256=sha256_of(output),
            **facts,
        )
    if checkpoint is not None:
        checkpoint.unlink(missing_ok=True)
    return rows
