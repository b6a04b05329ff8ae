import pytest
import torch

from avsieve.fusion.optimisation import build_optimiser, build_schedule
from avsieve.fusion.recipe import Recipe, RecipeSettings
from avsieve.fusion.settings import Fusion


def rates(steps, **own):
    recipe = Recipe.of(Fusion(epochs=4), RecipeSettings(learning_rate=0.5, **own))
    optimiser = build_optimiser(recipe, [torch.nn.Parameter(torch.ones(2))])
    schedule = build_schedule(recipe, optimiser, steps_per_epoch=3)
    found = []
    for _ in range(steps):
        found.append(optimiser.param_groups[0]["lr"])
        optimiser.step()
        schedule.step()
    return found


@pytest.mark.parametrize(
    ("own", "expected"),
    [
        ({"schedule": "exponential", "decay": 0.7}, [0.5, 0.5, 0.5, 0.35, 0.35, 0.35, 0.245]),
        ({"schedule": "inverse", "decay": 0.1}, [0.5, 0.5 / 1.1, 0.5 / 1.2, 0.5 / 1.3]),
        ({"schedule": "inverse"}, [0.5, 0.5, 0.5, 0.5]),
        ({"schedule": "exponential"}, [0.5, 0.5, 0.5, 0.5]),
    ],
)
def test_the_learning_rate_falls_as_the_recipe_says(own, expected):
    assert rates(len(expected), **own) == pytest.approx(expected)


def test_by_default_it_falls_to_zero_along_a_cosine():
    found = rates(13)
    assert found[6] == pytest.approx(0.25)
    assert found[12] == pytest.approx(0.0)


@pytest.mark.parametrize(
    ("name", "kind", "facts"),
    [
        (None, torch.optim.Adam, {"amsgrad": False, "weight_decay": 0.01}),
        ("amsgrad", torch.optim.Adam, {"amsgrad": True, "weight_decay": 0.01}),
        ("sgd", torch.optim.SGD, {"momentum": 0.9, "nesterov": False, "weight_decay": 0.01}),
    ],
)
def test_optimisers_are_those_that_the_papers_name(name, kind, facts):
    recipe = Recipe.of(Fusion(), RecipeSettings(optimiser=name, weight_decay=0.01))
    optimiser = build_optimiser(recipe, [torch.nn.Parameter(torch.ones(2))])
    assert type(optimiser) is kind
    assert {key: optimiser.param_groups[0][key] for key in facts} == facts
