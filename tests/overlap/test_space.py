from __future__ import annotations

import numpy as np
from scipy.stats import multivariate_normal, norm

from avsieve.cleansing.calibration import PairCalibration
from avsieve.cleansing.two_covariance import Space
from avsieve.overlap.space import Pairs, Side, pairs_of
from tests.overlap.conftest import Two

COSINE = PairCalibration(0.0, 0.1, 0.6, 0.1, 0.9)


def test_the_ratio_is_that_of_two_gaussians_per_axis() -> None:
    b = np.array([3.0, 1.0, 0.2])
    pairs = Pairs(Space(np.zeros(3), np.eye(3), b), 3, (np.zeros(3), np.zeros(3)), COSINE)
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((2, 4, 3)).astype(np.float32)
    videos = np.array([1, 2, 4, 9]), np.array([3, 1, 6, 24])
    found = pairs.against(Side(x, videos[0]), Side(y, videos[1]))
    for i in range(4):
        for j in range(4):
            p, q = b + 1 / videos[0][i], b + 1 / videos[1][j]
            expected = sum(
                multivariate_normal.logpdf([x[i, d], y[j, d]], [0, 0], [[p[d], b[d]], [b[d], q[d]]])
                - norm.logpdf(x[i, d], 0, p[d] ** 0.5)
                - norm.logpdf(y[j, d], 0, q[d] ** 0.5)
                for d in range(3)
            )
            assert abs(found[i, j] - expected) < 1e-4
    np.testing.assert_allclose(pairs.paired(Side(x, videos[0]), Side(y, videos[1])), np.diag(found), atol=1e-4)


def test_people_of_both_corpora_make_a_space_and_few_people_are_compared_by_cosines(corpora: Two) -> None:
    a, b = corpora.people
    assert pairs_of(a, b, "audio").measure == "two-covariance"
    scatter = a.scatter["audio"], b.scatter["audio"]
    a.scatter["audio"] = b.scatter["audio"] = None
    pairs = pairs_of(a, b, "audio")
    a.scatter["audio"], b.scatter["audio"] = scatter
    assert pairs.measure == "cosine"
    sides = [pairs.side(k, p.centre["audio"], p.videos["audio"]) for k, p in enumerate((a, b))]
    ratio = pairs.against(*sides)
    i, j = np.divmod(np.arange(ratio.size), len(b))
    right = corpora.right(i, j)
    assert np.median(ratio.ravel()[right]) > np.quantile(ratio.ravel()[~right], 0.999)
