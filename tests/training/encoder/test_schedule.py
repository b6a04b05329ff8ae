from __future__ import annotations

import pytest

from avsieve.errors import ConfigError
from avsieve.training.encoder.schedule import Schedule


def test_the_rate_rises_then_falls_to_its_end() -> None:
    schedule = Schedule(100, lr=1.0, lr_end=0.01, warmup=0.1)
    rates = [schedule.lr_at(s) for s in range(100)]
    assert rates[:11] == sorted(rates[:11])
    assert rates[10:] == sorted(rates[10:], reverse=True)
    assert max(rates) == pytest.approx(1.0)
    assert rates[-1] == pytest.approx(0.01)


def test_the_exponential_rate_falls_once_an_epoch() -> None:
    schedule = Schedule(30, kind="exponential", lr=1.0, warmup=0.0, decay=0.5, epoch_steps=10)
    assert [schedule.lr_at(s) for s in (0, 9, 10, 29)] == [1.0, 1.0, 0.5, 0.25]


def test_the_margin_rises_between_its_shares() -> None:
    schedule = Schedule(100, margin=0.2, margin_from=0.1, margin_until=0.5)
    assert [schedule.margin_at(s) for s in (0, 9, 30, 50, 99)] == pytest.approx([0, 0, 0.1, 0.2, 0.2])


def test_a_margin_without_warmup_is_whole_from_the_first_step() -> None:
    assert Schedule(10, margin=0.3, margin_from=0.0, margin_until=0.0).margin_at(0) == 0.3


def test_epochs_are_counted_in_passes_over_the_list() -> None:
    plan = Schedule(5, epochs=3, kind="exponential", lr=1.0, warmup=0.0, decay=0.5, epoch_steps=0)
    counted = plan.for_list(samples=1001, batch=100)
    assert (counted.steps, counted.epoch_steps, counted.epochs) == (33, 11, 0)
    assert [counted.lr_at(s) for s in (0, 10, 11, 32)] == [1.0, 1.0, 0.5, 0.25]
    assert counted.for_list(7, 7) == counted
    assert Schedule(5).for_list(1001, 100) == Schedule(5)


def test_one_step_is_enough() -> None:
    assert Schedule(1).lr_at(0) > 0


@pytest.mark.parametrize(
    "options", [{"kind": "linear"}, {"steps": 0}, {"epochs": -1}, {"margin_from": 0.5, "margin_until": 0.2}]
)
def test_values_that_cannot_work_are_refused(options: dict) -> None:
    with pytest.raises(ConfigError, match="expected"):
        Schedule(**{"steps": 10, **options})
