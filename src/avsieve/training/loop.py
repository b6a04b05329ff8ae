"""Train an encoder with AAM-softmax: any modality, on one or several processes, resumable.

Everything random in a step follows from the seed and the step's number: the batches are a function of the step, and
torch's generator is set anew in each. A resumed training therefore ends with the weights of an unbroken one, to the bit
on a CPU; CUDA adds some gradients up in any order, so there they agree but for rounding.

Several processes take equal shares of the rows of each batch, and a row is the same whoever makes it. Gradients are
averaged, and batch normalisation sees the whole batch, so the loss is that of one process but for the order in which
floats are added. Dropout alone draws other masks there.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from lightning_fabric import Fabric
from torch import nn

from avsieve.encoders.checkpoint import write_state
from avsieve.training.devices import prepare
from avsieve.training.encoder.validation import Validation
from avsieve.training.history import Meter, tell, write_log
from avsieve.training.margin import AAMSoftmax
from avsieve.training.optimisation import Optimiser
from avsieve.training.phase import Phase, PhaseRun
from avsieve.training.state import Best, State, apply_state, check_agreement, plain, read_state, save_state
from avsieve.training.tensorboard import Board

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Keeping:
    """What a training leaves on its way.

    Parameters
    ----------
    log, log_every
        CSV of the means of loss and accuracy over every so many steps, written anew each time.
    checkpoint, checkpoint_every
        Where to leave, and to find, the state of an unfinished training, at the first row of the log after so many
        steps; removed by the caller when all is done.
    board
        Folder of TensorBoard's files.
    """

    log: Path | None = None
    log_every: int = 50
    checkpoint: Path | None = None
    checkpoint_every: int = 500
    board: Path | None = None


def fit(
    fabric: Fabric,
    encoder: nn.Module,
    criterion: AAMSoftmax,
    phases: Sequence[Phase],
    *,
    optimiser: Optimiser,
    seed: int,
    workers: int = 0,
    keeping: Keeping,
    validation: Validation | None = None,
    recipe: dict[str, Any] | None = None,
) -> State:
    """Train ``encoder`` and the class centres of ``criterion`` in place.

    Parameters
    ----------
    fabric
        Where it runs; see `avsieve.training.devices.start`.
    encoder
        Maps the inputs of a batch to embeddings (B, dim).
    criterion
        The loss, with its class centres.
    phases
        What is trained on, one after the other; each begins with a fresh optimiser.
    optimiser
        Which one.
    seed
        Decides dropout and masks; the batches have their own.
    workers
        Processes that prepare batches; the result does not depend on their number.
    keeping
        What to leave on the way.
    validation
        Measures the encoder on the way. If it is to keep the best weights, ``encoder`` ends with those.
    recipe
        What else decides the result. A checkpoint of another recipe is refused.

    Returns
    -------
    State
        The rows of the log (step, loss, accuracy, learning rate, margin, and with a validation its equal error rate,
        None where it was not measured), and the best step.

    Raises
    ------
    ModelError
        If the loss is no longer finite, or the checkpoint is of another training.
    """
    schedules = [asdict(phase.schedule) for phase in phases]
    watch = asdict(validation.watch) if validation else None
    facts = {"precision": str(fabric.strategy.precision.precision), "watch": watch, "seed": seed}
    identity = repr(sorted({**asdict(optimiser), **(recipe or {}), **facts, "schedules": schedules}.items()))
    prepare(fabric, encoder)
    left = read_state(keeping.checkpoint, identity)
    check_agreement(fabric, left["step"] if left else 0, keeping.checkpoint)
    state = State()
    before, total = 0, sum(phase.schedule.steps for phase in phases)
    for number, phase in enumerate(phases):
        if phase.classes is not None:
            criterion.keep_classes(*phase.classes)
        if left is None or left["phase"] <= number:
            run = PhaseRun(fabric, encoder, criterion, phase, optimiser, before, total)
            if left is not None and left["phase"] == number:
                state = apply_state(left, fabric, run.parts)
                logger.info("resuming %s at step %d of %d", keeping.checkpoint, state.step, total)
            _steps(run, number, state, seed, workers, keeping, validation, identity)
        before += phase.schedule.steps
    if validation is not None and validation.watch.keep == "best" and state.best and state.best.weights:
        encoder.load_state_dict(state.best.weights)
    return state


def _steps(
    run: PhaseRun,
    number: int,
    state: State,
    seed: int,
    workers: int,
    keeping: Keeping,
    validation: Validation | None,
    identity: str,
) -> None:
    """Take the steps of a phase that are left."""
    fabric, schedule = run.fabric, run.phase.schedule
    meter, saved = Meter(fabric), state.step
    board = Board(keeping.board if fabric.is_global_zero else None, state.step)
    for step, (inputs, labels) in run.batches(state.step - run.before, workers):
        loss, hits = run.step(step, inputs, labels, seed)
        done = run.before + step + 1
        meter.add(done - 1, loss, hits, len(labels))
        last = step + 1 == schedule.steps
        measured = validation is not None and (done == run.total or done % validation.watch.every == 0)
        if not last and not measured and done % keeping.log_every:
            continue
        means = meter.close()
        state.step = done
        row: list[float | None] = [done, means.loss, means.accuracy, schedule.lr_at(step), schedule.margin_at(step)]
        eer = None
        if validation is not None:
            if measured:
                eer = validation.eer(fabric, run.parts.encoder)
                _note(state, eer, run.parts.encoder, validation)
            row.append(eer)
        state.rows.append(row)
        tell(done, run.total, means, eer)
        board.row(row, means)
        if keeping.log is not None and fabric.is_global_zero:
            write_log(keeping.log, state.rows)
        # Only where a row of the log ends, so that a resumed log has the same rows.
        if keeping.checkpoint is not None and done < run.total and done - saved >= keeping.checkpoint_every:
            save_state(keeping.checkpoint, fabric, run.parts, identity, number, state)
            saved = done
        meter.restart()
    board.close()


def _note(state: State, eer: float, encoder: nn.Module, validation: Validation) -> None:
    if state.best is not None and state.best.eer <= eer:
        return
    weights = None
    if validation.watch.keep == "best":
        weights = {k: v.clone() for k, v in plain(encoder.state_dict()).items()}
    state.best = Best(state.step, eer, weights)


def save_encoder(path: Path, encoder: nn.Module, metadata: dict[str, str], *, half: bool = False) -> None:
    """Write the weights of ``encoder`` as safetensors, atomically; ``half`` stores them as float16."""
    state = encoder.state_dict()
    if half:
        state = {k: v.half() if v.is_floating_point() else v for k, v in state.items()}
    write_state(path, state, metadata)
