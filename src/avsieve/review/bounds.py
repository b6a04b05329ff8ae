"""Bounds that assume nothing but that the sample was drawn at random: they stand whatever the method believes.

The unit is a video, since its clips share their fault: of each drawn video the share of wrong ones among its judged
clips is one number between 0 and 1. Two bounds hold for the mean over a side of the list, each with half of the error:
the exact binomial limits of each stratum with their shares of the error (Clopper and Pearson 1934), and Hoeffding's
inequality for the weighted sum of all (1963). The tighter one counts. Draws without replacement are less variable than
those with (Hoeffding 1963, theorem 4), and systematic draws in random order are taken for such.

A bound on the errors that were missed is a share of the whole list, a bound on those that were found a share of what is
flagged: of a large list with few errors the recall that can be guaranteed is next to nothing.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.special import betaincinv

from avsieve.review.sample import Sample, Stratum


def rate_bounds(strata: Sequence[Stratum], clips: int, error: float) -> tuple[float, float]:
    """Return limits between which the share of wrong clips lies, each missed with probability ``error`` at most.

    Parameters
    ----------
    strata
        Of one side of the list.
    clips
        How many clips they have together.
    error
        Of each of the two limits.
    """
    if not clips:
        return 0.0, 1.0
    weight = np.array([s.clips / clips for s in strata])
    units = np.array([s.units for s in strata], float)
    some = np.array([s.units_wrong for s in strata], float)
    whole = np.array([s.units_whole for s in strata], float)
    each = error / 2 / len(strata)
    # Strata of which some videos were drawn for certain weigh theirs differently: no binomial fits, and all is open.
    alike = np.array([s.largest < 1.001 for s in strata])
    with np.errstate(invalid="ignore"):
        low = np.where((whole > 0) & alike, betaincinv(whole, units - whole + 1, each), 0.0)
        high = np.where((some < units) & alike, betaincinv(some + 1, units - some, 1 - each), 1.0)
    # A stratum that is judged whole is known.
    known = np.array([s.seen == s.clips for s in strata])
    share = np.array([s.share for s in strata])
    low, high = np.where(known, share, low), np.where(known, share, high)
    exact = float(weight @ low), float(weight @ high)
    left = ~known & (weight > 0)
    if (units[left] == 0).any():
        return exact
    mean = float(weight @ np.where(known, share, [s.mean for s in strata]))
    spread = float(sum(weight[left] ** 2 * np.array([s.largest**2 for s in strata])[left] / units[left]))
    half = float(np.sqrt(np.log(2 / error) / 2 * spread))
    return max(exact[0], mean - half), min(exact[1], mean + half)


def assured(sample: Sample, flagged: int, others: int, fixed: dict[bool, tuple[float, float]]) -> dict[str, float]:
    """Return what precision and recall are at least, each with 95 % (one-sided).

    Parameters
    ----------
    sample
        What was judged.
    flagged, others
        Clips of either side.
    fixed
        Side (whether flagged) -> wrong clips outside the sampled arm, at least and at most.

    Returns
    -------
    dict
        ``precision`` and ``recall``, as far as either is defined.
    """
    found: dict[str, float] = {}
    sides = {side: [s for s in sample.strata if s.flagged == side] for side in (True, False)}
    clips = {side: sum(s.clips for s in of) for side, of in sides.items()}
    if flagged:
        low, _ = rate_bounds(sides[True], clips[True], 0.05)
        found["precision"] = (fixed[True][0] + low * clips[True]) / flagged
    # Recall needs both sides, so each gets half of the error.
    low, _ = rate_bounds(sides[True], clips[True], 0.025)
    _, high = rate_bounds(sides[False], clips[False], 0.025)
    hits, missed = fixed[True][0] + low * clips[True], fixed[False][1] + high * clips[False]
    if flagged and others:
        found["recall"] = hits / (hits + missed) if hits + missed else 0.0
    elif flagged:
        found["recall"] = 1.0
    return found
