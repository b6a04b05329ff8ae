from __future__ import annotations

from dataclasses import replace

import numpy as np

from avsieve.cleansing.likelihood import LIMIT, LikelihoodModel


def test_wrong_labels_are_told_from_right_ones_and_lonely_errors_from_whole_videos(scored):
    wrong, kind = scored.wrong_visual, scored.corpus.truth["kind"].to_numpy()
    model = LikelihoodModel(scored.scores.learned["visual"], scored.scores.video_code())
    table = model.log_likelihood((~wrong).astype(float))
    assert (table[:, 0, 0] == 0).all()
    assert np.median(table[~wrong, 0, 1]) < -3
    assert np.median(table[~wrong, 1, 1]) < -3
    lonely = table[kind == "visual"]
    assert np.median(lonely[:, 0, 1]) > 3
    assert np.median(lonely[:, 0, 1] - lonely[:, 1, 1]) > 1
    company = scored.scores.learned["visual"].agreement
    followers = table[(kind == "video") & (company > np.nanquantile(company, 0.3))]
    # Where both are as sure as they may be, neither leads.
    sure = (followers[:, 1, 1] == LIMIT) & (followers[:, 0, 1] == LIMIT)
    assert np.median((followers[:, 1, 1] - followers[:, 0, 1])[~sure]) > 1
    assert (~sure).sum() > 20


def test_without_other_utterances_of_the_video_the_label_still_speaks(scored):
    none = replace(scored.scores.learned["visual"], agreement=np.full(len(scored.scores), np.nan, np.float32))
    table = LikelihoodModel(none, scored.scores.video_code()).log_likelihood((~scored.wrong_visual).astype(float))
    other_videos = ~none.fallback
    np.testing.assert_array_equal(table[other_videos, 0, 1], table[other_videos, 1, 1])
    assert (table[other_videos, 1, 0] == 0).all()
    assert np.median(table[scored.wrong_visual, 0, 1]) > 3


def test_what_was_compared_with_its_own_video_alone_says_nothing_of_that_video(scored):
    alone = replace(scored.scores.learned["visual"], fallback=np.ones(len(scored.scores), bool))
    table = LikelihoodModel(alone, scored.scores.video_code()).log_likelihood((~scored.wrong_visual).astype(float))
    # Like the rest of the video: right in a right video as well as wrong in a wrong one; unlike it: either.
    assert (table[:, 1, 1] == 0).all()
    np.testing.assert_array_equal(table[:, 1, 0], table[:, 0, 1])
    assert np.median(table[scored.wrong_visual, 0, 1]) > 3
