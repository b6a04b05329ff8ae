from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from avsieve.cleansing.logistic import Regression


@pytest.fixture
def examples():
    rng = np.random.default_rng(0)
    classes = np.repeat([0, 1, 2], 400)
    X = rng.standard_normal((1200, 3)) + np.array([[0, 0, 0], [1.5, 0, 0], [0, 1.5, 1]])[classes]
    return X, classes, rng.uniform(0.2, 1.8, 1200)


def test_the_fit_is_that_of_maximum_likelihood(examples):
    X, classes, weights = examples
    ours = Regression(X, classes).fit(weights, ridge=1e-6)(X)
    theirs = LogisticRegression(C=1e6, tol=1e-8, max_iter=500).fit(X, classes, sample_weight=weights)
    expected = theirs.decision_function(X)
    np.testing.assert_allclose(ours, expected[:, 1:] - expected[:, :1], atol=2e-3)


def test_a_fit_from_where_the_last_ended_is_that_from_the_start(examples):
    X, classes, weights = examples
    again = Regression(X, classes)
    again.fit(np.ones(len(X)))
    np.testing.assert_allclose(again.fit(weights)(X), Regression(X, classes).fit(weights)(X), atol=1e-3)


def test_wrong_examples_among_the_first_class_hardly_move_a_robust_fit():
    rng = np.random.default_rng(1)
    right, wrong = rng.normal(2, 0.5, (2000, 1)), rng.normal(0, 0.5, (2000, 1))
    true = np.concatenate([right, wrong])
    classes = np.repeat([0, 1], 2000)
    at = np.array([[0.0]])
    clean = Regression(true, classes).fit(np.ones(4000))(at)[0, 0]
    # One in fifty of what is called right is wrong.
    dirty = true.copy()
    dirty[:40] = rng.normal(0, 0.5, (40, 1))
    plain = Regression(dirty, classes).fit(np.ones(4000))(at)[0, 0]
    robust = Regression(dirty, classes).fit(np.ones(4000), robust=0.5)(at)[0, 0]
    assert plain < 0.75 * clean
    assert robust > 0.9 * clean


def test_examples_that_a_line_separates_give_finite_odds():
    X = np.concatenate([np.full((50, 1), -1.0), np.full((50, 1), 1.0)])
    odds = Regression(X, np.repeat([0, 1], 50)).fit(np.ones(100))(X)
    assert np.isfinite(odds).all()
    assert odds[0, 0] < -3 < 3 < odds[-1, 0]
