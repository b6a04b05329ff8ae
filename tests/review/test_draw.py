from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from avsieve.review.answers import Answers, answers_to
from avsieve.review.draw import CERTAIN, certain_units, draw, frame_of, inclusion
from avsieve.review.plan import Plan, plan_of
from avsieve.review.population import Population

from .populations import judged, population


def difference_totals(plan: Plan, population: Population, answers: Answers) -> dict[bool, float]:
    """Return the unbiased estimates of how many flagged clips are wrong, and how many others.

    The sum of the probabilities, mended by the weighted residuals of what was judged (the difference estimator; Cassel,
    Särndal and Wretman 1976). It is right in the mean whatever the probabilities are, and too uncertain to be shown
    without an interval.

    Returns
    -------
    dict
        Whether flagged -> wrong clips.
    """
    p = np.where(population.open, population.p, population.known)
    told = answers.counted & ~np.isnan(answers.label)
    row = answers.row[told]
    residual = (answers.label[told] - p[row]) / plan.probability[told]
    flagged = population.flagged
    return {
        side: float(p[flagged == side].sum() + residual[flagged[row] == side].sum()) for side in (True, False)
    }  # fmt: skip


def test_inclusion_probabilities_are_in_proportion_to_the_clips_and_sum_up_to_what_is_asked() -> None:
    size = np.array([1, 2, 4, 8, 30])
    for clips in (1, 3, 5, 8):
        found = inclusion(size, clips)
        assert (np.minimum(size, 2) * found).sum() == pytest.approx(clips)
        open_ = found < 1
        assert np.ptp(found[open_] / size[open_]) < 1e-12
        assert found.max() <= 1
    assert inclusion(size, 9).tolist() == [1] * 5
    assert inclusion(size, 0).tolist() == [0] * 5


def test_a_clip_is_drawn_as_often_as_its_probability_says() -> None:
    some, _ = population(speakers=6, videos=3, clips=3)
    repeats = 1500
    count, promised = np.zeros(len(some)), np.full(len(some), np.nan)
    for seed in range(repeats):
        drawn = draw(some, 24, seed)
        count[drawn.row] += 1
        known = promised[drawn.row]
        assert np.isnan(known).all() or np.nanmax(np.abs(known - drawn.probability)) < 1e-9
        promised[drawn.row] = drawn.probability
    q = np.nan_to_num(promised)
    error = np.sqrt(q * (1 - q) / repeats)
    assert (np.abs(count / repeats - q) <= 4.5 * error + 1e-9).all()
    # All that can be drawn is, and the probabilities sum up to the size of the plan.
    assert (count > 0).all()
    assert q.sum() == pytest.approx(24, abs=1e-6)


def test_the_estimate_of_wrong_clips_is_unbiased_whatever_the_probabilities_are() -> None:
    some, wrong = population(speakers=30)
    off = replace(some, p=np.clip(some.p**0.3, 0, 0.95))  # far from the truth
    found = []
    for seed in range(300):
        plan = plan_of(off, draw(off, 100, seed), 100, seed)
        totals = difference_totals(plan, off, answers_to(plan, off, judged(plan, off, wrong)))
        found.append([totals[True], totals[False]])
    truth = [wrong[some.flagged].sum(), wrong[~some.flagged].sum()]
    mean, error = np.mean(found, axis=0), np.std(found, axis=0) / np.sqrt(len(found))
    assert (np.abs(mean - truth) < 4 * error).all(), (mean, truth, error)


def test_each_prefix_of_the_sampled_arm_is_a_sample() -> None:
    """The first place of the order is any stratum's as often as its share of the drawn videos."""
    some, _ = population(speakers=30)
    first, share = [], []
    for seed in range(300):
        drawn = draw(some, 60, seed)
        names = [name for name, certain in zip(drawn.stratum, drawn.certain, strict=True) if not certain]
        first.append(names[0].startswith("flagged"))
        units = some.unit[drawn.row[~drawn.certain]] * 2 + some.flagged[drawn.row[~drawn.certain]]
        share.append(np.mean(np.unique(units) % 2))
    error = np.sqrt(np.mean(share) * (1 - np.mean(share)) / len(first))
    assert abs(np.mean(first) - np.mean(share)) < 4 * error


