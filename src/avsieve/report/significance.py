"""What the interval of a gain allows to say."""

from __future__ import annotations

import pandas as pd

VERDICTS = {"better": "the gain shows", "worse": "it is worse", "open": "no difference shown", "none": ""}


def verdict(low: float | None, high: float | None) -> str:
    """Tell whether the interval of a gain lies above 0 (``better``), below it (``worse``), or holds it (``open``).

    ``none`` where there is no interval.
    """
    if low is None or high is None or pd.isna(low) or pd.isna(high):
        return "none"
    return "better" if low > 0 else "worse" if high < 0 else "open"
