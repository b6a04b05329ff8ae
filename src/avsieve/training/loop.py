"""Train an encoder with AAM-softmax: any modality, on one or several processes, resumable to the bit.

Everything random in a step follows from the seed and the step's number: the batches are a function of the step, and
torch's generator is set anew in each. A resumed training therefore ends with the weights of an unbroken one.

Several processes take equal shares of the rows of each batch, and a row is the same whoever makes it. Gradients are
averaged, and batch normalisation sees the whole batch, so the loss is that of one process but for the order in which
floats are added. Dropout alone draws other masks there.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence, Sized
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import torch
from lightning_fabric import Fabric
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from avsieve.encoders.checkpoint import write_state
from avsieve.training.machine import prepare
from avsieve.training.margin import AAMSoftmax
from avsieve.training.meter import Meter, tell, write_log
from avsieve.training.optimiser import Optimiser
from avsieve.training.schedule import Schedule
from avsieve.training.state import Best, Parts, State, apply_state, check_agreement, read_state, save_state
from avsieve.training.validation import Validation

logger = logging.getLogger(__name__)
# Keep apart the seeds of neighbouring trainings, and in one step those of masks and of each process's dropout.
_MIX, _STREAM = 1_000_003, 7_919_000_000_017


class StepBatches(Protocol, Sized):
    """Batches by step: ``batches[step]`` gives inputs and labels (B,) int64, always the same for the same step."""

    def __getitem__(self, step: int) -> tuple[Tensor, Tensor]: ...

    def share(self, rank: int, world: int) -> None:
        """Give only the rows of one process from now on; asked for only where there are several."""


@runtime_checkable
class Stepped(Protocol):
    """An encoder that draws at random for each row of the whole batch, and is told which rows are coming."""

    def begin(self, seed: int, rank: int, world: int) -> None:
        """Prepare for the rows of process ``rank`` of ``world`` in a step."""


@dataclass(frozen=True)
class Phase:
    """A part of a training with data and schedule of its own.

    Parameters
    ----------
    batches
        Batches by step; at least ``schedule.steps`` of them.
    schedule
        What each step does.
    classes
        First and number of the classes of the phase before that go on; None for all.
    """

    batches: StepBatches
    schedule: Schedule
    classes: tuple[int, int] | None = None


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
    """

    log: Path | None = None
    log_every: int = 50
    checkpoint: Path | None = None
    checkpoint_every: int = 500


class _Joint(nn.Module):
    """Encoder and loss as one module, so that one wrapper averages the gradients of both."""

    def __init__(self, encoder: nn.Module, criterion: AAMSoftmax) -> None:
        super().__init__()
        self.encoder, self.criterion = encoder, criterion

    def forward(self, inputs: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        """Return the mean loss, and how many embeddings are nearest to their own class."""
        cosines = self.criterion.cosines(self.encoder(inputs))
        return self.criterion.loss(cosines, labels), (cosines.detach().argmax(dim=1) == labels).sum()


def fit(
    fabric: Fabric,
    encoder: nn.Module,
    criterion: AAMSoftmax,
    phases: Sequence[Phase],
    *,
    optimiser: Optimiser,
    seed: int,
    workers: int = 0,
    keeping: Keeping = Keeping(),
    validation: Validation | None = None,
    recipe: dict[str, Any] | None = None,
) -> State:
    """Train ``encoder`` and the class centres of ``criterion`` in place.

    Parameters
    ----------
    fabric
        Where it runs; see `avsieve.training.machine.start`.
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
            run = _PhaseRun(fabric, encoder, criterion, phase, optimiser, before, total)
            if left is not None and left["phase"] == number:
                state = apply_state(left, fabric, run.parts)
                logger.info("resuming %s at step %d of %d", keeping.checkpoint, state.step, total)
            _steps(run, number, state, seed, workers, keeping, validation, identity)
        before += phase.schedule.steps
    if validation is not None and validation.watch.keep == "best" and state.best and state.best.weights:
        encoder.load_state_dict(state.best.weights)
    return state


class _PhaseRun:
    """A phase at work: optimiser, wrapped network, loader."""

    def __init__(
        self,
        fabric: Fabric,
        encoder: nn.Module,
        criterion: AAMSoftmax,
        phase: Phase,
        optimiser: Optimiser,
        before: int,
        total: int,
    ) -> None:
        self.fabric, self.phase, self.clip = fabric, phase, optimiser.clip
        self.before, self.total = before, total
        self.criterion = criterion
        joint = _Joint(encoder, criterion).train()
        self.parts = Parts(encoder, criterion, optimiser.build([p for p in joint.parameters() if p.requires_grad]))
        self._network, self._stepper = fabric.setup(joint, self.parts.stepper)
        if fabric.world_size > 1:
            phase.batches.share(fabric.global_rank, fabric.world_size)

    def batches(self, first: int, workers: int) -> Iterator[tuple[int, tuple[Tensor, Tensor]]]:
        """Yield steps of the phase and their batches, prepared ahead."""
        assert isinstance(self.phase.batches, Dataset)
        loader = DataLoader(
            self.phase.batches,
            batch_size=None,
            sampler=range(first, self.phase.schedule.steps),
            num_workers=workers,
            prefetch_factor=4 if workers else None,
            pin_memory=self.fabric.device.type == "cuda",
        )
        return enumerate(loader, start=first)

    def step(self, step: int, inputs: Tensor, labels: Tensor, seed: int) -> tuple[Tensor, Tensor]:
        """Take a step of the phase; return this process's mean loss, and its hits."""
        fabric, schedule = self.fabric, self.phase.schedule
        drawn = seed * _MIX + self.before + step
        torch.manual_seed(drawn + (1 + fabric.global_rank) * _STREAM)
        if isinstance(self.parts.encoder, Stepped):
            self.parts.encoder.begin(drawn, fabric.global_rank, fabric.world_size)
        for group in self.parts.stepper.param_groups:
            group["lr"] = schedule.lr_at(step)
        self.criterion.set_margin(schedule.margin_at(step), schedule.risen_at(step))
        self._stepper.zero_grad(set_to_none=True)
        loss, hits = self._network(
            inputs.to(fabric.device, non_blocking=True), labels.to(fabric.device, non_blocking=True)
        )
        fabric.backward(loss)
        if self.clip:
            fabric.clip_gradients(self._network, self._stepper, max_norm=self.clip, error_if_nonfinite=False)
        self._stepper.step()
        return loss, hits


def _steps(
    run: _PhaseRun,
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
        if keeping.log is not None and fabric.is_global_zero:
            write_log(keeping.log, state.rows)
        # Only where a row of the log ends, so that a resumed log has the same rows.
        if keeping.checkpoint is not None and done < run.total and done - saved >= keeping.checkpoint_every:
            save_state(keeping.checkpoint, fabric, run.parts, identity, number, state)
            saved = done
        meter.restart()


def _note(state: State, eer: float, encoder: nn.Module, validation: Validation) -> None:
    if state.best is not None and state.best.eer <= eer:
        return
    weights = None
    if validation.watch.keep == "best":
        weights = {k: v.detach().cpu().clone() for k, v in encoder.state_dict().items()}
    state.best = Best(state.step, eer, weights)


def save_encoder(path: Path, encoder: nn.Module, metadata: dict[str, str], *, half: bool = False) -> None:
    """Write the weights of ``encoder`` as safetensors, atomically; ``half`` stores them as float16."""
    state = encoder.state_dict()
    if half:
        state = {k: v.half() if v.is_floating_point() else v for k, v in state.items()}
    write_state(path, state, metadata)
