from __future__ import annotations

import numpy as np
import pytest

from avsieve.cleansing.two_covariance import Scatter, shrunk, space_of

# One utterance a video: of several, which share a channel, the sums take each to vary like the whole video.
DIM, SPEAKERS, VIDEOS, UTTERANCES = 12, 300, 12, 1
WITHIN = np.linspace(0.5, 2.0, DIM)
BETWEEN = np.array([*[2.0] * 6, *[0.1] * (DIM - 6)])


@pytest.fixture(scope="module")
def scatter():
    """Draw people by the model: B and W are known."""
    rng = np.random.default_rng(0)
    found = Scatter(DIM)
    for person in rng.standard_normal((SPEAKERS, DIM)) * np.sqrt(BETWEEN):
        E = 1.0 + person + rng.standard_normal((VIDEOS * UTTERANCES, DIM)) * np.sqrt(WITHIN)
        found.add(E, np.repeat(np.arange(VIDEOS), UTTERANCES), np.ones(len(E)))
    return found


def test_the_space_makes_the_utterances_round_and_people_diagonal(scatter):
    space = space_of(scatter)
    np.testing.assert_allclose(space.axes.T @ np.diag(WITHIN) @ space.axes, np.eye(DIM), atol=0.15)
    # A variance among 300 people is known to 8 %; and B is drawn a little towards a multiple of the identity.
    np.testing.assert_allclose(space.b[:6], np.sort(BETWEEN / WITHIN)[::-1][:6], rtol=0.2)
    assert space.b[6:].max() < 0.2
    assert space.informative(0.9) <= 6
    np.testing.assert_allclose(space.mean, 1.0, atol=0.3)


def test_an_even_space_treats_all_directions_alike(scatter):
    space = space_of(scatter, even=1.0)
    np.testing.assert_allclose(space.b, space.b[0])
    np.testing.assert_allclose(space.axes @ space.axes.T, np.eye(DIM) / WITHIN.mean(), atol=0.05)


def test_few_people_span_no_space():
    assert space_of(Scatter(DIM)) is None


def test_a_covariance_of_few_samples_is_drawn_towards_a_sphere_and_one_of_many_is_left():
    S = np.diag([4.0, 1.0, 0.5, 0.1])
    few, many = shrunk(S, 2), shrunk(S, 100_000)
    assert np.trace(few) == pytest.approx(np.trace(S))
    assert few.diagonal().max() < 2.5
    np.testing.assert_allclose(many, S, atol=0.01)
    np.testing.assert_allclose(shrunk(np.eye(4), 5), np.eye(4))
