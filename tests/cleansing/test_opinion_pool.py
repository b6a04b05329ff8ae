from __future__ import annotations

import numpy as np
import pytest

from avsieve.cleansing.opinion_pool import interval, pooled


def width(draws):
    found = interval(draws)
    return found["high"] - found["low"]


def opinion(centre, rng, trials=4000):
    return rng.binomial(trials, centre, size=201) / trials


def test_opinions_that_differ_are_spanned_and_their_own_errors_grow():
    rng = np.random.default_rng(0)
    alike = pooled([opinion(0.9, rng), opinion(0.9, rng)], 1000, rng)
    apart = pooled([opinion(0.97, rng), opinion(0.75, rng)], 1000, rng)
    assert interval(alike)["value"] == pytest.approx(0.9, abs=0.02)
    assert interval(apart)["low"] < 0.75 < 0.97 < interval(apart)["high"]
    # Each of the two was as sure of itself as those that agree.
    assert width(apart) > 3 * width(alike)


def test_an_opinion_is_never_as_sure_as_its_sample():
    rng = np.random.default_rng(0)
    sure = opinion(0.9, rng)
    assert width(pooled([sure], 100_000, rng)) > 3 * width(sure)


def test_few_trials_come_out_further_from_what_is_expected():
    rng = np.random.default_rng(0)
    sure = opinion(0.9, rng)
    few, many = (pooled([sure], trials, rng) for trials in (10, 10_000))
    expected = pooled([sure], 10, rng, outcome=False)
    assert width(few) > width(many)
    assert width(few) > width(expected)
    assert set(np.round(few * 10, 6)) <= set(range(11))


def test_all_and_none_stay_possible():
    rng = np.random.default_rng(0)
    every, none = (interval(pooled([np.full(201, x)], 50, rng)) for x in (1.0, 0.0))
    assert every["value"] > 0.97
    assert every["high"] == 1
    assert 0.85 < every["low"] < 1
    assert none["value"] < 0.03
    assert none["low"] == 0


@pytest.mark.parametrize("truth", [0.7, 0.95])
def test_intervals_hold_what_comes_out_where_opinions_have_errors_of_their_own(truth):
    rng = np.random.default_rng(1)
    held = 0
    for _ in range(200):
        odds = np.log(truth / (1 - truth)) + 0.3 * rng.normal(size=2)
        draws = pooled([opinion(1 / (1 + np.exp(-z)), rng) for z in odds], 400, rng)
        found = interval(draws)
        held += found["low"] <= rng.binomial(400, truth) / 400 <= found["high"]
    assert held >= 180


def test_without_opinions_there_is_nothing_to_tell():
    assert interval(pooled([np.zeros(0)], 10, np.random.default_rng(0))) == {"value": None, "low": None, "high": None}
