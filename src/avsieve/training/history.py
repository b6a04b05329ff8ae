"""What a training tells on its way: means over the steps since the last row, and the table of the rows."""

from __future__ import annotations

import csv
import io
import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from lightning_fabric import Fabric
from torch import Tensor

from avsieve.errors import ModelError
from avsieve.storage.atomic import write_text
from avsieve.training.devices import gathered

logger = logging.getLogger(__name__)
COLUMNS = ("step", "loss", "accuracy", "lr", "margin")
VALIDATED = "validation_eer"
_AT_ONCE = 256  # steps


@dataclass(frozen=True)
class Means:
    """Loss, share of samples nearest to their own class, steps and samples a second, since the last row."""

    loss: float
    accuracy: float
    steps_per_s: float
    samples_per_s: float


class Meter:
    """Sums on the device, over all processes: nothing waits for the device before a row is due."""

    def __init__(self, fabric: Fabric) -> None:
        self.fabric = fabric
        self.restart()

    def restart(self) -> None:
        """Begin a new row."""
        self.steps = self._samples = self._first = 0
        self._losses: list[Tensor] = []
        self._hits: list[Tensor] = []
        # Losses, hits, and the first step whose loss was not finite.
        self._sums = torch.tensor([0.0, 0.0, torch.inf], dtype=torch.float64, device=self.fabric.device)
        self._since = time.monotonic()

    def add(self, step: int, loss: Tensor, hits: Tensor, samples: int) -> None:
        """Count a step of this process's share of the batch; its loss and hits are scalars."""
        if not self._losses:
            self._first = step
        self.steps += 1
        self._samples += samples
        self._losses.append(loss.detach())
        self._hits.append(hits)
        if len(self._losses) == _AT_ONCE:
            self._sum()

    def _sum(self) -> None:
        """Sum what was counted: many steps at once, since each operation takes longer to start than to do."""
        if not self._losses:
            return
        losses, hits = torch.stack(self._losses).double(), torch.stack(self._hits).double()
        steps = torch.arange(len(losses), dtype=torch.float64, device=losses.device) + self._first
        broken = torch.where(losses.isfinite(), torch.inf, steps).min()
        found = torch.stack([losses.sum(), hits.sum(), broken])
        self._sums = torch.cat([self._sums[:2] + found[:2], torch.minimum(self._sums[2:], found[2:])])
        self._losses, self._hits = [], []

    def close(self) -> Means:
        """Return the means over all processes, and begin anew.

        Raises
        ------
        ModelError
            If a loss was not finite.
        """
        self._sum()
        samples = torch.tensor([float(self._samples)], dtype=torch.float64, device=self.fabric.device)
        found = gathered(self.fabric, torch.cat([self._sums, samples])).cpu()
        first = found[:, 2].min().item()
        if first != float("inf"):
            raise ModelError(f"step {int(first)}: the loss is not finite; lower the learning rate")
        losses, hits, count = found[:, 0].mean().item(), found[:, 1].sum().item(), found[:, 3].sum().item()
        taken = max(time.monotonic() - self._since, 1e-9)
        means = Means(losses / self.steps, hits / count, self.steps / taken, count / taken)
        self.restart()
        return means


def tell(step: int, steps: int, means: Means, eer: float | None) -> None:
    """Write a row as a line of the script's log."""
    logger.info(
        "step %d of %d: loss %.3f, accuracy %.1f %%, %.2f steps/s, %.0f samples/s%s",
        step,
        steps,
        means.loss,
        100 * means.accuracy,
        means.steps_per_s,
        means.samples_per_s,
        "" if eer is None else f", EER {100 * eer:.2f} % of the validation speakers",
    )


def write_log(path: Path, rows: Sequence[Sequence[float | None]]) -> None:
    """Write the rows of a training as CSV; those of one with a validation have its EER, where there was one."""
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    width = max(map(len, rows), default=len(COLUMNS))
    table.writerow((*COLUMNS, VALIDATED)[:width])
    table.writerows([f"{r[0]:.0f}", *("" if x is None else f"{x:.6g}" for x in r[1:])] for r in rows)
    write_text(path, text.getvalue())
