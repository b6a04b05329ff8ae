"""Learning rate and margin as functions of the step: nothing to store, nothing to get out of step on a resume."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from avsieve.errors import ConfigError


@dataclass(frozen=True)
class Schedule:
    """How learning rate and margin move over a training.

    Parameters
    ----------
    steps
        Length of the training.
    epochs
        Passes over the list to train for, in place of ``steps``; 0 for ``steps``. `for_list` makes steps of them.
    kind
        ``cosine``: a linear rise to ``lr``, then half a cosine down to ``lr_end``. ``exponential``: a linear rise,
        then a factor ``decay`` at the end of every ``epoch_steps`` (AVCleanse: 0.97 per epoch, no rise).
    lr, lr_end
        Highest and last learning rate.
    warmup
        Share of the steps in which the rate rises.
    decay, epoch_steps
        See ``exponential``; 0 steps stand for a pass over the list, which `for_list` counts.
    margin
        Last margin in radians.
    margin_from, margin_until
        Shares of the steps between which the margin rises from 0.
    """

    steps: int
    epochs: int = 0
    kind: str = "cosine"
    lr: float = 1e-3
    lr_end: float = 1e-5
    warmup: float = 0.05
    decay: float = 0.97
    epoch_steps: int = 1000
    margin: float = 0.2
    margin_from: float = 0.1
    margin_until: float = 0.4

    def __post_init__(self) -> None:
        if self.kind not in ("cosine", "exponential"):
            raise ConfigError(f"schedule: {self.kind!r} is not known; expected cosine or exponential")
        if self.steps < 1 or self.epochs < 0 or self.epoch_steps < 0:
            raise ConfigError(
                f"schedule: {self.steps} steps or {self.epochs} epochs, {self.epoch_steps} steps an epoch; expected at "
                f"least 1 step, and nothing below 0"
            )
        if not 0 <= self.margin_from <= self.margin_until <= 1:
            raise ConfigError(
                f"schedule: the margin rises from {self.margin_from} to {self.margin_until} of the steps; "
                f"expected 0 <= from <= until <= 1"
            )

    def for_list(self, samples: int, batch: int) -> Schedule:
        """Return the schedule for a list of so many samples, in steps of ``batch``: nothing is left to count."""
        a_pass = math.ceil(samples / batch)
        return replace(
            self,
            steps=self.epochs * a_pass if self.epochs else self.steps,
            epochs=0,
            epoch_steps=self.epoch_steps or a_pass,
        )

    def lr_at(self, step: int) -> float:
        """Return the learning rate of ``step``, counted from 0."""
        rise = self.warmup * self.steps
        if step < rise:
            return self.lr * (step + 1) / (rise + 1)
        if self.kind == "exponential":
            assert self.epoch_steps, "for_list counts the steps of a pass"
            return self.lr * self.decay ** (step // self.epoch_steps)
        along = (step - rise) / max(1.0, self.steps - 1 - rise)
        return self.lr_end + (self.lr - self.lr_end) * 0.5 * (1 + math.cos(math.pi * min(1.0, along)))

    def margin_at(self, step: int) -> float:
        """Return the margin of ``step``, radians."""
        return self.margin * self.risen_at(step)

    def risen_at(self, step: int) -> float:
        """Return the share of its full size that the margin has in ``step``."""
        begin, end = self.margin_from * self.steps, self.margin_until * self.steps
        if step >= end:
            return 1.0
        return 0.0 if step < begin else (step - begin) / (end - begin)
