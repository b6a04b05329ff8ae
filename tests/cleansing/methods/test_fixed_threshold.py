from __future__ import annotations

import numpy as np

from avsieve.cleansing.judge import judge

from .made_up import scores_of

NAN = float("nan")


def test_what_is_below_a_threshold_in_either_modality_is_wrong_and_what_is_missing_is_not_judged():
    found = judge(scores_of([0.7, 0.3, 0.6, NAN], [0.7, 0.7, 0.2, 0.6]), "fixed_threshold", {"thresholds": [0.5]})
    np.testing.assert_array_equal(found.audio_wrong, [0, 1, 0, NAN])
    np.testing.assert_array_equal(found.visual_wrong, [0, 0, 1, 0])
    np.testing.assert_array_equal(found.wrong, [0, 1, 1, 0])
    assert not found.calibrated


def test_the_first_threshold_meets_the_plain_centres_and_later_ones_those_estimated_anew():
    scores = scores_of([0.45, 0.45], [0.9, 0.9])
    scores.audio.plain[:] = [0.3, 0.9]
    assert judge(scores, "fixed_threshold", {"thresholds": [0.4]}).audio_wrong.tolist() == [1, 0]
    assert judge(scores, "fixed_threshold").audio_wrong.tolist() == [1, 1]
    assert judge(scores, "fixed_threshold").facts == {"thresholds": [0.4, 0.5]}
