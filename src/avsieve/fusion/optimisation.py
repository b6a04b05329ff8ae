"""The optimiser of a fusion network and its learning rate, as a recipe names them."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import CosineAnnealingLR, LambdaLR, LRScheduler

from avsieve.fusion.recipe import Recipe


def build_optimiser(recipe: Recipe, parameters: Iterable[nn.Parameter]) -> Optimizer:
    """Return the optimiser; its weight decay is added to the gradient."""
    lr, decay = recipe.learning_rate, recipe.weight_decay
    if recipe.optimiser == "sgd":
        return torch.optim.SGD(parameters, lr=lr, momentum=0.9, weight_decay=decay)
    return torch.optim.Adam(parameters, lr=lr, weight_decay=decay, amsgrad=recipe.optimiser == "amsgrad")


def build_schedule(recipe: Recipe, optimiser: Optimizer, steps_per_epoch: int) -> LRScheduler:
    """Return the schedule, to be stepped after each batch."""
    if recipe.schedule == "cosine":
        return CosineAnnealingLR(optimiser, recipe.epochs * steps_per_epoch)
    decay = recipe.decay
    if decay is None:
        return LambdaLR(optimiser, lambda step: 1.0)
    if recipe.schedule == "exponential":
        return LambdaLR(optimiser, lambda step: decay ** (step // steps_per_epoch))
    return LambdaLR(optimiser, lambda step: 1.0 / (1.0 + decay * step))
