"""The optimiser of a network, and learning rate and margin as functions of the step.

Functions of the step need no storing, and cannot get out of step on a resume.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from avsieve.errors import ConfigError

if TYPE_CHECKING:
    from avsieve.training.encoder.settings import EncoderTraining

OPTIMISERS = ("adam", "amsgrad", "adamw", "sgd", "momentum")
SCHEDULES = ("cosine", "exponential", "inverse")


@dataclass(frozen=True)
class Optimiser:
    """Which optimiser, with what.

    Parameters
    ----------
    name
        ``adam`` or ``amsgrad`` (decay added to the gradient, as AVCleanse has it), ``adamw``, ``sgd`` (momentum 0.9,
        Nesterov) or ``momentum`` (the same without Nesterov).
    weight_decay
        Weight decay.
    clip
        Largest norm of the gradient; 0 for none.
    """

    name: str
    weight_decay: float
    clip: float

    @classmethod
    def of(cls, settings: EncoderTraining) -> Optimiser:
        """Return the optimiser that the settings ask for."""
        return cls(settings.optimiser, settings.weight_decay, settings.clip)

    def build(self, parameters: list[nn.Parameter] | list[dict[str, Any]]) -> torch.optim.Optimizer:
        """Return the optimiser of parameters, or of groups of them; the schedule sets the rates before every step."""
        decay = self.weight_decay
        if self.name in ("adam", "amsgrad"):
            return torch.optim.Adam(parameters, weight_decay=decay, amsgrad=self.name == "amsgrad")
        if self.name == "adamw":
            return torch.optim.AdamW(parameters, weight_decay=decay)
        if self.name in ("sgd", "momentum"):
            return torch.optim.SGD(parameters, lr=0.1, momentum=0.9, nesterov=self.name == "sgd", weight_decay=decay)
        raise ConfigError(f"optimiser: {self.name!r} is not known; expected {', '.join(OPTIMISERS)}")


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
        then a factor ``decay`` at the end of every ``epoch_steps`` (AVCleanse: 0.97 per epoch, no rise). ``inverse``:
        a linear rise, then ``lr / (1 + decay * step)``.
    lr, lr_end
        Highest and last learning rate.
    warmup
        Share of the steps in which the rate rises.
    decay, epoch_steps
        See ``kind``; 0 steps stand for a pass over the list, which `for_list` counts.
    margin
        Last margin in radians.
    margin_from, margin_until
        Shares of the steps between which the margin rises from 0.
    """

    steps: int
    epochs: int
    kind: str
    lr: float
    lr_end: float
    warmup: float
    decay: float
    epoch_steps: int
    margin: float
    margin_from: float
    margin_until: float

    def __post_init__(self) -> None:
        if self.kind not in SCHEDULES:
            raise ConfigError(f"schedule: {self.kind!r} is not known; expected {', '.join(SCHEDULES)}")
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

    @classmethod
    def of(cls, settings: EncoderTraining) -> Schedule:
        """Return the schedule that the settings ask for."""
        return cls(
            steps=settings.steps,
            epochs=settings.epochs,
            kind=settings.schedule,
            lr=settings.lr,
            lr_end=settings.lr_end,
            warmup=settings.warmup,
            decay=settings.lr_decay,
            epoch_steps=settings.epoch_steps,
            margin=settings.margin,
            margin_from=settings.margin_from,
            margin_until=settings.margin_until,
        )

    @classmethod
    def cosine(cls, steps: int, *, lr: float, lr_end: float, warmup: float, margin: float) -> Schedule:
        """Return a schedule of a cosine whose margin is whole from the first step on."""
        return cls(
            steps=steps,
            epochs=0,
            kind="cosine",
            lr=lr,
            lr_end=lr_end,
            warmup=warmup,
            decay=1.0,
            epoch_steps=0,
            margin=margin,
            margin_from=0.0,
            margin_until=0.0,
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
        if self.kind == "inverse":
            return self.lr / (1.0 + self.decay * step)
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
