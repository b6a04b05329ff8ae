import numpy as np
import pandas as pd
import pytest

from avsieve.report.scale import Scales


def decisions(values):
    n = len(values)
    return pd.DataFrame({"speaker": ["a"] * n, "audio_similarity": values, "visual_similarity": [np.nan] * n})


def test_a_similarity_is_told_beside_the_others_of_its_speaker():
    scales = Scales(decisions([-0.2, 0.5, 0.6, 0.7, np.nan]))
    low = scales.of("a", "audio", -0.2)
    assert (low.below, low.of, low.middle) == (0, 3, 0.6)
    assert low.words == "lower than all 3 others of this speaker"
    assert low.at(low.value) == 0
    assert low.at(low.high) == 100
    middle = scales.of("a", "audio", 0.6)
    assert (middle.below, middle.of, middle.middle) == (2, 3, 0.5)
    assert middle.words == "higher than 2 of this speaker's 3 others"


def test_without_others_there_is_no_scale():
    scales = Scales(decisions([0.5]))
    assert scales.of("a", "audio", 0.5) is None
    assert scales.of("a", "visual", None) is None


def test_others_that_are_all_alike_stand_in_the_middle():
    scale = Scales(decisions([0.5, 0.5])).of("a", "audio", 0.5)
    assert scale.at(0.5) == pytest.approx(50)
