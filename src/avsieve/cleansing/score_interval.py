"""The score interval of a share (Wilson, JASA 22, 1927)."""

from __future__ import annotations

import numpy as np

_Z = 1.959964  # standard normal deviation of a two-sided 95 % interval


def score_interval(hits: np.ndarray, of: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return both ends of the 95 % score interval of shares ``hits / of``, (k,) float64; 0 and 1 where ``of`` is 0."""
    hits, of = np.asarray(hits, float), np.asarray(of, float)
    n = np.maximum(of, 1.0)
    share, z2 = hits / n, _Z**2
    centre = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = _Z / (1 + z2 / n) * np.sqrt(share * (1 - share) / n + z2 / (4 * n**2))
    known = of > 0
    low = np.where(known & (hits > 0), np.maximum(centre - half, 0.0), 0.0)
    high = np.where(known & (hits < of), np.minimum(centre + half, 1.0), 1.0)
    return low, high
