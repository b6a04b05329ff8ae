from __future__ import annotations

import numpy as np
import pytest

from avsieve.cleansing.inputs import unit_rows
from avsieve.cleansing.metric import Metric, learn
from avsieve.cleansing.two_covariance import Scatter

DIM, SPEAKERS, VIDEOS, UTTERANCES = 24, 400, 6, 4
MEAN = np.full(DIM, 0.5)
# Two directions carry most of what varies within a person, and say nothing of who it is.
WITHIN = np.array([4.0, 4.0, *[0.2] * (DIM - 2)])
BETWEEN = np.array([0.1, 0.1, *[1.0] * 10, *[0.02] * (DIM - 12)])


@pytest.fixture(scope="module")
def world():
    """Draw people by the two-covariance model: mean, B and W are known."""
    rng = np.random.default_rng(0)
    people = MEAN + rng.standard_normal((SPEAKERS, DIM)) * np.sqrt(BETWEEN)
    return [p + rng.standard_normal((VIDEOS * UTTERANCES, DIM)) * np.sqrt(WITHIN) for p in people]


@pytest.fixture(scope="module")
def metric(world) -> Metric:
    scatter = Scatter(DIM)
    for E in world:
        scatter.add(E, np.repeat(np.arange(VIDEOS), UTTERANCES), np.ones(len(E)))
    found = learn(scatter)
    assert found is not None
    return found


def test_the_axes_are_those_of_the_model_in_closed_form(metric):
    # Axis i of the model: 1 / sqrt(W) scaled by sqrt(b / (1 + b)), b = B / W; axes that say little are left out.
    b = BETWEEN / WITHIN
    power = (metric.axes**2).sum(axis=1)
    np.testing.assert_allclose(power[2:12], (b / (1 + b) / WITHIN)[2:12], rtol=0.2)
    assert power[:2].max() < 0.1 * power[2:12].min()
    assert metric.axes.shape[1] < DIM
    np.testing.assert_allclose(metric.mean, MEAN, atol=0.2)


def test_people_are_told_apart_by_what_tells_them_apart(world, metric):
    def gap(vectors: list[np.ndarray]) -> float:
        first, second = np.stack([v[0] for v in vectors]), np.stack([v[-1] for v in vectors])
        cosine = first @ second.T
        same = np.diag(cosine)
        other = cosine[~np.eye(len(cosine), dtype=bool)]
        return float((same.mean() - other.mean()) / np.sqrt(same.var() + other.var()))

    plain = gap([unit_rows(E) for E in world[:200]])
    learned = gap([metric(E.astype(np.float32)) for E in world[:200]])
    assert learned > 2 * plain


def test_what_is_missing_stays_missing(metric):
    mapped = metric(np.zeros((2, DIM), np.float32))
    assert (mapped == 0).all()


def test_what_pooling_does_not_trust_has_no_say(world, metric):
    rng = np.random.default_rng(1)
    scatter = Scatter(DIM)
    for E in world:
        bad = rng.standard_normal((UTTERANCES, DIM)) * 30
        weight = np.repeat([1.0, 0.5], [len(E), UTTERANCES])
        scatter.add(np.concatenate([E, bad]), np.repeat(np.arange(VIDEOS + 1), UTTERANCES), weight)
    again = learn(scatter)
    assert again is not None
    np.testing.assert_allclose(again.axes, metric.axes, atol=1e-6)


def test_few_people_teach_no_metric(world):
    scatter = Scatter(DIM)
    for E in world[:5]:
        scatter.add(E, np.repeat(np.arange(VIDEOS), UTTERANCES), np.ones(len(E)))
    assert learn(scatter) is None


def test_people_with_one_video_teach_no_metric(world):
    scatter = Scatter(DIM)
    for E in world[:50]:
        scatter.add(E[:UTTERANCES], np.zeros(UTTERANCES, int), np.ones(UTTERANCES))
    assert learn(scatter) is None
