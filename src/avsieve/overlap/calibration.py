"""From the ratio of a model to one that can be believed: what the corpora themselves say of pairs of people.

Known to be the same: two halves of one label that share no video. Known to be different, nearly all: two labels of one
corpus. A logistic regression on the model's ratio tells them apart, each class weighted so that the fit is right where
the decision falls, at a few same pairs among millions (prior-weighted logistic regression; Brümmer and du Preez,
Computer Speech and Language 20(2-3), 2006, and van Leeuwen and Brümmer, Interspeech 2013). Little data leave the
ratio of the model as it is.

Two things would spoil this, and are seen to. A label may be two people, so that its halves are different: halves count
by the probability that they are one. A corpus may have a person twice: such pairs would teach that different people may
be as alike as one. They are told where halves of one person lie: there different pairs die out (how many are left is
extrapolated from the tail below, as an exponential, which is too many rather than too few). Where there are more than
chance would have, each counts by the share that is expected: a tail false discovery rate (Efron, 2010, chapter 2).
A wrong label may also make a label's centre that of another's person, in part or whole; up to one such pair in a
hundred labels is told as halves of two people are, by its probability, and no more, since a heavy tail must stay one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize
from scipy.special import pdtrc

EXPECTED = 30.0  # same pairs among the different ones, at the prior for which the regression is made
_SPREAD = (0.5, 3.0)  # of the logarithm of the slope, and of the offset, before anything is seen
_SPLIT = 0.05  # share of labels whose halves may be two people
_DOUBLE = 0.01  # labels in whom another label's person may be, as a share of all, besides those who stand out
_STAND_OUT = 0.03  # the most of those who do, as a share of all labels
_ROUNDS = 6
_LEAST = 20  # pairs of either kind to learn from
_SURPRISE = 1e-3  # so improbable is a number of high ratios that holds duplicates
_LOW = 0.05  # share of halves of one person that are less alike than a duplicate


@dataclass(frozen=True)
class Calibration:
    """``slope * ratio + offset`` is the calibrated ratio.

    Attributes
    ----------
    slope, offset
        Of the regression; 1 and 0 where there was too little to learn from.
    same, different
        How many pairs of either kind it was learned from.
    duplicates
        How many of those that ought to be different seem to be one person.
    """

    slope: float
    offset: float
    same: int
    different: int
    duplicates: float

    def __call__(self, ratio: np.ndarray) -> np.ndarray:
        """Return calibrated log likelihood ratios of any shape."""
        return np.asarray(self.slope * ratio + self.offset)


@dataclass(frozen=True)
class Tail:
    """The highest of many ratios: ``value`` (n,), sorted, of ``count`` in all."""

    value: np.ndarray
    count: int

    @classmethod
    def of(cls, parts: list[np.ndarray], most: int = 200_000) -> Tail:
        """Keep the ``most`` highest of all parts."""
        value = np.concatenate([p.ravel() for p in parts]) if parts else np.zeros(0)
        count = len(value)
        if count > most:
            value = np.partition(value, count - most)[count - most :]
        return cls(np.sort(value.astype(np.float64)), count)


def fit(same: np.ndarray, different: Tail, labels: int) -> Calibration:
    """Learn the calibration.

    Parameters
    ----------
    same
        Ratios (n,) of halves of one label.
    different
        Ratios of different labels of one corpus, of all corpora together.
    labels
        How many labels these are of.
    """
    same = np.asarray(same, np.float64)
    if len(same) < _LEAST or different.count < _LEAST:
        return Calibration(1.0, 0.0, len(same), different.count, 0.0)
    weight, duplicates = _without_duplicates(same, different)
    if duplicates > _STAND_OUT * labels:  # a heavy tail, rather than so many duplicates
        weight, duplicates = 1 - (1 - weight) * _STAND_OUT * labels / duplicates, _STAND_OUT * labels
    hidden = most = _DOUBLE * labels
    # A pair that lies far below needs no regression; there are none where all are kept.
    prior = min(EXPECTED, different.count / 10) / different.count
    eta = np.log(prior / (1 - prior))
    slope, offset = 1.0, 0.0
    for _ in range(_ROUNDS):
        odds = np.clip(slope * same + offset + np.log((1 - _SPLIT) / _SPLIT), -40, 40)
        believed = 1 / (1 + np.exp(-odds))
        # As many same pairs as are expected among the different ones.
        believed *= prior * different.count / believed.sum()
        double = _shared_out(slope * different.value + offset, weight, hidden, most, different.count)
        hidden = float(double.sum())
        slope, offset = _regress(same, believed, different.value, weight - double, eta, (slope, offset))
    return Calibration(slope, offset, len(same), different.count, duplicates + hidden)


def _shared_out(ratio: np.ndarray, weight: np.ndarray, hidden: float, most: float, count: int) -> np.ndarray:
    """Return how likely each pair is a duplicate by the calibrated ratios as they are now; ``most`` in all."""
    double = weight * _sigmoid(ratio + np.log(max(hidden, 1e-3) / count))
    return np.asarray(double * min(1.0, most / max(double.sum(), 1e-12)))


def duplicates_from(same: np.ndarray, different: Tail) -> float:
    """Return the ratio from which different pairs are rather one person; infinity where there are none such."""
    if len(same) < _LEAST or different.count < _LEAST:
        return float("inf")
    weight, _ = _without_duplicates(np.asarray(same, np.float64), different)
    return float(different.value[weight < 0.5].min(initial=np.inf))


def _regress(
    same: np.ndarray, believed: np.ndarray, different: np.ndarray, weight: np.ndarray, eta: float,
    start: tuple[float, float],
) -> tuple[float, float]:  # fmt: skip
    def loss(theta: np.ndarray) -> tuple[float, np.ndarray]:
        slope = float(np.exp(theta[0]))
        up, down = slope * same + theta[1] + eta, slope * different + theta[1] + eta
        value = believed @ np.logaddexp(0, -up) + weight @ np.logaddexp(0, down)
        value += (theta[0] / _SPREAD[0]) ** 2 / 2 + (theta[1] / _SPREAD[1]) ** 2 / 2
        of_same, of_different = -believed * _sigmoid(-up), weight * _sigmoid(down)
        by_slope = slope * (of_same @ same + of_different @ different) + theta[0] / _SPREAD[0] ** 2
        by_offset = of_same.sum() + of_different.sum() + theta[1] / _SPREAD[1] ** 2
        return float(value), np.array([by_slope, by_offset])

    found = minimize(loss, [np.log(start[0]), start[1]], jac=True, method="L-BFGS-B", bounds=[(-5, 2), (-40, 40)])
    return float(np.exp(found.x[0])), float(found.x[1])


def _sigmoid(x: np.ndarray) -> np.ndarray:
    return np.asarray(1 / (1 + np.exp(-np.clip(x, -60, 60))))


def _without_duplicates(same: np.ndarray, different: Tail) -> tuple[np.ndarray, float]:
    """Return how far each of the highest ratios (n,) is believed to be of two people, and the number of duplicates."""
    value = different.value
    above = np.arange(len(value), 0, -1)  # how many are as high
    expected = _extrapolated(different)
    surely = pdtrc(above - 1, expected) < _SURPRISE
    surely &= value >= np.quantile(same, _LOW)
    weight = np.where(surely, expected / above, 1.0)
    return weight, float((1 - weight).sum())


def _extrapolated(different: Tail) -> np.ndarray:
    """Return how many different pairs would lie as high as each of the highest (n,) if their tail were exponential.

    Its rate is told by the highest 2.5 and 0.25 %, more of few pairs: duplicates hardly move these.
    """
    value, n = different.value, different.count
    high, low = (max(1, n // 50), max(2, n // 8)) if n < 1000 else (max(10, n // 400), max(100, n // 40))
    low = min(low, len(value))
    above = np.arange(len(value), 0, -1).astype(float)
    if high >= low:
        return above
    rate = np.log(low / high) / max(value[-high] - value[-low], 1e-9)
    return np.where(value > value[-high], high * np.exp(-rate * (value - value[-high])), above)
