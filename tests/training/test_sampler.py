from __future__ import annotations

import pytest

from avsieve.training.sampler import EpochBatches


def samples(batches: EpochBatches) -> list[int]:
    return [sample for step in range(len(batches)) for sample, _ in batches.drawn(step)]


def test_every_sample_comes_once_before_any_comes_again() -> None:
    found = samples(EpochBatches(5, steps=6, batch=4, seed=0))
    epochs = [found[i : i + 5] for i in range(0, 20, 5)]
    assert all(sorted(epoch) == list(range(5)) for epoch in epochs)
    assert len({tuple(epoch) for epoch in epochs}) > 1


def test_a_step_draws_the_same_whatever_was_asked_before() -> None:
    def draws(batches: EpochBatches, step: int) -> list[tuple[int, float]]:
        return [(sample, rng.random()) for sample, rng in batches.drawn(step)]

    one, other = (EpochBatches(5, steps=6, batch=4, seed=3) for _ in range(2))
    forward = [draws(one, step) for step in range(6)]
    assert [draws(other, step) for step in reversed(range(6))] == forward[::-1]
    assert len({number for step in forward for _, number in step}) == 24


def test_the_seed_decides_the_order() -> None:
    assert samples(EpochBatches(50, steps=1, batch=50, seed=0)) != samples(EpochBatches(50, steps=1, batch=50, seed=1))


@pytest.mark.parametrize("step", [-1, 6])
def test_there_are_no_steps_beyond_the_last(step: int) -> None:
    with pytest.raises(IndexError):
        list(EpochBatches(5, steps=6, batch=4, seed=0).drawn(step))
