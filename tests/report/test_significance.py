from __future__ import annotations

import math

import pytest

from avsieve.report.significance import VERDICTS, verdict


@pytest.mark.parametrize(
    ("low", "high", "told"),
    [
        (0.001, 0.02, "better"),
        (-0.02, -0.001, "worse"),
        (-0.01, 0.01, "open"),
        (0.0, 0.01, "open"),  # nothing is inside the interval
        (-0.01, 0.0, "open"),
        (None, 0.01, "none"),
        (math.nan, math.nan, "none"),
    ],
)
def test_only_an_interval_that_leaves_nothing_out_shows_a_gain(low: float, high: float, told: str) -> None:
    assert verdict(low, high) == told
    assert told in VERDICTS
