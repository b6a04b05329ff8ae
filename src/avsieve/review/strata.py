"""Strata of a sample: flagged and other clips, each cut where the standard deviations of their labels sum up alike.

The best allocation of a stratified sample is proportional to the standard deviation in each stratum (Neyman 1934). With
strata of equal sums of sqrt(p (1 - p)) it is the same number for each. A floor keeps some weight on what the method is
sure of: only there can unknown errors be found.
"""

from __future__ import annotations

import numpy as np

FLAGGED, OTHER = "flagged", "other"
MOST = {FLAGGED: 3, OTHER: 5}
"""Strata on either side."""
SHARE = {FLAGGED: 0.35, OTHER: 0.65}
"""Of the sample that each side gets where it has any clip."""
LEAST = 6
"""Clips that a stratum gets at least; below it there are fewer strata."""
FLOOR = 0.002


def deviation(p: np.ndarray) -> np.ndarray:
    """Return the standard deviation of labels that are wrong with probability ``p``, with a floor, same shape."""
    q = np.clip(p, FLOOR, 1 - FLOOR)
    return np.asarray(np.sqrt(q * (1 - q)))


def cut(p: np.ndarray, weight: np.ndarray, count: int) -> np.ndarray:
    """Cut items into ``count`` strata at most, the least certain first.

    Parameters
    ----------
    p
        (k,) mean probabilities of the items (parts of videos).
    weight
        (k,) sums of the `deviation` of their clips.
    count
        How many strata; there are fewer where there are fewer items.

    Returns
    -------
    numpy.ndarray
        (k,) int64, from 0; each number up to the highest occurs.
    """
    if not len(p):
        return np.zeros(0, np.int64)
    order = np.argsort(np.abs(p - 0.5), kind="stable")
    middle = np.cumsum(weight[order]) - weight[order] / 2
    place = np.minimum((middle / weight.sum() * count).astype(np.int64), count - 1)
    found = np.empty(len(p), np.int64)
    found[order] = place
    return np.unique(found, return_inverse=True)[1].astype(np.int64)


def allocation(count: int, there: dict[str, int]) -> dict[str, tuple[int, int]]:
    """Return how many strata and how many clips either side gets.

    Parameters
    ----------
    count
        Clips of the whole sample.
    there
        `FLAGGED` and `OTHER`: clips that can be drawn.

    Returns
    -------
    dict
        Side -> strata, clips. Both are 0 where there is nothing; what one side cannot use goes to the other.
    """
    wanted = {side: count * share if there[side] else 0.0 for side, share in SHARE.items()}
    total = sum(wanted.values())
    clips = {side: min(round(count * w / total), there[side]) if total else 0 for side, w in wanted.items()}
    for side, other in ((FLAGGED, OTHER), (OTHER, FLAGGED)):
        clips[side] = min(there[side], max(clips[side], count - clips[other]))
    return {side: (max(1, min(MOST[side], clips[side] // LEAST)) if clips[side] else 0, clips[side]) for side in SHARE}
