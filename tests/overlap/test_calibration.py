from __future__ import annotations

import numpy as np
import pytest

from avsieve.overlap.calibration import Tail, duplicates_from, fit


def ratios(n: int, same: bool, rng: np.random.Generator, d: float = 5.0) -> np.ndarray:
    """Return true log likelihood ratios of two Gaussians d apart."""
    return d * rng.standard_normal(n) + (d * d / 2 if same else -d * d / 2)


@pytest.mark.parametrize("scale", [1.0, 0.4, 2.0])
def test_a_ratio_on_another_scale_is_brought_to_the_true_one(scale: float) -> None:
    rng = np.random.default_rng(1)
    found = fit(ratios(400, True, rng) / scale, Tail.of([ratios(300_000, False, rng) / scale]), 800)
    # Where the decision falls: at even odds for a prior of one in ten thousand.
    at = np.log(1e4) / scale
    assert found(np.array([at]))[0] == pytest.approx(np.log(1e4), abs=1.5)
    assert found.duplicates < 2


def test_duplicates_and_halves_of_two_people_hardly_move_it() -> None:
    rng = np.random.default_rng(2)
    same, different = ratios(400, True, rng, 7), ratios(300_000, False, rng, 7)
    plain = fit(same, Tail.of([different]), 800)
    spoilt = np.r_[different, ratios(12, True, rng, 7)]
    found = fit(np.r_[same, ratios(10, False, rng, 7)], Tail.of([spoilt]), 800)
    assert found.slope == pytest.approx(plain.slope, rel=0.3)
    assert 8 < found.duplicates < 20
    assert duplicates_from(same, Tail.of([spoilt])) < np.median(same)
    assert duplicates_from(same, Tail.of([different])) > np.median(same) - 14


def test_a_tail_of_different_people_among_the_same_is_no_heap_of_duplicates() -> None:
    rng = np.random.default_rng(3)
    different = -12 + rng.exponential(3.5, 300_000)
    found = fit(20 + 8 * rng.standard_normal(400), Tail.of([different]), 800)
    # At one pair in ten thousand, thirty pairs, the ratio of the model would take more for one person than there are.
    assert (different + np.log(1e-4) > 0).sum() > 500
    assert (found(different) + np.log(1e-4) > 0).sum() < 15


def test_tails_that_are_heavier_than_exponential_are_not_all_taken_for_duplicates() -> None:
    rng = np.random.default_rng(4)
    found = fit(20 + 8 * rng.standard_normal(400), Tail.of([-12 + 6 * rng.standard_t(4, 300_000)]), 800)
    assert found.duplicates <= 0.04 * 800 + 1e-9


def test_too_few_pairs_leave_the_ratio_as_it_is() -> None:
    found = fit(np.ones(5), Tail.of([np.zeros(1000)]), 10)
    assert (found.slope, found.offset, found.duplicates) == (1.0, 0.0, 0.0)
    assert duplicates_from(np.ones(5), Tail.of([np.zeros(1000)])) == np.inf
    assert Tail.of([np.arange(10.0)], most=3).value.tolist() == [7, 8, 9]
