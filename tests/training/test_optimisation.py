from __future__ import annotations

from dataclasses import asdict, replace

import pytest
import torch
from torch import nn

from avsieve.errors import ConfigError
from avsieve.training.encoder.settings import TrainAudio
from avsieve.training.optimisation import Optimiser, Schedule

from .encoder.recipes import schedule_of


def test_the_rate_rises_then_falls_to_its_end() -> None:
    schedule = schedule_of(100, lr=1.0, lr_end=0.01, warmup=0.1)
    rates = [schedule.lr_at(s) for s in range(100)]
    assert rates[:11] == sorted(rates[:11])
    assert rates[10:] == sorted(rates[10:], reverse=True)
    assert max(rates) == pytest.approx(1.0)
    assert rates[-1] == pytest.approx(0.01)


def test_the_exponential_rate_falls_once_an_epoch() -> None:
    schedule = schedule_of(30, schedule="exponential", lr=1.0, warmup=0.0, lr_decay=0.5, epoch_steps=10)
    assert [schedule.lr_at(s) for s in (0, 9, 10, 29)] == [1.0, 1.0, 0.5, 0.25]


def test_the_inverse_rate_falls_with_every_step() -> None:
    schedule = replace(schedule_of(30, lr=1.0, warmup=0.0, lr_decay=0.5), kind="inverse")
    assert [schedule.lr_at(s) for s in (0, 1, 2, 6)] == [1.0, 1 / 1.5, 0.5, 0.25]


def test_the_margin_rises_between_its_shares() -> None:
    schedule = schedule_of(100, margin=0.2, margin_from=0.1, margin_until=0.5)
    assert [schedule.margin_at(s) for s in (0, 9, 30, 50, 99)] == pytest.approx([0, 0, 0.1, 0.2, 0.2])


def test_a_margin_without_warmup_is_whole_from_the_first_step() -> None:
    assert schedule_of(10, margin=0.3, margin_from=0.0, margin_until=0.0).margin_at(0) == 0.3


def test_epochs_are_counted_in_passes_over_the_list() -> None:
    plan = schedule_of(5, epochs=3, schedule="exponential", lr=1.0, warmup=0.0, lr_decay=0.5, epoch_steps=0)
    counted = plan.for_list(samples=1001, batch=100)
    assert (counted.steps, counted.epoch_steps, counted.epochs) == (33, 11, 0)
    assert [counted.lr_at(s) for s in (0, 10, 11, 32)] == [1.0, 1.0, 0.5, 0.25]
    assert counted.for_list(7, 7) == counted
    assert schedule_of(5).for_list(1001, 100) == schedule_of(5)


def test_one_step_is_enough() -> None:
    assert schedule_of(1).lr_at(0) > 0


@pytest.mark.parametrize(
    "values", [{"kind": "linear"}, {"steps": 0}, {"epochs": -1}, {"margin_from": 0.5, "margin_until": 0.2}]
)
def test_values_that_cannot_work_are_refused(values: dict) -> None:
    with pytest.raises(ConfigError, match="expected"):
        replace(schedule_of(10), **values)


def test_every_setting_arrives() -> None:
    given = {
        "steps": 9, "epochs": 2, "schedule": "exponential", "lr": 0.5, "lr_end": 0.25, "warmup": 0.125,
        "lr_decay": 0.75, "epoch_steps": 3, "margin": 0.3, "margin_from": 0.2, "margin_until": 0.6,
    }  # fmt: skip
    names = {"schedule": "kind", "lr_decay": "decay"}
    settings = TrainAudio(**given, optimiser="sgd", weight_decay=0.5, clip=0.0)
    assert asdict(Schedule.of(settings)) == {names.get(name, name): value for name, value in given.items()}
    assert Optimiser.of(settings) == Optimiser("sgd", 0.5, 0.0)


def test_a_plain_cosine_has_its_whole_margin_at_once_and_needs_no_epochs() -> None:
    plan = Schedule.cosine(5, lr=1.0, lr_end=0.5, warmup=0.0, margin=0.5).for_list(100, 10)
    assert [plan.lr_at(step) for step in (0, 2, 4)] == pytest.approx([1.0, 0.75, 0.5])
    assert (plan.steps, plan.margin_at(0)) == (5, 0.5)


@pytest.mark.parametrize(
    ("name", "kind"), [("adam", "Adam"), ("amsgrad", "Adam"), ("adamw", "AdamW"), ("sgd", "SGD"), ("momentum", "SGD")]
)
def test_the_optimiser_that_is_named_is_built_with_its_decay(name: str, kind: str) -> None:
    built = Optimiser(name, 0.25, 5.0).build([nn.Parameter(torch.zeros(2))])
    assert type(built).__name__ == kind
    assert built.param_groups[0]["weight_decay"] == 0.25
    assert built.param_groups[0].get("amsgrad", False) is (name == "amsgrad")
    assert built.param_groups[0].get("nesterov", False) is (name == "sgd")
    with pytest.raises(ConfigError, match="optimiser: 'lion' is not known"):
        Optimiser("lion", 0.0, 0.0).build([nn.Parameter(torch.zeros(2))])