def test_equal_seeds_draw_equal_plans_and_others_another() -> None:
    some, _ = population()
    a, b, c = draw(some, 50, 1), draw(some, 50, 1), draw(some, 50, 2)
    assert a.row.tolist() == b.row.tolist()
    assert a.row.tolist() != c.row.tolist()


def test_the_certain_arm_takes_where_a_judgement_mends_most_and_both_clips_of_a_video_follow_each_other() -> None:
    some, _ = population(speakers=60)
    drawn = draw(some, 100, 3)
    certain = drawn.row[drawn.certain]
    assert len(certain) in (39, 40)
    assert set(some.unit[certain].tolist()) == set(certain_units(some, 40).tolist())
    doubt = np.minimum(some.p, 1 - some.p)
    gain = np.bincount(some.unit, weights=doubt)
    assert gain[some.unit[certain]].min() > np.median(gain)
    assert len(np.unique(drawn.row)) == len(drawn.row)
    assert abs(len(drawn.row) - 100) <= 6
    part = some.unit[drawn.row] * 3 + np.where(drawn.certain, 2, some.flagged[drawn.row])
    starts = np.flatnonzero(np.diff(part, prepend=-1))
    assert len(starts) == len(np.unique(part))
    assert np.diff([*starts, len(part)]).max() <= 2


def test_third_clips_are_of_the_same_video_and_not_drawn() -> None:
    some, _ = population()
    drawn = draw(some, 60, 1)
    there = drawn.third >= 0
    assert there.any()
    assert (some.unit[drawn.third[there]] == some.unit[drawn.row[there]]).all()
    assert not np.isin(drawn.third[there], drawn.row).any()
    size = np.bincount(some.unit)
    assert (size[some.unit[drawn.row[~there]]] <= 4).all()


def test_there_are_three_strata_of_flagged_and_five_of_other_clips_and_each_gets_its_share() -> None:
    some, _ = population(speakers=200, rate=0.2)
    frame = frame_of(some, np.zeros(0, np.int64), 120)
    assert [name.split("-")[0] for name in frame.names] == ["flagged"] * 3 + ["other"] * 5
    assert sum(frame.clips) == 120
    assert sum(frame.clips[:3]) == 42
    assert min(frame.clips) >= 6
    assert (frame.stratum_of_clip >= 0).all()
    assert ((frame.stratum_of_clip < 3) == some.flagged).all()


@pytest.mark.parametrize("flags", [False, True])
def test_lists_of_which_nothing_or_everything_is_flagged_have_one_side(flags: bool) -> None:
    some, _ = population()
    drawn = draw(replace(some, flagged=np.full(len(some), flags)), 60, 1)
    side = "flagged" if flags else "other"
    assert {name.split("-")[0] for name in drawn.stratum} == {side, CERTAIN}
    assert abs(len(drawn.row) - 60) <= 6


@pytest.mark.parametrize(("speakers", "videos", "clips"), [(1, 1, 1), (1, 1, 4), (1, 6, 2), (2, 1, 1), (3, 2, 2)])
def test_tiny_lists_and_those_of_one_speaker_are_drawn_from_as_far_as_they_go(speakers, videos, clips) -> None:
    some, _ = population(speakers, videos, clips)
    drawn = draw(some, 200, 1)
    assert (drawn.probability > 0).all()
    assert (drawn.probability <= 1).all()
    # Two clips of each part of a video are all that is asked for.
    part = some.unit * 2 + some.flagged
    assert set(part[drawn.row].tolist()) == set(part.tolist()) or drawn.certain.any()
    assert set(some.unit[drawn.row].tolist()) == set(some.unit.tolist())


def test_what_reviewers_have_settled_is_not_drawn_again() -> None:
    some, wrong = population()
    known = np.where(np.arange(len(some)) % 2, np.nan, wrong.astype(float))
    drawn = draw(replace(some, known=known), 80, 1)
    assert np.isnan(known[drawn.row]).all()


def test_a_method_without_probabilities_gets_a_sample_and_no_certain_arm() -> None:
    some, _ = population()
    drawn = draw(replace(some, p=some.flagged.astype(float)), 60, 1)
    assert not drawn.certain.any()
    assert abs(len(drawn.row) - 60) <= 6
