from __future__ import annotations

import numpy as np
import pytest

from avsieve.cleansing.judge import judge

from .made_up import scores_of


def two_heaps(n=200, wrong=40):
    rng = np.random.default_rng(0)
    return np.r_[rng.normal(0.1, 0.05, wrong), rng.normal(0.7, 0.05, n - wrong)]


def test_the_lower_heap_is_wrong_and_modalities_are_independent():
    low = two_heaps()
    found = judge(scores_of(low, np.full(len(low), np.nan)), "mixture")
    assert found.audio_wrong[:40].min() > 0.99
    assert found.audio_wrong[40:].max() < 0.01
    assert found.facts["audio"]["share"] == pytest.approx(0.2, abs=0.01)
    assert np.isnan(found.visual_wrong).all()
    np.testing.assert_array_equal(found.wrong, found.audio_wrong)
    both = judge(scores_of(low, low), "mixture")
    np.testing.assert_allclose(both.wrong, 1 - (1 - both.audio_wrong) * (1 - both.visual_wrong))


def test_a_similarity_above_both_means_is_never_wrong():
    x = two_heaps()
    x[-1] = 1.0
    assert judge(scores_of(x, x), "mixture").audio_wrong[-1] == 0


def test_robust_centres_take_the_place_of_plain_ones():
    x = two_heaps()
    scores = scores_of(x, x)
    scores.audio.plain[:] = x[::-1]
    assert judge(scores, "mixture", {"robust_centres": True}).audio_wrong[0] > 0.99
    assert judge(scores, "mixture").audio_wrong[0] < 0.01


def test_too_few_are_not_judged():
    found = judge(scores_of([0.1] * 9, [0.1] * 9), "mixture")
    assert np.isnan(found.wrong).all()
    assert found.unjudged["audio"].startswith("there are too few")
