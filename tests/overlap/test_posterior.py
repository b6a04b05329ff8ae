from __future__ import annotations

import numpy as np
import pytest

from avsieve.overlap.posterior import counted, number_of, prior_of


def drawn(shared: int, seed: int, n: int = 40_000, d: float = 5.0) -> tuple[np.ndarray, np.ndarray]:
    """Return true log likelihood ratios of n pairs, and which are one person."""
    rng = np.random.default_rng(seed)
    same = np.arange(n) < shared
    return d * rng.standard_normal(n) + np.where(same, d * d / 2, -d * d / 2), same


def test_the_prior_is_the_share_of_pairs_that_are_one_person() -> None:
    ratio, same = drawn(40, 0)
    prior = prior_of(counted(ratio), 200)
    assert prior.mean * len(ratio) == pytest.approx(40, abs=8)
    p = prior.probability(ratio)
    assert p.sum() == pytest.approx(40, abs=8)
    assert p[same].mean() > 0.8 > 0.001 > p[~same].mean()


def test_intervals_of_the_number_hold_the_truth_as_often_as_they_say() -> None:
    inside = 0
    for seed in range(24):
        ratio, _ = drawn(15, 100 + seed, 4_000, 3.5)
        prior = prior_of(counted(ratio), 200)
        some = ratio > 0
        number = number_of(np.flatnonzero(some), ratio[some], prior, rest=counted(ratio[~some]))
        inside += number.low <= 15 <= number.high
    assert inside >= 20


def test_without_shared_people_none_are_expected_and_several_pairs_of_a_person_count_once() -> None:
    ratio, _ = drawn(0, 3, d=8)
    prior = prior_of(counted(ratio), 200)
    none = number_of(np.arange(5), np.sort(ratio)[-5:], prior)
    assert none.mean < 0.2
    assert none.low == 0
    ratio, _ = drawn(40, 3)
    one = number_of(np.zeros(3, int), np.full(3, 30.0), prior_of(counted(ratio), 200))
    assert (one.low, one.high) == (1, 1)
