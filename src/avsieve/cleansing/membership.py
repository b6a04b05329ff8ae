"""Which utterances are a person's: weights and a centre, re-estimated in turn, alone or against a second person.

Weights are probabilities (n,) per modality, each judged against the centre without the utterance's own video.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from avsieve.cleansing.calibration import PairCalibration
from avsieve.cleansing.inputs import MODALITIES
from avsieve.cleansing.views import FLOOR, View

# Before any evidence: both modalities right, voice wrong, face wrong, both wrong. Vague on purpose; only weights depend
# on it.
_PRIOR = np.array([0.70, 0.06, 0.06, 0.18])
_ROUNDS = 8
_STILL = 1e-3  # of a weight
# What belongs to one person is more alike: on a scale from strangers to people whom the corpus has.
_ALIKE = 0.85
_FEWEST = 4.0  # voices and faces of a person who is told from another
_STEPS = 10  # of the power method, which need not converge: it finds where to begin

Weights = dict[str, np.ndarray]
Views = Mapping[str, View]
Calibrations = Mapping[str, PairCalibration]


def settle(weight: Weights, views: Views, calibration: Calibrations) -> Weights:
    """Re-estimate the weights and the centre in turn, from given weights."""
    for _ in range(_ROUNDS):
        before, weight = weight, _right({m: _log_odds(views[m], weight[m], calibration[m]) for m in MODALITIES}, views)
        if _change(before, weight) < _STILL:
            break
    return weight


def one_of_two(weight: Weights, views: Views, calibration: Calibrations) -> Weights:
    """Return the weights of one person where the centre is the middle of two, else the same.

    Two people who are a little alike, or who take turns in the same videos, are nearer to their middle than strangers
    are, and so keep it alive. The direction in which the trusted differ most has the one at either end; both ends are
    made centres, which compete for the utterances. They are two people if their similarities are those of strangers.
    The one of whom there is more is kept.
    """
    if _likeness(weight, views, calibration) > _ALIKE or (side := _ends(weight, views, calibration)) is None:
        return weight
    first = {m: np.where(side > 0, weight[m], FLOOR * weight[m]) for m in MODALITIES}
    second = {m: np.where(side < 0, weight[m], FLOOR * weight[m]) for m in MODALITIES}
    for _ in range(_ROUNDS):
        before, (a, b) = first, (
            {m: _log_odds(views[m], w[m], calibration[m]) for m in MODALITIES} for w in (first, second)
        )  # fmt: skip
        share = float(np.clip(_size(second) / max(_size(first) + _size(second), 1e-9), 0.05, 0.95))
        # Who is not the one is a stranger or the other.
        first = _right({m: a[m] - np.logaddexp(np.log(1 - share), np.log(share) + b[m]) for m in MODALITIES}, views)
        second = _right({m: b[m] - np.logaddexp(np.log(share), np.log(1 - share) + a[m]) for m in MODALITIES}, views)
        if _change(before, first) < _STILL:
            break
    if min(_size(first), _size(second)) < _FEWEST or not _strangers(first, second, views, calibration):
        return weight
    return first if _size(first) >= _size(second) else second


def _right(odds: Weights, views: Views) -> Weights:
    """Turn log odds of both modalities into the probability that each is right, by Bayes over the four cases."""
    a, v = (np.where(views[m].present, odds[m], 0.0) for m in MODALITIES)
    cases = np.log(_PRIOR) + np.stack([a + v, v, a, np.zeros_like(a)], axis=1)
    p = np.exp(cases - cases.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    right = {"audio": p[:, 0] + p[:, 2], "visual": p[:, 0] + p[:, 1]}
    return {m: np.where(views[m].present, right[m], 0.0).astype(np.float32) for m in MODALITIES}


def _log_odds(view: View, weight: np.ndarray, calibration: PairCalibration) -> np.ndarray:
    mean = view.others(weight).mean
    return np.where(np.isnan(mean), 0.0, calibration.log_odds(np.nan_to_num(mean)))


def _mean(view: View, of: np.ndarray, to: np.ndarray) -> float:
    """Return the mean cosine of utterances to the other videos of a centre, by the weights of both; NaN of none."""
    mean = view.others(to).mean
    known = ~np.isnan(mean)
    total = float(of[known].sum())
    return float((of[known] * mean[known]).sum()) / total if total > 0 else np.nan


def _likeness(weight: Weights, views: Views, calibration: Calibrations) -> float:
    """Return how like those of one person the trusted are, 1, or of strangers, 0; the mean of both modalities."""
    found = []
    for m in MODALITIES:
        c = calibration[m]
        found.append((_mean(views[m], weight[m], weight[m]) - c.different_mean) / (c.same_mean - c.different_mean))
    known = [x for x in found if not np.isnan(x)]
    return float(np.mean(known)) if known else 1.0


def _strangers(first: Weights, second: Weights, views: Views, calibration: Calibrations) -> bool:
    """Tell whether two people are as unlike each other as strangers, by both modalities."""
    across = ((m, _mean(views[m], first[m], second[m])) for m in MODALITIES)
    return sum(float(calibration[m].log_odds(np.array(mean))) for m, mean in across if not np.isnan(mean)) < 0


def _ends(weight: Weights, views: Views, calibration: Calibrations) -> np.ndarray | None:
    """Return where utterances lie (n,) along the direction in which the trusted differ most, None where few are."""
    parts = []
    for m in MODALITIES:
        w, E = weight[m][:, None], views[m].E
        if w.sum() >= _FEWEST / len(MODALITIES):
            # What a cosine tells counts by its log odds.
            parts.append(np.sqrt(calibration[m].slope) * w * (E - (w * E).sum(axis=0) / w.sum()))
    if not parts:
        return None
    X = np.concatenate(parts, axis=1)
    side = X @ X[int(np.einsum("ij,ij->i", X, X).argmax())]
    for _ in range(_STEPS):
        side = X @ (X.T @ side)
        side /= max(float(np.linalg.norm(side)), 1e-12)
    return side


def _size(weight: Weights) -> float:
    return sum(float(w.sum()) for w in weight.values())


def _change(before: Weights, after: Weights) -> float:
    return max(float(np.abs(after[m] - before[m]).max()) for m in MODALITIES)
