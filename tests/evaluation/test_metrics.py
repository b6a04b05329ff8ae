from itertools import pairwise

import numpy as np
import pytest
from scipy.stats import norm

from avsieve.errors import AvsieveError
from avsieve.evaluation import metrics
from avsieve.evaluation.gains import paired_gain
from avsieve.evaluation.results import evaluate
from avsieve.evaluation.trials import make_trial_list


def sweep(scores, targets, weights=None):
    """Try every threshold, one by one."""
    weights = np.ones(len(scores)) if weights is None else weights
    points = []
    for threshold in [np.inf, *sorted(set(scores.tolist()), reverse=True)]:
        accepted = scores >= threshold
        fpr = weights[accepted & ~targets].sum() / weights[~targets].sum()
        fnr = weights[~accepted & targets].sum() / weights[targets].sum()
        points.append((fpr, fnr))
    return points


def swept_eer(points, definition):
    if definition == "nearest":
        fpr, fnr = min(points, key=lambda p: abs(p[0] - p[1]))
        return max(fpr, fnr)
    for (x0, y0), (x1, y1) in pairwise(points):
        if x1 >= y1:
            a, b = y0 - x0, y1 - x1
            return x0 + a / (a - b) * (x1 - x0)
    raise AssertionError


def random_case(seed):
    """Scores with few, some or no ties, overlapping a little, much or not at all."""
    rng = np.random.default_rng(seed)
    n = int(rng.integers(2, 60))
    targets = rng.random(n) < rng.uniform(0.1, 0.9)
    targets[:2] = [True, False]
    scores = rng.standard_normal(n) + targets * rng.choice([0.0, 1.0, 8.0])
    decimals = rng.choice([0, 1, 9])
    return np.round(scores, decimals), targets, rng.integers(0, 4, n) + np.r_[1, 1, np.zeros(n - 2)]


@pytest.mark.parametrize("seed", range(200))
def test_rates_equal_a_sweep_over_all_thresholds(seed):
    scores, targets, weights = random_case(seed)
    for w in (None, weights):
        points = sweep(scores, targets, w)
        rates = metrics.error_rates(scores, targets, w)
        np.testing.assert_allclose(rates.fpr, [p[0] for p in points], atol=1e-12)
        np.testing.assert_allclose(rates.fnr, [p[1] for p in points], atol=1e-12)
        assert metrics.eer(rates) == pytest.approx(swept_eer(points, "interpolated"), abs=1e-12)
        for p in (0.01, 0.05, 0.5):
            cost = min((p * fnr + (1 - p) * fpr) / min(p, 1 - p) for fpr, fnr in points)
            assert metrics.min_dcf(rates, p) == pytest.approx(cost, abs=1e-12)


@pytest.mark.parametrize("seed", range(50))
def test_the_nearest_eer_is_max_of_both_rates_where_they_are_closest(seed):
    scores, targets, _ = random_case(seed)
    points = sweep(scores, targets)
    gap = min(abs(x - y) for x, y in points)
    closest = {round(max(p), 12) for p in points if abs(abs(p[0] - p[1]) - gap) < 1e-9}
    assert round(metrics.eer(metrics.error_rates(scores, targets), "nearest"), 12) in closest


def test_an_order_of_the_list_does_not_break_ties():
    scores, targets = np.zeros(10), np.arange(10) < 5
    for order in (targets, targets[::-1]):
        assert metrics.eer(metrics.error_rates(scores, order)) == pytest.approx(0.5)
        assert metrics.min_dcf(metrics.error_rates(scores, order), 0.01) == pytest.approx(1.0)


def test_separated_scores_have_no_errors_and_swapped_ones_nothing_else():
    targets = np.arange(20) < 8
    good = metrics.summarise(targets.astype(float), targets)
    assert set(good.values()) == {0.0}
    bad = metrics.summarise(-targets.astype(float), targets)
    assert set(bad.values()) == {1.0}


