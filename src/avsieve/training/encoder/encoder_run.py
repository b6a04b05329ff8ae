"""One training of an encoder, from its data to its files: any modality."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from types import MappingProxyType
from typing import Any

import torch
from torch import nn

from avsieve.encoders.checkpoint import resolve
from avsieve.encoders.registry import build
from avsieve.storage.provenance import sha256_of, write_provenance
from avsieve.training.encoder.devices import Machine, finish, start
from avsieve.training.encoder.job import Data, Modality, Recipe
from avsieve.training.encoder.loop import Keeping, fit, save_encoder
from avsieve.training.encoder.margin import AAMSoftmax
from avsieve.training.encoder.optimiser import Optimiser
from avsieve.training.encoder.state import Row, State
from avsieve.training.encoder.validation import Validation

logger = logging.getLogger(__name__)


def train_encoder(
    modality: Modality,
    train_list: Path,
    output: Path,
    load: Callable[[nn.Module], Data],
    *,
    recipe: Recipe,
    optimiser: Optimiser,
    treated: Callable[[nn.Module], nn.Module] | None = None,
    besides: Mapping[str, Any] = MappingProxyType({}),
    device: str = "auto",
    devices: int = 1,
    nodes: int = 1,
    strategy: str = "auto",
    precision: str = "fp32",
    workers: int = 0,
    start_from: str | Path | None = None,
    log: Path | None = None,
    provenance: Path | None = None,
    checkpoint: Path | None = None,
    log_every: int = 50,
    checkpoint_every: int = 500,
    half: bool = False,
    board: Path | None = None,
) -> list[Row]:
    """Train and write an encoder; return the rows of the log.

    Of several processes the first one writes.

    Parameters
    ----------
    modality
        Whose encoder.
    train_list
        The list that ``load`` reads.
    output
        Safetensors file to write, with ``arch``, ``dim``, ``classes`` and ``seed`` in its metadata.
    load
        Opens the data for the encoder, which has its first weights; called once the device is known to be there.
    recipe, optimiser
        What to do.
    treated
        Puts what only training has around the encoder.
    besides
        What else decides the result, for the provenance; a checkpoint of another training is told by it.
    device, devices, nodes, strategy, precision
        Where and how; see `avsieve.training.encoder.devices.Machine`.
    workers
        Processes that prepare batches, for each that trains.
    start_from
        Weights to begin with (fine-tuning) in place of random ones: whatever file the embedding stages load, other
        projects' among them; ``builtin`` for the shipped ones.
    log, provenance
        CSV of the losses, with a row every ``log_every`` steps, and JSON to write.
    checkpoint
        State of an unfinished training, left every ``checkpoint_every`` steps: resumed if it is there, removed at the
        end.
    half
        Store the weights as float16.
    board
        Folder for TensorBoard's files.

    Raises
    ------
    AvsieveError
        If list and shards do not fit, the device is absent, the first weights are of another architecture, or the loss
        is no longer finite.
    """
    machine = Machine(device, devices, nodes, strategy, precision)
    fabric = start(machine)
    torch.manual_seed(recipe.seed)
    encoder = build(modality.table, recipe.arch)
    first: Path | None = None
    if start_from is not None:
        first = resolve(start_from, modality.builtin)
        encoder = modality.load(encoder, recipe.arch, start_from)
        logger.info("begins with the weights of %s", first)
    data = load(encoder)
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
        "%s (%d parameters) on %d utterances of %d speakers, %d classes, %d steps of %d %s, %s of %s%s",
        recipe.arch,
        sum(p.numel() for p in encoder.parameters()),
        len(data.listed),
        data.listed.classes,
        data.classes,
        sum(phase.schedule.steps for phase in data.phases),
        recipe.batch,
        modality.samples,
        f"{machine.processes} processes" if machine.processes > 1 else "1 process",
        fabric.device.type,
        "" if data.validation is None else f", {data.validation.speakers} other speakers for the validation",
    )
    facts = {"train_list": sha256_of(train_list), "speakers": data.listed.classes, "utterances": len(data.listed)}
    state = fit(
        fabric,
        encoder if treated is None else treated(encoder),
        criterion,
        data.phases,
        optimiser=optimiser,
        seed=recipe.seed,
        workers=workers,
        keeping=Keeping(log, log_every, checkpoint, checkpoint_every, board),
        validation=data.validation,
        recipe={**asdict(recipe), **facts, **besides, "start_from": sha256_of(first) if first else ""},
    )
    if fabric.is_global_zero:
        metadata = {"arch": recipe.arch, "dim": str(dim), "classes": str(data.classes), "seed": str(recipe.seed)}
        save_encoder(output, encoder, metadata | dict(data.metadata), half=half)
        if provenance is not None:
            write_provenance(
                provenance,
                stage=modality.stage,
                packages=list(modality.packages),
                device=fabric.device.type,
                processes=machine.processes,
                precision=precision,
                recipe=asdict(recipe),
                schedule=[asdict(phase.schedule) for phase in data.phases],
                optimiser=asdict(optimiser),
                **data.metadata,
                loss=state.rows[-1][1],
                accuracy=state.rows[-1][2],
                validation=_validated(data.validation, state),
                sha256=sha256_of(output),
                **facts,
                **besides,
            )
        if checkpoint is not None:
            checkpoint.unlink(missing_ok=True)
    finish(fabric)
    return state.rows


def _validated(validation: Validation | None, state: State) -> dict[str, Any] | None:
    """Return what the validation found, for the provenance."""
    if validation is None or state.best is None:
        return None
    return {
        "speakers": validation.speakers,
        "utterances": len(validation.picked),
        "keep": validation.watch.keep,
        "best_step": state.best.step,
        "best_eer": state.best.eer,
        "last_eer": state.rows[-1][5],
    }
