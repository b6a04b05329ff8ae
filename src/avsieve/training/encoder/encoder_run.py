"""One training of an encoder, from its data to its files: any modality."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

import torch
from torch import nn

from avsieve.encoders.checkpoint import resolve, write_state
from avsieve.encoders.contract import Architecture
from avsieve.encoders.registry import build
from avsieve.registry import Registry
from avsieve.storage.provenance import sha256_of, write_provenance
from avsieve.training.devices import Machine, finish, start
from avsieve.training.encoder.examples import Listed
from avsieve.training.encoder.settings import EncoderTraining
from avsieve.training.encoder.validation import Validation
from avsieve.training.loop import Keeping, fit
from avsieve.training.margin import AAMSoftmax
from avsieve.training.optimisation import Optimiser
from avsieve.training.phase import Phase
from avsieve.training.state import Row, State

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Run:
    """Where a training runs, and what it writes beside the weights.

    Parameters
    ----------
    machine
        Device, processes and precision.
    keeping
        Log, state of an unfinished training, TensorBoard.
    workers
        Processes that prepare batches, for each that trains.
    provenance
        JSON to write.
    half
        Store the weights as float16.
    """

    machine: Machine
    keeping: Keeping
    workers: int
    provenance: Path | None = None
    half: bool = False


@dataclass(frozen=True)
class Modality:
    """What tells the training of one modality from that of another.

    Parameters
    ----------
    stage, packages
        Of the provenance.
    table, builtin
        Architecture name -> factory, and the file of the shipped weights.
    load
        ``load(network, arch, checkpoint)`` returns a new network with the weights of a file to begin with, ours or
        another project's.
    samples
        What a batch consists of.
    """

    stage: str
    packages: tuple[str, ...]
    table: Registry[Architecture]
    builtin: str
    load: Callable[[nn.Module, str, str | Path], nn.Module]
    samples: str


@dataclass(frozen=True)
class Data:
    """What a training reads.

    Parameters
    ----------
    listed
        The utterances.
    phases
        Batches of them by step, and their schedules.
    classes
        How many the labels of the first phase tell apart: the speakers, or more where one speaker makes several.
    validation
        Measures the encoder on the way, on speakers kept out of ``listed``.
    metadata
        What the file of weights says besides ``arch``, ``dim``, ``classes`` and ``seed``.
    """

    listed: Listed
    phases: Sequence[Phase]
    classes: int
    validation: Validation | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)


def train_encoder(
    modality: Modality,
    train_list: Path,
    output: Path,
    load: Callable[[nn.Module], Data],
    *,
    settings: EncoderTraining,
    run: Run,
    recipe: Mapping[str, Any],
    wrap: Callable[[nn.Module], nn.Module] | None = None,
    besides: Mapping[str, Any] = MappingProxyType({}),
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
    settings
        What to do. Its ``start_from`` may be whatever file the embedding stages load, other projects' among them.
    run
        Where, and what to leave. The state of an unfinished training is resumed if it is there, and removed at the end.
    recipe
        What of the settings decides the result beside schedule, optimiser and validation, for the provenance; a
        checkpoint of another training is told by it.
    wrap
        Puts what only training has around the encoder.
    besides
        What else decides the result.

    Raises
    ------
    AvsieveError
        If list and shards do not fit, the device is absent, the first weights are of another architecture, or the loss
        is no longer finite.
    """
    fabric = start(run.machine)
    torch.manual_seed(settings.seed)
    encoder = build(modality.table, settings.arch)
    first: Path | None = None
    if settings.start_from is not None:
        first = resolve(settings.start_from, modality.builtin)
        encoder = modality.load(encoder, settings.arch, settings.start_from)
        logger.info("starting from the weights of %s", first)
    data = load(encoder)
    dim = int(encoder.dim)  # type: ignore[arg-type]
    criterion = AAMSoftmax(
        dim,
        data.classes,
        margin=0.0,
        scale=settings.scale,
        subcenters=settings.subcenters,
        top_k=settings.top_k,
        top_penalty=settings.top_penalty,
    )
    optimiser, processes = Optimiser.of(settings), run.machine.processes
    logger.info(
        "%s (%d parameters) on %d utterances of %d speakers, %d classes, %d steps of %d %s, %s of %s%s",
        settings.arch,
        sum(p.numel() for p in encoder.parameters()),
        len(data.listed),
        data.listed.classes,
        data.classes,
        sum(phase.schedule.steps for phase in data.phases),
        settings.batch,
        modality.samples,
        f"{processes} processes" if processes > 1 else "1 process",
        fabric.device.type,
        "" if data.validation is None else f", {data.validation.speakers} other speakers for the validation",
    )
    facts = {"train_list": sha256_of(train_list), "speakers": data.listed.classes, "utterances": len(data.listed)}
    state = fit(
        fabric,
        encoder if wrap is None else wrap(encoder),
        criterion,
        data.phases,
        optimiser=optimiser,
        seed=settings.seed,
        workers=run.workers,
        keeping=run.keeping,
        validation=data.validation,
        recipe={**recipe, **facts, **besides, "start_from": sha256_of(first) if first else ""},
    )
    if fabric.is_global_zero:
        metadata = {"arch": settings.arch, "dim": str(dim), "classes": str(data.classes), "seed": str(settings.seed)}
        save_encoder(output, encoder, metadata | dict(data.metadata), half=run.half)
        if run.provenance is not None:
            write_provenance(
                run.provenance,
                stage=modality.stage,
                packages=list(modality.packages),
                device=fabric.device.type,
                processes=processes,
                precision=run.machine.precision,
                recipe=dict(recipe),
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
        if run.keeping.checkpoint is not None:
            run.keeping.checkpoint.unlink(missing_ok=True)
    finish(fabric)
    return state.rows


def save_encoder(path: Path, encoder: nn.Module, metadata: dict[str, str], *, half: bool = False) -> None:
    """Write the weights of ``encoder`` as safetensors, atomically; ``half`` stores them as float16."""
    state = encoder.state_dict()
    if half:
        state = {k: v.half() if v.is_floating_point() else v for k, v in state.items()}
    write_state(path, state, metadata)


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
