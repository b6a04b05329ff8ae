"""Train an audio encoder from a training list and wav shards."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import torch

from avsieve.encoders.audio import AUDIO, BUILTIN_FILE
from avsieve.encoders.checkpoint import load_into, read_state, resolve
from avsieve.encoders.device import pick_device
from avsieve.encoders.registry import build
from avsieve.provenance import sha256_of, write_provenance
from avsieve.training.audio_data import CropBatches, Speech
from avsieve.training.augment import Augmenter, Masked
from avsieve.training.loop import Optimiser, fit, save_encoder
from avsieve.training.margin import AAMSoftmax
from avsieve.training.schedule import Schedule

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class AudioRecipe:
    """What decides a trained audio encoder, besides the data and the schedule.

    Parameters
    ----------
    arch
        A name of `avsieve.encoders.audio.AUDIO`.
    batch
        Crops a step.
    crop_s
        Length of a crop, seconds (AVCleanse: 2.015).
    speeds
        Speed factors; each makes its own classes.
    augment
        Treatments to draw from, see `avsieve.training.augment`; empty for none.
    stack
        Chance of a second treatment.
    mask
        Largest share of frames and of bands that SpecAugment hides; 0 for none.
    scale, subcenters
        Of the AAM-softmax; the margin is part of the schedule.
    seed
        Decides the first weights, the order, the crops and the treatments.
    """

    arch: str = "ecapa_small"
    batch: int = 64
    crop_s: float = 2.0
    speeds: tuple[float, ...] = (1.0,)
    augment: tuple[str, ...] = ("none", "room", "babble", "noise")
    stack: float = 0.0
    mask: float = 0.1
    scale: float = 30.0
    subcenters: int = 1
    seed: int = 0


def train_audio(
    train_list: Path,
    tars: Sequence[Path],
    output: Path,
    *,
    recipe: AudioRecipe,
    schedule: Schedule,
    optimiser: Optimiser,
    device: str = "auto",
    precision: str = "fp32",
    workers: int = 0,
    start_from: str | Path | None = None,
    noise: Path | None = None,
    music: Path | None = None,
    rooms: Path | None = None,
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
        The list and the wav shards that hold its utterances.
    output
        Safetensors file to write, with ``arch``, ``dim``, ``classes`` and ``seed`` in its metadata.
    recipe, schedule, optimiser
        What to do.
    device, precision, workers
        Where and how; see `avsieve.training.loop.fit`.
    start_from
        Weights to begin with (fine-tuning) in place of random ones; ``builtin`` for the shipped ones.
    noise, music, rooms
        Folders for the augmentation.
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
    speech = Speech(train_list, tars)
    augmenter = None
    if recipe.augment:
        augmenter = Augmenter(
            recipe.augment, noise=noise, music=music, rooms=rooms, stack=recipe.stack, seed=recipe.seed
        )
    batches = CropBatches(
        speech,
        steps=schedule.steps,
        batch=recipe.batch,
        crop_s=recipe.crop_s,
        speeds=recipe.speeds,
        augmenter=augmenter,
        seed=recipe.seed,
    )
    torch.manual_seed(recipe.seed)
    encoder = build(AUDIO, recipe.arch)
    first: Path | None = None
    if start_from is not None:
        first = resolve(start_from, BUILTIN_FILE)
        load_into(encoder, read_state(first), source=first)
    dim = int(encoder.dim)  # type: ignore[arg-type]
    criterion = AAMSoftmax(dim, batches.classes, margin=0.0, scale=recipe.scale, subcenters=recipe.subcenters)
    logger.info(
        "%s (%d parameters) on %d utterances of %d speakers, %d classes, %d steps of %d crops",
        recipe.arch,
        sum(p.numel() for p in encoder.parameters()),
        len(speech),
        speech.classes,
        batches.classes,
        schedule.steps,
        recipe.batch,
    )
    facts = {"train_list": sha256_of(train_list), "speakers": speech.classes, "utterances": len(speech)}
    rows = fit(
        Masked(encoder, recipe.mask),
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
    metadata = {"arch": recipe.arch, "dim": str(dim), "classes": str(batches.classes), "seed": str(recipe.seed)}
    save_encoder(output, encoder, metadata, half=half)
    if provenance is not None:
        write_provenance(
            provenance,
            stage="train_audio",
            packages=["torch", "numpy", "scipy"],
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