def test_eer_by_hand():
    # Thresholds 4, 3, 2, 1 give (FPR, FNR) = (0, 1/2), (1/2, 1/2), (1/2, 0), (1, 0).
    rates = metrics.error_rates(np.array([4.0, 3.0, 2.0, 1.0]), np.array([True, False, True, False]))
    assert [metrics.eer(rates, d) for d in metrics.EER_DEFINITIONS] == [0.5, 0.5, 0.5]
    # From (0, 2/5) over (1/3, 2/5) to (1/3, 1/5): the definitions differ.
    scores = np.array([9.0, 8.0, 7.0, 5.0, 3.0, 6.0, 1.0, 0.0])
    rates = metrics.error_rates(scores, np.array([1, 1, 1, 1, 1, 0, 0, 0], dtype=bool))
    assert metrics.eer(rates, "interpolated") == pytest.approx(1 / 3)
    assert metrics.eer(rates, "nearest") == pytest.approx(2 / 5)
    assert metrics.eer(rates, "nearest_mean") == pytest.approx((1 / 3 + 2 / 5) / 2)


def test_min_dcf_is_normalised_by_the_better_trivial_system():
    rates = metrics.error_rates(np.array([2.0, 1.0, 3.0]), np.array([True, False, False]))
    assert metrics.min_dcf(rates, 0.01) == pytest.approx(1.0)  # accept nothing
    assert metrics.min_dcf(rates, 0.99) == pytest.approx(0.5)  # accept from 2.0: one of two false alarms


def test_scores_without_one_class_are_refused():
    with pytest.raises(AvsieveError, match="0 target and 3 nontarget"):
        metrics.error_rates(np.zeros(3), np.zeros(3, dtype=bool))


def test_a_score_that_is_not_finite_is_refused():
    with pytest.raises(AvsieveError, match="score 1 is nan"):
        metrics.error_rates(np.array([0.0, np.nan]), np.array([True, False]))


def test_an_unknown_definition_and_an_impossible_prior_are_refused():
    rates = metrics.error_rates(np.array([1.0, 0.0]), np.array([True, False]))
    with pytest.raises(AvsieveError, match="expected one of interpolated"):
        metrics.eer(rates, "exact")
    with pytest.raises(AvsieveError, match=r"p_target 1\.0"):
        metrics.min_dcf(rates, 1.0)


def test_det_points_keep_the_ends_and_thin_a_long_curve():
    rng = np.random.default_rng(0)
    targets = rng.random(50_000) < 0.5
    rates = metrics.error_rates(rng.standard_normal(50_000) + 2 * targets, targets)
    fpr, fnr = metrics.det_points(rates, max_points=100)
    assert len(fpr) <= 100
    assert (fpr[0], fnr[0], fpr[-1], fnr[-1]) == (0.0, 1.0, 1.0, 0.0)
    assert (np.diff(fpr) >= 0).all()
    assert (np.diff(fnr) <= 0).all()
    assert set(zip(fpr, fnr, strict=True)) <= set(zip(rates.fpr, rates.fnr, strict=True))
    assert np.diff(np.log(fpr[fpr > 1e-3])).max() < 0.5


TWO_OF_EACH = np.array([True, True, False, False])


def test_act_dcf_by_hand_is_at_the_threshold_of_the_prior():
    # log 99 is 4.595, log 19 is 2.944. At 0.01 a miss costs 1 and a false alarm 99, each per share of its trials.
    ratios = np.array([5.0, 4.0, 3.0, -9.0])
    assert metrics.act_dcf(ratios, TWO_OF_EACH, 0.01) == pytest.approx(1 / 2)  # 4.0 is missed, 3.0 is rejected
    assert metrics.act_dcf(ratios, TWO_OF_EACH, 0.05) == pytest.approx(19 / 2)  # 3.0 is accepted
    assert metrics.act_dcf(ratios, TWO_OF_EACH, 0.95) == pytest.approx(
        1 / 2
    )  # a false alarm costs 1 there, and 3.0 is one
    assert metrics.act_dcf(ratios - 9, TWO_OF_EACH, 0.05) == 1.0  # accepts nothing
    tie = np.array([np.log(99.0), 5.0, 0.0, 0.0])
    assert metrics.act_dcf(tie, TWO_OF_EACH, 0.01) == 0.0  # a trial is accepted when it reaches the threshold


def test_cllr_by_hand_is_in_bits():
    assert metrics.cllr(np.zeros(4), TWO_OF_EACH) == pytest.approx(1.0)
    # Odds of 3 to 1 for targets cost log2(4/3) each, of 1 to 7 against nontargets log2(8/7); ratios of 1 cost a bit.
    ratios = np.log([3.0, 1.0, 1 / 7, 1.0])
    expected = (np.log2(4 / 3) + 1) / 4 + (np.log2(8 / 7) + 1) / 4
    assert metrics.cllr(ratios, TWO_OF_EACH) == pytest.approx(expected)
    surely = np.array([900.0, 800.0, -900.0, -800.0])
    assert metrics.cllr(surely, TWO_OF_EACH) == pytest.approx(0.0)
    assert metrics.cllr(-surely, TWO_OF_EACH) == pytest.approx(850 / np.log(2))


