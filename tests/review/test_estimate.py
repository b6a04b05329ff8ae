from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from avsieve.review.answers import answers_to
from avsieve.review.bounds import rate_bounds
from avsieve.review.draw import draw
from avsieve.review.estimate import Range, estimate
from avsieve.review.interval import draw_rates, ends
from avsieve.review.plan import plan_of
from avsieve.review.sample import Stratum, sample_of

from .populations import judged, population, said


def planned(some, count: int, seed: int = 1):
    return plan_of(some, draw(some, count, seed), count, seed)


def truth(some, wrong) -> dict[str, float]:
    hits = float(wrong[some.flagged].sum())
    return {"precision": hits / some.flagged.sum(), "recall": hits / wrong.sum()}


def test_intervals_and_bounds_hold_the_truth_of_a_calibrated_method() -> None:
    some, wrong = population(speakers=120, seed=5)
    holds = []
    for seed in range(12):
        plan = planned(some, 120, seed)
        found = estimate(plan, some, judged(plan, some, wrong))
        for name, value in truth(some, wrong).items():
            item = found.assisted["right"][name]
            holds.append(item.low <= value <= item.high)
            assert item.low < item.value < item.high
            assert found.bound["right"][name].low <= value
    assert np.mean(holds) >= 22 / 24


def test_more_judgements_make_narrower_intervals() -> None:
    some, wrong = population(speakers=120, seed=5)
    widths = []
    for count in (0, 60, 400):
        plan = planned(some, 400)
        item = estimate(plan, some, judged(plan, some, wrong, first=count)).assisted["right"]["recall"]
        widths.append(item.high - item.low)
    assert widths[0] > widths[1] > widths[2]


def test_a_list_that_is_judged_whole_is_known() -> None:
    some, wrong = population(speakers=4, videos=4, clips=1, rate=0.4)
    assert np.bincount(some.unit).max() <= 2
    plan = planned(some, 500)
    assert len(plan) == len(some)
    found = estimate(plan, some, judged(plan, some, wrong))
    for name, value in truth(some, wrong).items():
        item = found.assisted["right"][name]
        assert (item.low, item.high) == pytest.approx((value, value))
        assert found.bound["right"][name].low == pytest.approx(value)


def test_unsure_ones_count_both_ways_and_both_are_shown() -> None:
    some, wrong = population(speakers=60)
    plan = planned(some, 100)
    reviewed = judged(plan, some, wrong)
    for k in range(0, len(reviewed), 5):
        reviewed[k] = said(reviewed[k].utterance, None)
    found = estimate(plan, some, reviewed)
    assert found.unsure == len(range(0, len(plan), 5))
    assert found.assisted["right"]["precision"].low < found.assisted["wrong"]["precision"].low
    assert found.bound["right"]["recall"].low > found.bound["wrong"]["recall"].low
    lines = found.lines()
    assert lines[1].startswith("model-assisted")
    assert "(unsure as right); precision" in lines[1]
    assert lines[1].endswith("(unsure as wrong)")
    whole = estimate(plan, some, judged(plan, some, wrong))
    assert whole.assisted["right"] == whole.assisted["wrong"]
    assert "unsure as" not in "".join(whole.lines())


def test_three_lines_stand_apart_and_the_json_has_them() -> None:
    some, wrong = population(speakers=60)
    plan = planned(some, 100)
    found = replace(estimate(plan, some, judged(plan, some, wrong)), audit={"precision": Range(0.9, 0.95, 0.97)})
    lines = found.lines()
    heads = ["judged", "model-assisted", "injection audit", "assuming nothing"]
    assert [line.split("  ")[0] for line in lines] == heads
    assert "0.900 to 0.970 (about 0.950)" in lines[2]
    assert "precision at least 0." in lines[3]
    told = json.loads(json.dumps(found.as_json()))
    assert told["format"] == "avsieve.review_estimate/1"
    assert told["audit"]["precision"] == {"low": 0.9, "value": 0.95, "high": 0.97}
    assert told["bound"]["right"]["recall"]["high"] is None
    assert set(told["assisted"]["wrong"]) == {"precision", "recall"}


def test_equal_answers_give_equal_figures() -> None:
    some, wrong = population()
    plan = planned(some, 60)
    a, b = (estimate(plan, some, judged(plan, some, wrong)).as_json() for _ in range(2))
    assert a == b


def test_before_anything_is_judged_the_interval_is_the_tempered_promise_and_nothing_is_assured() -> None:
    some, _ = population()
    found = estimate(planned(some, 60), some, [])
    assert "nothing of the sampled arm was judged yet" in found.notes[0]
    assert found.bound["right"]["precision"].low == 0
    assert found.assisted["right"]["recall"].low < found.assisted["right"]["recall"].high


def test_clips_judged_behind_a_gap_are_told_and_change_nothing() -> None:
    some, wrong = population(speakers=60)
    plan = planned(some, 100)
    reviewed = judged(plan, some, wrong)
    first = next(k for k in range(len(plan)) if plan.arm[k] == "sampled")
    found = estimate(plan, some, reviewed[:first] + reviewed[first + 1 :])
    assert found.beyond > 0
    assert "judge in the order of the plan" in found.notes[0]
    assert found.sampled_counted < found.sampled


