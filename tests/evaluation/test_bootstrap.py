import numpy as np
import pytest

from avsieve.evaluation.bootstrap import draw_speakers, interval, speaker_bootstrap
from avsieve.evaluation.metrics import CALIBRATED, act_dcf, cllr, eer, error_rates, min_dcf


def made_up(n_speakers=12, n=600, seed=0, decimals=2, spread=0.0):
    """Random trials with ties; ``spread`` makes some speakers harder than others."""
    rng = np.random.default_rng(seed)
    left, right = rng.integers(0, n_speakers, n), rng.integers(0, n_speakers, n)
    right = np.where(rng.random(n) < 0.5, left, right)
    target = left == right
    ease = spread * rng.standard_normal(n_speakers)
    scores = np.round(rng.standard_normal(n) + target * (2.0 + ease[left]), decimals)
    return scores, target, left, right


@pytest.mark.parametrize("decimals", [0, 2, 9])
def test_a_draw_equals_weighted_rates_over_all_trials(decimals):
    scores, target, left, right = made_up(decimals=decimals)
    draws = speaker_bootstrap(scores, target, left, right, n_speakers=12, replicates=20, seed=4)
    for r, times in enumerate(draw_speakers(12, 20, 4)):
        weights = np.where(target, times[left], times[left] * times[right])
        rates = error_rates(scores, target, weights)
        assert draws["eer"][r] == pytest.approx(eer(rates), abs=1e-12)
        assert draws["min_dcf_0.01"][r] == pytest.approx(min_dcf(rates, 0.01), abs=1e-12)
        assert draws["min_dcf_0.05"][r] == pytest.approx(min_dcf(rates, 0.05), abs=1e-12)


def test_a_draw_of_costs_of_ratios_equals_weighted_means_over_all_trials_and_leaves_the_rates_alone():
    scores, target, left, right = made_up(decimals=1)
    ratios = 4 * (scores - 0.6)
    more = {"n_speakers": 12, "replicates": 20, "seed": 4}
    draws = speaker_bootstrap(ratios, target, left, right, calibrated=True, **more)
    plain = speaker_bootstrap(ratios, target, left, right, **more)
    assert set(draws) - set(plain) == set(CALIBRATED)
    for name, values in plain.items():
        assert np.array_equal(values, draws[name])
    for r, times in enumerate(draw_speakers(12, 20, 4)):
        weights = np.where(target, times[left], times[left] * times[right])
        repeated, kind = np.repeat(ratios, weights), np.repeat(target, weights)
        assert draws["cllr"][r] == pytest.approx(cllr(repeated, kind), abs=1e-12)
        for prior in (0.01, 0.05):
            assert draws[f"act_dcf_{prior}"][r] == pytest.approx(act_dcf(repeated, kind, prior), abs=1e-12)


def test_a_draw_without_nontargets_has_no_costs_of_ratios_either():
    target, left, right = np.array([True, True, False]), np.array([0, 1, 0]), np.array([0, 1, 1])
    draws = speaker_bootstrap(
        np.array([1.0, 2.0, 0.5]), target, left, right, n_speakers=2, calibrated=True, replicates=50
    )
    assert 0 < np.isnan(draws["cllr"]).sum() < 50
    assert np.array_equal(np.isnan(draws["cllr"]), np.isnan(draws["eer"]))


def test_the_weights_equal_a_corpus_with_copies_of_the_drawn_speakers():
    scores, target, left, right = made_up(n=120)
    times = draw_speakers(12, 1, 7)[0]
    copies = [(s, c) for s in range(12) for c in range(times[s])]
    repeated = [
        (score, is_target)
        for score, is_target, a, b in zip(scores, target, left, right, strict=True)
        for one in copies
        for other in copies
        if one[0] == a and other[0] == b and (one == other if is_target else True)
    ]
    expected = eer(error_rates(np.array([r[0] for r in repeated]), np.array([r[1] for r in repeated])))
    drawn = speaker_bootstrap(scores, target, left, right, n_speakers=12, replicates=1, seed=7)["eer"]
    assert drawn[0] == pytest.approx(expected, abs=1e-12)


def test_intervals_hold_the_estimate_and_widen_with_differences_between_speakers():
    widths = []
    for spread in (0.0, 1.0):
        scores, target, left, right = made_up(n_speakers=40, n=8000, spread=spread)
        draws = speaker_bootstrap(scores, target, left, right, n_speakers=40, replicates=300)
        low, high = interval(draws["eer"])
        assert low < eer(error_rates(scores, target)) < high
        widths.append(high - low)
    assert widths[1] > 1.5 * widths[0]


def test_intervals_cover_the_truth_about_as_often_as_they_say():
    # Speakers' own shifts are random, so the truth is the EER over a very large population.
    truth = eer(error_rates(*made_up(n_speakers=20_000, n=200_000, seed=99, decimals=9, spread=0.7)[:2]))
    hits = 0
    for seed in range(60):
        scores, target, left, right = made_up(n_speakers=40, n=3000, seed=seed, spread=0.7)
        draws = speaker_bootstrap(scores, target, left, right, n_speakers=40, replicates=150, seed=seed)
        low, high = interval(draws["eer"])
        hits += low <= truth <= high
    assert hits >= 50


def test_equal_seeds_pair_the_draws_of_two_systems():
    scores, target, left, right = made_up()
    one = speaker_bootstrap(scores, target, left, right, n_speakers=12, replicates=50, seed=1)
    other = speaker_bootstrap(scores * 3 + 1, target, left, right, n_speakers=12, replicates=50, seed=1)
    np.testing.assert_array_equal(one["eer"], other["eer"])


def test_a_draw_without_nontargets_is_not_a_number_and_left_out():
    scores, target = np.array([1.0, 0.9, 0.1]), np.array([True, True, False])
    left, right = np.array([0, 1, 0]), np.array([0, 1, 1])
    draws = speaker_bootstrap(scores, target, left, right, n_speakers=2, replicates=40)
    assert np.isnan(draws["eer"]).any()
    assert interval(draws["eer"]) == (0.0, 0.0)
    assert np.isnan(interval(np.full(3, np.nan))).all()


@pytest.mark.parametrize("definition", ["nearest", "nearest_mean"])
def test_the_draws_of_another_definition_are_of_that_definition(definition):
    scores, target, left, right = made_up(decimals=9)
    draws = speaker_bootstrap(scores, target, left, right, n_speakers=12, definition=definition, replicates=10, seed=4)
    for r, times in enumerate(draw_speakers(12, 10, 4)):
        rates = error_rates(scores, target, np.where(target, times[left], times[left] * times[right]))
        assert draws["eer"][r] == pytest.approx(eer(rates, definition), abs=1e-12)
