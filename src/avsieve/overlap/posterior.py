"""The probability that a pair is one person: few are, and how few is learned from all pairs.

With the calibrated ratio L of each of N pairs of the first and the second corpus, and the share s of pairs that are one
person, the likelihood of s is the product of 1 - s + s L. Its maximum is what EM over the mixture finds; here the whole
likelihood is taken on a grid, with the prior s^-1/2 (Jeffreys, for a rate), so that what is not known of s shows in
the interval of the number of shared people. A pair's probability is s L / (1 - s + s L), averaged over s.

Ratios of all pairs are held as counts in narrow bins; the pairs themselves only where they are worth a look.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

LOWEST, HIGHEST, WIDTH = -60.0, 120.0, 0.1
BINS = np.arange(LOWEST, HIGHEST + WIDTH / 2, WIDTH)
_GRID = 400
_DRAWS = 500


def counted(ratio: np.ndarray) -> np.ndarray:
    """Count calibrated log ratios in `BINS`, (1800,) int64."""
    place = ((np.clip(ratio, LOWEST, HIGHEST - WIDTH) - LOWEST) / WIDTH).astype(np.int32)
    return np.bincount(place.ravel(), minlength=len(BINS) - 1)


@dataclass(frozen=True)
class Prior:
    """What is known of the share of pairs that are one person: ``share`` (g,) and the weight of each, sum 1."""

    share: np.ndarray
    weight: np.ndarray

    @property
    def mean(self) -> float:
        """The expected share."""
        return float(self.share @ self.weight)

    def probability(self, ratio: np.ndarray) -> np.ndarray:
        """Return the probability (n,) of pairs of calibrated log ratios (n,) to be one person."""
        odds = np.log(self.share) - np.log1p(-self.share)
        found = np.zeros(len(ratio))
        for o, w in zip(odds, self.weight, strict=True):
            found += w / (1 + np.exp(-np.clip(ratio + o, -60, 60)))
        return found


def prior_of(count: np.ndarray, most: float) -> Prior:
    """Learn the share from the ratios of all pairs.

    Parameters
    ----------
    count
        (1800,) of `counted`.
    most
        The largest number of pairs that may be one person.
    """
    total = float(count.sum())
    ratio = np.exp(np.minimum((BINS[:-1] + BINS[1:]) / 2, 60))
    # From a hundredth of a pair to the most there can be.
    share = np.geomspace(0.01 / total, min(max(most, 1.0) / total, 0.9), _GRID)
    filled = np.flatnonzero(count)
    with np.errstate(divide="ignore"):
        log = np.array([count[filled] @ np.log1p(s * (ratio[filled] - 1)) for s in share])
    # Even steps of the logarithm, so that the prior s^-1/2 ds is s^1/2 d log s.
    log += 0.5 * np.log(share)
    weight = np.exp(log - log.max())
    keep = weight > 1e-9
    return Prior(share[keep], weight[keep] / weight.sum())


@dataclass(frozen=True)
class Number:
    """An expected number, and its 95 % interval."""

    mean: float
    low: int
    high: int


def number_of(
    person: np.ndarray, ratio: np.ndarray, prior: Prior, seed: int = 0, rest: np.ndarray | None = None
) -> Number:
    """Tell how many people of one corpus are in the other.

    Parameters
    ----------
    person
        (n,) int64, whose pair each is.
    ratio
        (n,) calibrated log ratios.
    rest
        Counts (1800,) of the pairs that are not among these.
    """
    rng = np.random.default_rng(seed)
    odds = np.log(prior.share) - np.log1p(-prior.share)
    codes = np.unique(person, return_inverse=True)[1].reshape(-1)
    draws = np.empty(_DRAWS)
    for k, g in enumerate(rng.choice(len(odds), _DRAWS, p=prior.weight)):
        p = 1 / (1 + np.exp(-np.clip(ratio + odds[g], -60, 60)))
        draws[k] = len(np.unique(codes[rng.random(len(p)) < p]))
        if rest is not None:
            middles = (BINS[:-1] + BINS[1:]) / 2
            draws[k] += rng.poisson(rest @ (1 / (1 + np.exp(-np.clip(middles + odds[g], -60, 60)))))
    low, high = np.quantile(draws, [0.025, 0.975], method="inverted_cdf")
    return Number(float(draws.mean()), int(low), int(high))