@pytest.mark.parametrize("flags", [False, True])
def test_without_flags_there_is_no_precision_and_with_nothing_else_all_is_recalled(flags: bool) -> None:
    some, wrong = population()
    some = replace(some, flagged=np.full(len(some), flags))
    plan = planned(some, 60)
    found = estimate(plan, some, judged(plan, some, wrong))
    for of in (found.assisted["right"], found.bound["right"]):
        assert ("precision" in of) == flags
    if flags:
        assert found.assisted["right"]["recall"].low == found.bound["right"]["recall"].low == 1
    else:
        assert found.assisted["right"]["recall"].high == 0


@pytest.mark.parametrize(("speakers", "videos", "clips"), [(1, 1, 1), (1, 1, 4), (1, 8, 3), (2, 1, 1), (2, 2, 3)])
def test_tiny_lists_and_single_speakers_have_an_estimate(speakers, videos, clips) -> None:
    some, wrong = population(speakers, videos, clips)
    plan = planned(some, 200)
    found = estimate(plan, some, judged(plan, some, wrong))
    for of in found.assisted["right"].values():
        assert 0 <= of.low <= of.high <= 1
    assert len(found.lines()) >= 4


def test_a_method_without_probabilities_has_the_bound_alone() -> None:
    some, wrong = population(speakers=60)
    some = replace(some, p=some.flagged.astype(float), calibrated=False)
    plan = planned(some, 100)
    found = estimate(plan, some, judged(plan, some, wrong))
    assert found.assisted == {}
    assert found.bound["right"]["precision"].low > 0
    assert "the method has no probabilities" in found.lines()[1]


def test_what_was_known_before_counts_as_it_is() -> None:
    some, wrong = population(speakers=30)
    known = wrong.astype(float)
    known[:40] = np.nan
    some = replace(some, known=known)
    plan = planned(some, 200)
    found = estimate(plan, some, judged(plan, some, wrong)).assisted["right"]
    for name, value in truth(some, wrong).items():
        assert found[name].low == pytest.approx(value, abs=0.1)
        assert found[name].high - found[name].low < 0.1


def test_a_method_that_is_found_wrong_is_believed_less() -> None:
    some, wrong = population(speakers=120)
    plan = planned(some, 200)
    sample = [sample_of(plan, some, answers_to(plan, some, judged(plan, some, w))) for w in (wrong, ~some.flagged)]
    as_told, contrary = (ends(draw_rates(some, s, 1).precision()) for s in sample)
    assert contrary[2] < as_told[0]


def stratum(clips: int, units: int, some: int, whole: int, mean: float, seen: int | None = None) -> Stratum:
    seen = 2 * units if seen is None else seen
    return Stratum("other-1", False, clips, np.arange(0), mean, units, seen, mean * seen, units, some, whole, mean, 1.0)


def test_the_bound_of_one_stratum_is_clopper_and_pearson_s_or_hoeffding_s() -> None:
    # No wrong one in 30: 1 - alpha ** (1 / 30).
    assert rate_bounds([stratum(1000, 30, 0, 0, 0.0)], 1000, 0.05) == pytest.approx((0, 1 - 0.025 ** (1 / 30)))
    low, high = rate_bounds([stratum(1000, 30, 30, 30, 1.0)], 1000, 0.05)
    assert (low, high) == pytest.approx((0.025 ** (1 / 30), 1))
    # Of halves Hoeffding's is tighter than the exact one of videos with a wrong clip.
    _, high = rate_bounds([stratum(1000, 100, 100, 0, 0.5)], 1000, 0.05)
    assert high == pytest.approx(0.5 + np.sqrt(np.log(40) / 200))


def test_a_stratum_of_which_nothing_was_judged_is_open_and_one_that_was_judged_whole_is_known() -> None:
    known, unseen = stratum(10, 5, 5, 0, 0.4, seen=10), stratum(30, 0, 0, 0, 0.0)
    assert rate_bounds([known, unseen], 40, 0.05) == pytest.approx((0.1, 0.85))
    assert rate_bounds([known], 10, 0.05) == pytest.approx((0.4, 0.4))
    assert rate_bounds([], 0, 0.05) == (0, 1)


def test_the_bound_holds_as_often_as_it_says() -> None:
    rng = np.random.default_rng(1)
    rates = np.array([0.3, 0.05, 0.01])
    clips = np.array([100, 400, 500])
    value, missed = float(clips @ rates) / 1000, 0
    for _ in range(400):
        found = rng.random((3, 20)) < rates[:, None]
        seen = zip(clips.tolist(), found.sum(axis=1).tolist(), strict=True)
        strata = [stratum(n, 20, bad, bad, bad / 20) for n, bad in seen]
        low, high = rate_bounds(strata, 1000, 0.05)
        missed += not low <= value <= high
    assert missed / 400 <= 0.1
