from __future__ import annotations

import numpy as np

from avsieve.cleansing.judge import judge

from .made_up import scores_of


def test_the_fine_step_flags_what_is_below_its_threshold_and_the_coarse_one_whom_others_resemble_more():
    other = np.array([[0.1, 0, 0], [0.1, 0, 0], [0.9, 0, 0]], np.float32)
    scores = scores_of([0.7, 0.2, 0.6], [0.7, 0.7, 0.6], other=other)
    scores.joint[:, 0] = [0.1, 0.1, 0.8]
    found = judge(scores, "two_step", {"audio_threshold": 0.5, "visual_threshold": 0.5})
    assert found.audio_wrong.tolist() == [0, 1, 1]
    assert found.visual_wrong.tolist() == [0, 0, 1]
    assert found.facts == {"thresholds": {"audio": 0.5, "visual": 0.5}, "peculiar": 1}


def test_without_a_threshold_it_lies_half_way_between_impostors_and_clean_ones():
    scores = scores_of([0.8, 0.8, 0.4], [0.8] * 3, foreign=np.array([0.0, 0.0, 0.0], np.float32))
    scores.joint[:, 0] = 0.0
    found = judge(scores, "two_step")
    np.testing.assert_allclose(found.facts["thresholds"]["audio"], 0.4, atol=1e-6)


def test_nothing_to_learn_a_threshold_from_is_no_judgement():
    found = judge(scores_of([0.8, 0.2], [0.8, 0.8]), "two_step")
    assert np.isnan(found.wrong).all()
    assert set(found.unjudged) == {"audio", "visual"}
