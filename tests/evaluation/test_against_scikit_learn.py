"""EER and minDCF against scikit-learn's ROC, which shares no code with ours."""

import numpy as np
import pytest
from scipy.interpolate import interp1d
from scipy.optimize import brentq
from sklearn.metrics import roc_curve

from avsieve.evaluation.metrics import eer, error_rates, min_dcf


def case(seed, n, decimals):
    rng = np.random.default_rng(seed)
    targets = rng.random(n) < 0.4
    return np.round(rng.standard_normal(n) + 2 * targets, decimals), targets


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize(("n", "decimals"), [(300, 1), (300, 9), (20_000, 2), (20_000, 9)])
def test_figures_equal_those_from_scikit_learns_roc(seed, n, decimals):
    scores, targets = case(seed, n, decimals)
    rates = error_rates(scores, targets)
    fpr, tpr, _ = roc_curve(targets, scores, drop_intermediate=False)
    fnr = 1 - tpr
    # The field's usual way: root of the interpolated ROC.
    root = brentq(lambda x: 1.0 - x - interp1d(fpr, tpr)(x), 0.0, 1.0)
    assert eer(rates) == pytest.approx(root, abs=1e-9)
    closest = np.flatnonzero(np.isclose(np.abs(fnr - fpr), np.abs(fnr - fpr).min(), atol=1e-12))
    assert any(eer(rates, "nearest") == pytest.approx(max(fpr[i], fnr[i]), abs=1e-12) for i in closest)
    assert any(eer(rates, "nearest_mean") == pytest.approx((fpr[i] + fnr[i]) / 2, abs=1e-12) for i in closest)
    for p in (0.01, 0.05):
        cost = ((p * fnr + (1 - p) * fpr) / min(p, 1 - p)).min()
        assert min_dcf(rates, p) == pytest.approx(cost, abs=1e-12)