def gaussian_ratios(mean, n=200_000):
    """Log-likelihood ratios of Gaussian scores are Gaussian: means +-m, variance 2 m. Evenly spaced quantiles."""
    deviates = norm.ppf((np.arange(n) + 0.5) / n) * np.sqrt(2 * mean)
    return np.r_[mean + deviates, -mean + deviates], np.arange(2 * n) < n


@pytest.mark.parametrize("mean", [0.5, 2.0, 8.0])
def test_ratios_of_gaussian_scores_cost_what_the_closed_form_says(mean):
    ratios, targets = gaussian_ratios(mean)
    spread = np.sqrt(2 * mean)
    found = metrics.summarise(ratios, targets, calibrated=True)
    for prior in (0.01, 0.05):
        threshold = np.log((1 - prior) / prior)
        misses, false_alarms = norm.cdf((threshold - mean) / spread), norm.sf((threshold + mean) / spread)
        expected = misses + (1 - prior) / prior * false_alarms
        assert found[f"act_dcf_{prior}"] == pytest.approx(expected, abs=2e-3)
        # Calibrated scores lose nothing to their threshold; what is shifted or stretched does.
        assert found[f"act_dcf_{prior}"] == pytest.approx(found[f"min_dcf_{prior}"], abs=2e-3)
        assert metrics.act_dcf(ratios + 2, targets, prior) > found[f"min_dcf_{prior}"] + 0.005
    points, weights = np.polynomial.hermite_e.hermegauss(80)
    expected = (weights * np.log2(1 + np.exp(-(mean + spread * points)))).sum() / np.sqrt(2 * np.pi)
    assert found["cllr"] == pytest.approx(expected, abs=1e-4)
    assert min(metrics.cllr(ratios + 1, targets), metrics.cllr(2 * ratios, targets)) > found["cllr"] + 0.005


def test_costs_of_ratios_are_refused_where_rates_are():
    with pytest.raises(AvsieveError, match=r"p_target 0\.0"):
        metrics.act_dcf(np.zeros(4), TWO_OF_EACH, 0.0)
    with pytest.raises(AvsieveError, match="score 0 is inf"):
        metrics.cllr(np.array([np.inf, 0, 0, 0]), TWO_OF_EACH)
    with pytest.raises(AvsieveError, match="2 target and 0 nontarget"):
        metrics.cllr(np.zeros(2), TWO_OF_EACH[:2])


def test_scores_that_are_no_ratios_have_no_costs_of_ratios():
    plain = metrics.summarise(np.arange(4.0)[::-1], TWO_OF_EACH)
    assert list(plain) == list(metrics.METRICS)
    ratios = metrics.summarise(np.arange(4.0)[::-1], TWO_OF_EACH, calibrated=True)
    assert list(ratios) == [*metrics.METRICS, *metrics.CALIBRATED]
    assert plain.items() <= ratios.items()


def test_a_metric_of_the_table_is_in_results_gains_and_intervals(monkeypatch):
    """Whoever adds one changes the table alone."""

    def miss_rate(fpr, fnr, definition):
        return float(fnr[np.flatnonzero(fpr <= 0.01)[-1]])

    monkeypatch.setitem(
        metrics.METRICS, "miss_at_0.01", metrics.Metric("miss", "misses at 1 %", miss_rate, corners=False)
    )
    names = [f"{s}/v/{u}" for s in range(8) for u in range(3)]
    pairs = [(a, b) for i, a in enumerate(names) for b in names[i + 1 :]]
    trials = make_trial_list([a[0] == b[0] for a, b in pairs], *map(list, zip(*pairs, strict=True)))
    scores = trials.is_target + np.random.default_rng(0).normal(0, 0.4, len(trials))
    result = evaluate(trials, scores, replicates=20)
    row = result.row()
    assert 0 < row["miss_at_0.01"] < 1
    assert row["miss_at_0.01_low"] <= row["miss_at_0.01"] <= row["miss_at_0.01_high"]
    assert paired_gain({0: result}, {0: result})["miss_at_0.01_gain"] == 0
    assert metrics.METRICS["miss_at_0.01"].text(row["miss_at_0.01"]) == f"{row['miss_at_0.01']:.4f}"
