from __future__ import annotations

from dataclasses import replace

import numpy as np

from avsieve.cleansing.judge import judge


def test_where_the_speaker_is_in_doubt_nothing_is_certain(scored):
    doubt = np.where(scored.scores.speaker == 0, 0.5, 0.0).astype(np.float32)
    unsure = judge(replace(scored.scores, doubt=doubt, rival=np.zeros_like(doubt)), "posterior")
    sure = judge(replace(scored.scores, doubt=np.zeros_like(doubt)), "posterior")
    mine = scored.scores.speaker == 0
    np.testing.assert_allclose(unsure.wrong[~mine], sure.wrong[~mine])
    np.testing.assert_allclose(unsure.wrong[mine], 0.5 + 0.5 * sure.wrong[mine])
