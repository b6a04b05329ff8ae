from __future__ import annotations

import numpy as np
import pytest

from avsieve.cleansing.structure import Shares, infer


def alone(ratio):
    """Log likelihoods that do not depend on the video, from log ratios for "right"."""
    table = np.zeros((len(ratio), 2, 2))
    table[:, :, 1] = -np.asarray(ratio)[:, None]
    return table


def test_a_wrong_video_is_believed_although_one_utterance_is_unclear():
    # Ten videos of five; in the last all are wrong, one of them with no evidence of its own.
    video, speaker = np.repeat(np.arange(10), 5), np.zeros(50, np.int64)
    ratio = np.full(50, 6.0)
    ratio[45:], ratio[49] = -6.0, 0.0
    found = infer(alone(ratio), alone(ratio), video, speaker, Shares())
    assert found.cases[49, 3] > 0.8
    assert found.cases[:45, 0].min() > 0.95
    assert found.settled["audio"][:45].min() > 0.95
    assert found.settled["audio"][45:].max() < 0.2
    assert found.shares.states[3] == pytest.approx(0.1, abs=0.05)


def test_the_same_evidence_weighs_more_where_a_speaker_has_many_errors():
    # Two speakers, thirty videos of two each; the second has a wrong voice in a third of the videos already.
    video, speaker = np.repeat(np.arange(60), 2), np.repeat([0, 1], 60)
    ratio = np.full(120, 8.0)
    ratio[60:120:6] = -8.0
    ratio[[1, 63]] = -2.0
    found = infer(alone(ratio), alone(np.full(120, 8.0)), video, speaker, Shares())
    assert found.cases[63, 1] > found.cases[1, 1] + 0.1


def test_without_evidence_nothing_is_decided():
    nothing = np.zeros((20, 2, 2))
    found = infer(nothing, nothing, np.arange(20) // 4, np.zeros(20, np.int64), Shares())
    assert found.cases[:, 0].min() > 0.5


def test_with_the_shares_of_the_corpus_given_speakers_are_judged_each_by_itself():
    rng = np.random.default_rng(0)
    video, speaker = np.arange(240) // 4, np.arange(240) // 40
    voice, face = alone(rng.normal(3, 4, 240)), alone(rng.normal(3, 4, 240))
    together = infer(voice, face, video, speaker, Shares(), learn=False)
    np.testing.assert_array_equal(together.shares.states, Shares().states)
    for s in range(6):
        mine = speaker == s
        by_itself = infer(voice[mine], face[mine], video[mine] - 10 * s, 0 * speaker[mine], Shares(), learn=False)
        np.testing.assert_allclose(by_itself.cases, together.cases[mine], atol=1e-12)


def test_evidence_beyond_the_range_of_an_exponential_is_taken():
    video, speaker = np.arange(20) // 4, np.zeros(20, np.int64)
    ratio = np.where(video == 4, -2000.0, 2000.0)
    found = infer(alone(ratio), alone(ratio), video, speaker, Shares())
    assert np.isfinite(found.cases).all()
    assert found.cases[video == 4, 3].min() > 0.9
    assert found.cases[video < 4, 0].min() > 0.9
