from __future__ import annotations

import numpy as np
import pytest

from avsieve.cleansing.judge import judge

pytest.importorskip("cleanlab")


@pytest.mark.parametrize("score", ["self_confidence", "normalized_margin"])
def test_it_flags_in_each_modality_what_is_wrong_there(scored, score):
    found = judge(scored.scores, "confident", {"score": score})
    for name, wrong in (("audio", scored.wrong_audio), ("visual", scored.wrong_visual)):
        flagged = getattr(found, f"{name}_wrong") == 1
        assert flagged[wrong].mean() > 0.5
        assert flagged[~wrong].mean() < 0.05


def test_modalities_are_inspected_apart(scored):
    only = scored.wrong_audio & ~scored.wrong_visual
    found = judge(scored.scores, "confident", {"sharpness": 20})
    assert np.nanmean(found.visual_wrong[only]) < 0.1 < np.nanmean(found.audio_wrong[only])
    assert found.facts == {"sharpness": 20}
