from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from avsieve.review.strata import FLAGGED, LEAST, OTHER, allocation, cut, deviation


def test_the_least_certain_come_first_and_the_sums_of_deviations_are_about_equal() -> None:
    p = np.random.default_rng(0).beta(0.3, 3, 2000)
    weight = deviation(p)
    stratum = cut(p, weight, 5)
    assert np.bincount(stratum, weights=weight) == pytest.approx(np.full(5, weight.sum() / 5), rel=0.02)
    doubt = [np.abs(p[stratum == k] - 0.5) for k in range(5)]
    assert all(a.max() <= b.min() for a, b in pairwise(doubt))


def test_few_items_make_few_strata_and_none_is_empty() -> None:
    assert cut(np.zeros(0), np.zeros(0), 5).tolist() == []
    assert cut(np.array([0.2]), np.array([0.4]), 5).tolist() == [0]
    found = cut(np.array([0.5, 0.01, 0.01]), np.array([0.9, 0.05, 0.05]), 5)
    assert sorted(set(found.tolist())) == list(range(found.max() + 1))
    # What is sure keeps a weight, so that it is looked at.
    assert deviation(np.array([0.0, 1.0])).min() > 0


def test_a_third_goes_to_what_is_flagged_and_each_stratum_gets_six_at_least() -> None:
    plenty = {FLAGGED: 10_000, OTHER: 10_000}
    assert allocation(120, plenty) == {FLAGGED: (3, 42), OTHER: (5, 78)}
    for count in (6, 12, 20, 60):
        for strata, clips in allocation(count, plenty).values():
            assert clips >= LEAST * strata or strata == 1
        assert sum(clips for _, clips in allocation(count, plenty).values()) == count


def test_what_one_side_cannot_use_goes_to_the_other() -> None:
    assert allocation(120, {FLAGGED: 0, OTHER: 1000}) == {FLAGGED: (0, 0), OTHER: (5, 120)}
    assert allocation(120, {FLAGGED: 10, OTHER: 1000}) == {FLAGGED: (1, 10), OTHER: (5, 110)}
    assert allocation(120, {FLAGGED: 7, OTHER: 3}) == {FLAGGED: (1, 7), OTHER: (1, 3)}
    assert allocation(0, {FLAGGED: 7, OTHER: 3}) == {FLAGGED: (0, 0), OTHER: (0, 0)}
