"""A part of a training with data and schedule of its own, and the step that it takes again and again."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sized
from dataclasses import dataclass
from typing import Any, Protocol, Self, runtime_checkable

import torch
from lightning_fabric import Fabric
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from avsieve.runtime.prefetch import prefetched
from avsieve.training.criterion import Criterion
from avsieve.training.devices import layout_of
from avsieve.training.optimisation import Optimiser, Schedule
from avsieve.training.rates import rate_groups, set_rates
from avsieve.training.state import Parts

# Keep apart the seeds of neighbouring trainings, and in one step those of masks and of each process's dropout.
_MIX, _STREAM = 1_000_003, 7_919_000_000_017
_AHEAD = 3  # batches that a thread has ready


class Movable(Protocol):
    """An input of a network that is no single tensor, such as one modality of a batch."""

    def to(self, device: torch.device, *, non_blocking: bool = False) -> Self:
        """Return it on another device."""

    def pin_memory(self) -> Self:
        """Return it where a GPU can fetch it while the CPU goes on."""


BatchInputs = Tensor | tuple[Movable, ...]


class StepBatches(Protocol, Sized):
    """Batches by step: ``batches[step]`` gives inputs and labels (B,) int64, always the same for the same step.

    The inputs are a tensor, or a tuple of what the network takes. What is a torch ``Dataset`` is read by worker
    processes, if there are any; what is not, by a thread or in turn (`Ahead`).
    """

    @property
    def dimensions(self) -> int:
        """Return how many dimensions the inputs have: 4 for images (B, channels, height, width)."""

    def __getitem__(self, step: int) -> tuple[Any, Tensor]: ...

    def share(self, rank: int, world: int) -> None:
        """Give only the rows of one process from now on; asked for only where there are several."""


@runtime_checkable
class Ahead(Protocol):
    """Batches that know whether they are slow to read: only then is a thread worth its hand-over."""

    ahead: bool


@runtime_checkable
class Uneven(Protocol):
    """Batches of which each process may get another number of rows."""

    def weight(self, step: int) -> float:
        """Return this process's share of a batch as a multiple of an even one, for its loss to count as much."""


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


class _Joint(nn.Module):
    """Network and loss as one module, so that one wrapper averages the gradients of both."""

    def __init__(self, network: nn.Module, criterion: Criterion, penalty: Callable[[], Tensor] | None) -> None:
        super().__init__()
        self.network, self.criterion, self.penalty = network, criterion, penalty

    def forward(self, inputs: BatchInputs, labels: Tensor, weight: float) -> tuple[Tensor, Tensor, Tensor]:
        """Return what is to fall, the loss without the penalty, and how many rows are taken for their own class."""
        embeddings = self.network(*inputs) if isinstance(inputs, tuple) else self.network(inputs)
        loss, hits = self.criterion.judge(embeddings, labels)
        loss = loss if weight == 1.0 else weight * loss
        return loss if self.penalty is None else loss + self.penalty(), loss.detach(), hits


class PhaseRun:
    """A phase at work: optimiser, wrapped network, loader."""

    def __init__(
        self,
        fabric: Fabric,
        network: nn.Module,
        criterion: Criterion,
        phase: Phase,
        optimiser: Optimiser,
        before: int,
        total: int,
        penalty: Callable[[], Tensor] | None = None,
    ) -> None:
        self.fabric, self.phase, self.clip = fabric, phase, optimiser.clip
        self.before, self.total = before, total
        self.criterion = criterion
        self._stepped = network if isinstance(network, Stepped) else None
        self._uneven = phase.batches if isinstance(phase.batches, Uneven) else None
        # Before Fabric wraps the network: what averages the gradients lays them out as the weights lie then.
        self._layout = layout_of(fabric.device, phase.batches.dimensions)
        joint = _Joint(network, criterion, penalty).train().to(memory_format=self._layout)  # type: ignore[call-overload]
        self.parts = Parts(network, criterion, optimiser.build(rate_groups(network, criterion)))
        self._network, self._stepper = fabric.setup(joint, self.parts.stepper)
        if fabric.world_size > 1:
            phase.batches.share(fabric.global_rank, fabric.world_size)

    def batches(self, first: int, workers: int) -> Iterator[tuple[int, tuple[Any, Tensor]]]:
        """Yield steps of the phase and their batches, prepared ahead."""
        batches, steps = self.phase.batches, range(first, self.phase.schedule.steps)
        on_gpu = self.fabric.device.type == "cuda"
        if isinstance(batches, Dataset):
            loader = DataLoader(
                batches,
                batch_size=None,
                sampler=steps,
                num_workers=workers,
                prefetch_factor=4 if workers else None,
                pin_memory=on_gpu,
            )
            return enumerate(loader, start=first)
        read = (batches[step] for step in steps)
        if on_gpu:
            read = ((tuple(part.pin_memory() for part in inputs), labels.pin_memory()) for inputs, labels in read)
        if on_gpu or (isinstance(batches, Ahead) and batches.ahead):
            return enumerate(prefetched(read, _AHEAD), start=first)
        return enumerate(read, start=first)

    def step(self, step: int, inputs: Any, labels: Tensor, seed: int) -> tuple[Tensor, Tensor]:
        """Take a step of the phase; return this process's mean loss, and its hits."""
        fabric, schedule = self.fabric, self.phase.schedule
        drawn = seed * _MIX + self.before + step
        _seed(drawn + (1 + fabric.global_rank) * _STREAM, fabric.device)
        if self._stepped is not None:
            self._stepped.begin(drawn, fabric.global_rank, fabric.world_size)
        set_rates(self.parts.stepper, schedule.lr_at(step))
        self.criterion.set_margin(schedule.margin_at(step), schedule.risen_at(step))
        self._stepper.zero_grad(set_to_none=True)
        weight = 1.0 if self._uneven is None else self._uneven.weight(step)
        objective, loss, hits = self._network(self._moved(inputs), labels.to(fabric.device, non_blocking=True), weight)
        fabric.backward(objective)
        if self.clip:
            fabric.clip_gradients(self._network, self._stepper, max_norm=self.clip, error_if_nonfinite=False)
        self._stepper.step()
        return loss, hits

    def _moved(self, inputs: Any) -> Any:
        device = self.fabric.device
        if isinstance(inputs, Tensor):
            return inputs.to(device, non_blocking=True, memory_format=self._layout)
        return tuple(part.to(device, non_blocking=True) for part in inputs)


def _seed(seed: int, device: torch.device) -> None:
    """Set torch's generators of the CPU and of ``device``; `torch.manual_seed` sets those of all kinds, and is slow."""
    torch.default_generator.manual_seed(seed)
    if device.type == "cuda":
        torch.cuda.manual_seed(seed)
