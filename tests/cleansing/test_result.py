from __future__ import annotations

import numpy as np

from avsieve.cleansing.result import TOO_LITTLE, Judgement, from_flags

from .methods.made_up import scores_of

NAN = float("nan")


def test_both_are_wrong_where_neither_alone_explains_it_and_one_alone_stands_for_itself():
    audio, visual = np.array([0.9, 0.9, 0.4, NAN]), np.array([0.9, 0.0, NAN, 0.3])
    wrong = np.array([0.9, 0.9, 0.4, 0.3])
    both = Judgement(audio, visual, wrong, calibrated=True).both_wrong
    np.testing.assert_allclose(both, [0.9, 0.0, 0.4, 0.3])


def test_flags_become_a_judgement_only_where_there_was_something_to_compare():
    scores = scores_of([0.5, NAN], [NAN, NAN])
    scores.visual.present[:] = True  # they have faces, but nothing to compare them with
    found = from_flags(scores, np.array([True, True]), np.array([False, False]), why="test")
    np.testing.assert_array_equal(found.audio_wrong, [1, NAN])
    np.testing.assert_array_equal(found.wrong, [1, NAN])
    assert np.isnan(found.visual_wrong).all()
    assert found.unjudged == {"visual": TOO_LITTLE}
    assert found.facts == {"why": "test"}
