"""Pool opinions on a share: samples of draws of what different sources say that it is.

What each opinion knows is how far it may be off by the choice of what it was learned from. Two things it does not know:

**Its own error.** Each is wrong in a way that more utterances of the same list would not mend. As in a meta-analysis
with random effects, the error of each on the scale of log odds is taken as normal with the standard deviation t. How
much the opinions differ, beyond what their samples explain, tells t; two or three cannot tell much, so t has a prior,
half normal with the scale .5, as is usual for log odds ratios (Friede et al., Research Synthesis Methods 8, 2017).

**What comes out.** An opinion is on the share that is expected. The list is one outcome: of ``trials`` independent ones
so many have it as a binomial draw says.

The pool is an equal mixture of the opinions' draws, with both added (a linear opinion pool, Stone, Annals of
Mathematical Statistics 32, 1961).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

_HETEROGENEITY = 0.5  # scale of the prior of t
_TIMES = 5  # so often each draw is repeated, with errors of its own
_GRID = np.linspace(0.005, 3.5, 400)  # of t


def pooled(opinions: Sequence[np.ndarray], trials: int, rng: np.random.Generator, outcome: bool = True) -> np.ndarray:
    """Return draws (m,) of a share from those of several opinions.

    Parameters
    ----------
    opinions
        (k,) each, draws of the share; those without draws have no say.
    trials
        So many independent ones the share is of, at least 1.
    outcome
        Whether the share of the list is asked for, or the one that is expected.
    """
    given = [x for x in opinions if len(x)]
    if not given:
        return np.zeros(0)
    odds = [_log_odds(x, trials) for x in given]
    draws = np.concatenate([np.tile(z, _TIMES) for z in odds])
    draws = draws + rng.choice(_GRID, size=len(draws), p=_errors(odds)) * rng.normal(size=len(draws))
    share = 1 / (1 + np.exp(-draws))
    return np.asarray(rng.binomial(trials, share) / trials if outcome else share)


def interval(draws: np.ndarray) -> dict[str, float | None]:
    """Return the median and the bounds of 95 %; None without draws."""
    if not len(draws):
        return {"value": None, "low": None, "high": None}
    low, value, high = (float(q) for q in np.quantile(draws, [0.025, 0.5, 0.975]))
    return {"value": value, "low": low, "high": high}


def _log_odds(share: np.ndarray, trials: int) -> np.ndarray:
    """Return finite log odds: none and all of the trials stand for half a trial more or less."""
    share = np.clip(share, 0.5 / trials, 1 - 0.5 / trials)
    return np.asarray(np.log(share / (1 - share)))


def _errors(odds: Sequence[np.ndarray]) -> np.ndarray:
    """Return the posterior of t on the grid: the opinions' centres are normal around one unknown value."""
    centre = np.array([np.median(z) for z in odds])
    spread = np.array([np.diff(np.quantile(z, [0.16, 0.84]))[0] / 2 for z in odds])
    weight = 1 / (spread[:, None] ** 2 + _GRID**2)
    middle = (weight * centre[:, None]).sum(axis=0) / weight.sum(axis=0)
    log_p = -0.5 * (_GRID / _HETEROGENEITY) ** 2
    log_p += 0.5 * (np.log(weight).sum(axis=0) - np.log(weight.sum(axis=0)))
    log_p -= 0.5 * (weight * (centre[:, None] - middle) ** 2).sum(axis=0)
    p = np.exp(log_p - log_p.max())
    return np.asarray(p / p.sum())
