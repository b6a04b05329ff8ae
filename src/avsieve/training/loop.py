"""Train a network to tell speakers apart: encoder or fusion, on one or several processes, resumable.

Everything random in a step follows from the seed and the step's number: the batches are a function of the step, and
torch's generator is set anew in each. A resumed training therefore ends with the weights of an unbroken one, to the bit
on a CPU; CUDA adds some gradients up in any order, so there they agree but for rounding.

Several processes take equal shares of the rows of each batch, and a row is the same whoever makes it. Gradients are
averaged, and batch normalisation sees the whole batch, so the loss is that of one process but for the order in which
floats are added. Dropout alone draws other masks there.

Whose networks these are is told by what is given: the batches bring what the network takes (`avsieve.training.phase`),
the criterion judges what it returns, and a network may ask for learning rates of its own (`avsieve.training.rates`).
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from lightning_fabric import Fabric
from torch import Tensor, nn

from avsieve.training.criterion import Criterion
from avsieve.training.devices import prepare
from avsieve.training.history import Meter, tell, write_log
from avsieve.training.margin import AAMSoftmax
from avsieve.training.optimisation import Optimiser
from avsieve.training.phase import Phase, PhaseRun
from avsieve.training.state import Best, State, apply_state, check_agreement, plain, read_state, save_state
from avsieve.training.stopping import told_when_stopped
from avsieve.training.tensorboard import Board
from avsieve.training.validation import Measuring

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
    epoch_steps
        Steps of an epoch, whose end has a row of the log too; 0 for no epochs.
    """

    log: Path | None = None
    log_every: int = 50
    checkpoint: Path | None = None
    checkpoint_every: int = 500
    board: Path | None = None
    epoch_steps: int = 0

    def ends(self, done: int) -> bool:
        """Tell whether a row of the log ends after ``done`` steps."""
        return not done % self.log_every or (self.epoch_steps > 0 and not done % self.epoch_steps)


def fit(
    fabric: Fabric,
    network: nn.Module,
    criterion: Criterion,
    phases: Sequence[Phase],
    *,
    optimiser: Optimiser,
    seed: int,
    workers: int = 0,
    keeping: Keeping,
    validation: Measuring | None = None,
    recipe: dict[str, Any] | None = None,
    penalty: Callable[[], Tensor] | None = None,
) -> State:
    """Train ``network`` and what ``criterion`` has learned of the classes in place.

    Parameters
    ----------
    fabric
        Where it runs; see `avsieve.training.devices.start`.
    network
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
        Measures the network on the way. If it is to keep the best weights, ``network`` ends with those.
    recipe
        What else decides the result. A checkpoint of another recipe is refused.
    penalty
        Returns a scalar that is added to the loss, and to no row of the log, such as L2-SP.

    Returns
    -------
    State
        The rows of the log (step, loss, accuracy, learning rate, margin, and with a validation its equal error rate,
        None where it was not measured), the best step, and the seconds it all took.

    Raises
    ------
    ModelError
        If the loss is no longer finite, or the checkpoint is of another training.
    """
    schedules = [asdict(phase.schedule) for phase in phases]
    watch = asdict(validation.watch) if validation else None
    facts = {"precision": str(fabric.strategy.precision.precision), "watch": watch, "seed": seed}
    identity = repr(sorted({**asdict(optimiser), **(recipe or {}), **facts, "schedules": schedules}.items()))
    prepare(fabric, network)
    left = read_state(keeping.checkpoint, identity)
    check_agreement(fabric, left["step"] if left else 0, keeping.checkpoint)
    state = State()
    before, total = 0, sum(phase.schedule.steps for phase in phases)
    for number, phase in enumerate(phases):
        if phase.classes is not None:
            assert isinstance(criterion, AAMSoftmax), "only its classes can be left out"
            criterion.keep_classes(*phase.classes)
        if left is None or left["phase"] <= number:
            run = PhaseRun(fabric, network, criterion, phase, optimiser, before, total, penalty)
            if left is not None and left["phase"] == number:
                state = apply_state(left, fabric, run.parts)
                logger.info("resuming %s at step %d of %d", keeping.checkpoint, state.step, total)
            with told_when_stopped(fabric.is_global_zero, state, total, keeping.checkpoint):
                _steps(run, number, state, seed, workers, keeping, validation, identity)
        before += phase.schedule.steps
    if validation is not None and validation.watch.keep == "best" and state.best and state.best.weights:
        network.load_state_dict(state.best.weights)
    return state


def _steps(
    run: PhaseRun,
    number: int,
    state: State,
    seed: int,
    workers: int,
    keeping: Keeping,
    validation: Measuring | None,
    identity: str,
) -> None:
    """Take the steps of a phase that are left."""
    fabric, schedule = run.fabric, run.phase.schedule
    meter, saved = Meter(fabric), state.step
    began = time.monotonic() - state.seconds
    board = Board(keeping.board if fabric.is_global_zero else None, state.step)
    for step, (inputs, labels) in run.batches(state.step - run.before, workers):
        loss, hits = run.step(step, inputs, labels, seed)
        done = run.before + step + 1
        meter.add(done - 1, loss, hits, len(labels))
        last = step + 1 == schedule.steps
        measured = validation is not None and (done == run.total or done % validation.watch.every == 0)
        if not last and not measured and not keeping.ends(done):
            continue
        means = meter.close()
        state.step, state.seconds = done, time.monotonic() - began
        row: list[float | None] = [done, means.loss, means.accuracy, schedule.lr_at(step), schedule.margin_at(step)]
        eer = None
        if validation is not None:
            if measured:
                eer = validation.eer(fabric, run.parts.network)
                _note(state, eer, run.parts.network, validation)
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


def _note(state: State, eer: float, network: nn.Module, validation: Measuring) -> None:
    if state.best is not None and state.best.eer <= eer:
        return
    weights = None
    if validation.watch.keep == "best":
        weights = {k: v.clone() for k, v in plain(network.state_dict()).items()}
    state.best = Best(state.step, eer, weights)
