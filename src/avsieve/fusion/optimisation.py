"""What a recipe of fusion asks of the optimiser and the schedule that all trainings share."""

from __future__ import annotations

from avsieve.fusion.recipe import Recipe
from avsieve.training.optimisation import Optimiser, Schedule

_RISING = 0.2  # share of the steps in which the margin grows
_NAMES = {"sgd": "momentum"}  # the papers' stochastic gradient descent has no Nesterov


def optimiser_of(recipe: Recipe) -> Optimiser:
    """Return the optimiser of a recipe; its weight decay is added to the gradient, and gradients have no limit."""
    return Optimiser(_NAMES.get(recipe.optimiser, recipe.optimiser), recipe.weight_decay, clip=0.0)


def schedule_of(recipe: Recipe, epoch_steps: int) -> Schedule:
    """Return the schedule of a recipe whose epochs have so many steps."""
    decay = recipe.decay
    constant = recipe.schedule != "cosine" and decay is None
    return Schedule(
        steps=recipe.epochs * epoch_steps,
        epochs=0,
        kind="exponential" if constant else recipe.schedule,
        lr=recipe.learning_rate,
        lr_end=0.0,
        warmup=0.0,
        decay=1.0 if decay is None else decay,
        epoch_steps=epoch_steps,
        margin=recipe.margin,
        margin_from=0.0,
        margin_until=_RISING if recipe.margin_rises else 0.0,
    )
