"""One training of an encoder, from its data to its files: any modality."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import Field, asdict, dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Protocol, Required, TypedDict

import torch
from torch import nn

from avsieve.encoders.checkpoint import load_into, read_state, resolve
from avsieve.encoders.device import pick_device
from avsieve.encoders.registry import build
from avsieve.provenance import sha256_of, write_provenance
from avsieve.training.listed import Listed
from avsieve.training.loop import Optimiser, StepBatches, fit, save_encoder
from avsieve.training.margin import AAMSoftmax
from avsieve.training.schedule import Schedule

logger = logging.getLogger(__name__)


class Run(TypedDict, total=False):
    """Where and how a training runs, as keyword arguments of `train_encoder`, which explains them."""

    optimiser: Required[Optimiser]
    device: str
    precision: str
    workers: int
    start_from: str | Path | None
    log: Path | None
    provenance: Path | None
    checkpoint: Path | None
    log_every: int
    checkpoint_every: int
    half: bool


class Recipe(Protocol):
    """What every recipe says; its other fields are the modality's own."""

    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]

    @property
    def arch(self) -> str:
        """Return the name of the architecture."""

    @property
    def batch(self) -> int:
        """Return the number of samples a step."""

    @property
    def scale(self) -> float:
        """Return the scale of the AAM-softmax."""

    @property
    def subcenters(self) -> int:
        """Return the centres per class."""

    @property
    def top_k(self) -> int:
        """Return how many other classes are penalised."""

    @property
    def top_penalty(self) -> float:
        """Return the penalty, radians."""

    @property
    def seed(self) -> int:
        """Return what decides all that is random."""


@dataclass(frozen=True)
class Modality:
    """What tells the training of one modality from that of another.

    Parameters
    ----------
    stage, packages
        Of the provenance.
    table, builtin
        Architecture name -> factory, and the file of the shipped weights.
    samples
        What a batch consists of.
    metadata
        What the file of weights says besides ``arch``, ``dim``, ``classes`` and ``seed``.
    """

    stage: str
    packages: tuple[str, ...]
    table: Mapping[str, str]
    builtin: str
    samples: str
    metadata: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Data:
    """What a training reads.

    Parameters
    ----------
    listed
        The utterances.
    batches
        Batches of them by step.
    classes
        How many the labels of the batches tell apart: the speakers, or more where one speaker makes several.
    """

    listed: Listed
    batches: StepBatches
    classes: int


def train_encoder(
    modality: Modality,
    train_list: Path,
    output: Path,
    load: Callable[[], Data],
    *,
    recipe: Recipe,
    schedule: Schedule,
    optimiser: Optimiser,
    treated: Callable[[nn.Module], nn.Module] | None = None,
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
    modality
        Whose encoder.
    train_list
        The list that ``load`` reads.
    output
        Safetensors file to write, with ``arch``, ``dim``, ``classes`` and ``seed`` in its metadata.
    load
        Opens the data, once the device is known to be there.
    recipe, schedule, optimiser
        What to do.
    treated
        Puts what only training has around the encoder.
    device, precision, workers
        Where and how; see `avsieve.training.loop.fit`.
    start_from
        Weights to begin with (fine-tuning) in place of random ones; ``builtin`` for the shipped ones.
    log, provenance
        CSV of the losses, with a row every ``log_every`` steps, and JSON to write.
    checkpoint
        State of an unfinished training, left every ``checkpoint_every`` steps: resumed if it is there, removed at the
        end.
    half
        Store the weights as float16.

    Raises
    ------
    AvsieveError
        If list and shards do not fit, the device is absent, or the loss is no longer finite.
    """
    target = pick_device(device)
    data = load()
    torch.manual_seed(recipe.seed)
    encoder = build(modality.table, recipe.arch)
    first: Path | None = None
    if start_from is not None:
        first = resolve(start_from, modality.builtin)
        load_into(encoder, read_state(first), source=first)
    dim = int(encoder.dim)  # type: ignore[arg-type]
    criterion = AAMSoftmax(
        dim,
        data.classes,
        margin=0.0,
        scale=recipe.scale,
        subcenters=recipe.subcenters,
        top_k=recipe.top_k,
        top_penalty=recipe.top_penalty,
    )
    logger.info(
        "%s (%d parameters) on %d utterances of %d speakers, %d classes, %d steps of %d %s",
        recipe.arch,
        sum(p.numel() for p in encoder.parameters()),
        len(data.listed),
        data.listed.classes,
        data.classes,
        schedule.steps,
        recipe.batch,
        modality.samples,
    )
    facts = {"train_list": sha256_of(train_list), "speakers": data.listed.classes, "utterances": len(data.listed)}
    rows = fit(
        encoder if treated is None else treated(encoder),
        criterion,
        data.batches,
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
    metadata = {"arch": recipe.arch, "dim": str(dim), "classes": str(data.classes), "seed": str(recipe.seed)}
    save_encoder(output, encoder, metadata | dict(modality.metadata), half=half)
    if provenance is not None:
        write_provenance(
            provenance,
            stage=modality.stage,
            packages=list(modality.packages),
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
