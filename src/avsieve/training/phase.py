"""A part of a training with data and schedule of its own, and the step that it takes again and again."""

from __future__ import annotations

from collections.abc import Iterator, Sized
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import torch
from lightning_fabric import Fabric
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from avsieve.training.devices import layout_of
from avsieve.training.margin import AAMSoftmax
from avsieve.training.optimisation import Optimiser, Schedule
from avsieve.training.state import Parts

# Keep apart the seeds of neighbouring trainings, and in one step those of masks and of each process's dropout.
_MIX, _STREAM = 1_000_003, 7_919_000_000_017


class StepBatches(Protocol, Sized):
    """Batches by step: ``batches[step]`` gives inputs and labels (B,) int64, always the same for the same step."""

    @property
    def dimensions(self) -> int:
        """Return how many dimensions the inputs have: 4 for images (B, channels, height, width)."""

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


class _Joint(nn.Module):
    """Encoder and loss as one module, so that one wrapper averages the gradients of both."""

    def __init__(self, encoder: nn.Module, criterion: AAMSoftmax) -> None:
        super().__init__()
        self.encoder, self.criterion = encoder, criterion

    def forward(self, inputs: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        """Return the mean loss, and how many embeddings are nearest to their own class."""
        cosines = self.criterion.cosines(self.encoder(inputs))
        return self.criterion.loss(cosines, labels), (cosines.detach().argmax(dim=1) == labels).sum()


class PhaseRun:
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
        # Before Fabric wraps the network: what averages the gradients lays them out as the weights lie then.
        self._layout = layout_of(fabric.device, phase.batches.dimensions)
        joint = _Joint(encoder, criterion).train().to(memory_format=self._layout)  # type: ignore[call-overload]
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
            inputs.to(fabric.device, non_blocking=True, memory_format=self._layout),
            labels.to(fabric.device, non_blocking=True),
        )
        fabric.backward(loss)
        if self.clip:
            fabric.clip_gradients(self._network, self._stepper, max_norm=self.clip, error_if_nonfinite=False)
        self._stepper.step()
        return loss, hits
