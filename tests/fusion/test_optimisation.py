import pytest
import torch

from avsieve.fusion.optimisation import optimiser_of, schedule_of
from avsieve.fusion.recipe import Recipe, RecipeSettings
from avsieve.fusion.settings import Fusion


def plan(**own):
    recipe = Recipe.of(Fusion(epochs=4), RecipeSettings(learning_rate=0.5, **own))
    return schedule_of(recipe, epoch_steps=3)


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
    schedule = plan(**own)
    assert [schedule.lr_at(step) for step in range(len(expected))] == pytest.approx(expected)


def test_by_default_it_falls_to_zero_along_a_cosine():
    schedule = plan()
    assert schedule.steps == 12
    assert schedule.lr_at(0) == 0.5
    assert schedule.lr_at(4) + schedule.lr_at(7) == pytest.approx(0.5)
    assert schedule.lr_at(11) == pytest.approx(0.0)


def test_the_margin_grows_over_the_first_fifth_or_is_whole_at_once():
    rising = schedule_of(Recipe.of(Fusion(epochs=10, margin=0.4), RecipeSettings()), epoch_steps=10)
    assert [rising.margin_at(step) for step in (0, 10, 20, 99)] == pytest.approx([0.0, 0.2, 0.4, 0.4])
    assert plan(margin=0.3, margin_rises=False).margin_at(0) == 0.3


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
    optimiser = optimiser_of(recipe).build([torch.nn.Parameter(torch.ones(2))])
    assert type(optimiser) is kind
    assert {key: optimiser.param_groups[0][key] for key in facts} == facts
