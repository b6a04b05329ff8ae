"""Figures of a verification system, without a loop over trials: EER, minDCF and the DET curve, and actDCF and Cllr.

The last two are costs of decisions at thresholds fixed beforehand, and need scores that are log-likelihood ratios.

Error rates start from the operating points: a trial is accepted when its score reaches the threshold, and trials with
equal scores are accepted together, so a tie is never broken by the order of the list.

The equal error rate is a crossing of two step functions, and the field reads it off in three ways that differ by whole
trials when errors are rare. The one that is meant is stated wherever a number is shown:

``interpolated`` (the default)
    The ROC's points are joined by straight lines and the line FNR = FPR is intersected with them. It does not depend on
    whether points inside straight pieces were dropped, and moves smoothly when a trial is added.
``nearest``
    max(FPR, FNR) at the operating point where the two are closest (AVCleanse, RJCA, ECAPA-TDNN's trainer). Scripts that
    take the points from scikit-learn's ``roc_curve`` see fewer of them by default and may differ by a few trials.
``nearest_mean``
    (FPR + FNR) / 2 at that point.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

import numpy as np

from avsieve.errors import AvsieveError

Costs = Callable[[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]
EER_DEFINITIONS = ("interpolated", "nearest", "nearest_mean")


@dataclass(frozen=True)
class ErrorRates:
    """The operating points of a system, from "accept nothing" to "accept everything".

    Attributes
    ----------
    thresholds
        (K,) float64, falling; a trial is accepted when its score is at least the threshold. The first is infinite.
    fpr, fnr
        (K,) float64: share of nontarget trials accepted (never falling) and of target trials rejected (never rising).
    """

    thresholds: np.ndarray
    fpr: np.ndarray
    fnr: np.ndarray


def check_scores(scores: np.ndarray, is_target: np.ndarray) -> None:
    """Refuse scores that no error rate can be computed from.

    Raises
    ------
    AvsieveError
        If the shapes differ, a score is not finite, or there are no target or no nontarget trials.
    """
    if scores.ndim != 1 or scores.shape != is_target.shape:
        raise AvsieveError(
            f"scores of shape {scores.shape} for trials of shape {is_target.shape}; expected one score per trial"
        )
    if not np.isfinite(scores).all():
        bad = int(np.flatnonzero(~np.isfinite(scores))[0])
        raise AvsieveError(f"score {bad} is {scores[bad]}, expected a finite number; leave out unscored trials")
    targets = int(is_target.sum())
    if targets == 0 or targets == len(is_target):
        raise AvsieveError(
            f"{targets} target and {len(is_target) - targets} nontarget trials; error rates need at least one of each"
        )


def tie_starts(ordered: np.ndarray) -> np.ndarray:
    """Return where each group of equal values begins in a sorted array."""
    return np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]])


def error_rates(scores: np.ndarray, is_target: np.ndarray, weights: np.ndarray | None = None) -> ErrorRates:
    """Compute the error rates at every threshold that makes a difference.

    Parameters
    ----------
    scores
        (T,) finite; higher means "same person".
    is_target
        (T,) bool.
    weights
        (T,) non-negative, how often each trial counts; once each where not given.

    Raises
    ------
    AvsieveError
        If no rate can be computed (see `check_scores`), or the weights leave no target or no nontarget trial.
    """
    scores, is_target = np.asarray(scores), np.asarray(is_target, dtype=bool)
    check_scores(scores, is_target)
    order = np.argsort(-scores)
    ordered, targets = scores[order], is_target[order]
    weight = np.ones(len(order)) if weights is None else np.asarray(weights, dtype=np.float64)[order]
    starts = tie_starts(ordered)
    accepted_targets = np.cumsum(np.add.reduceat(np.where(targets, weight, 0.0), starts))
    accepted_nontargets = np.cumsum(np.add.reduceat(np.where(targets, 0.0, weight), starts))
    if accepted_targets[-1] <= 0 or accepted_nontargets[-1] <= 0:
        raise AvsieveError("the weights leave no target or no nontarget trial; error rates need at least one of each")
    return ErrorRates(
        thresholds=np.r_[np.inf, ordered[starts]].astype(np.float64),
        fpr=np.r_[0.0, accepted_nontargets / accepted_nontargets[-1]],
        fnr=np.r_[1.0, 1.0 - accepted_targets / accepted_targets[-1]],
    )


def eer(rates: ErrorRates, definition: str = "interpolated") -> float:
    """Return the equal error rate, 0 to 1, by one of `EER_DEFINITIONS` (see the module's text).

    Raises
    ------
    AvsieveError
        If the definition is not known.
    """
    return eer_of(rates.fpr, rates.fnr, definition)


def eer_of(fpr: np.ndarray, fnr: np.ndarray, definition: str = "interpolated") -> float:
    """Return the equal error rate of the points (K,) of a ROC; see `eer`."""
    if definition == "interpolated":
        return interpolated_eer(fpr, fnr)
    if definition not in EER_DEFINITIONS:
        raise AvsieveError(f"EER definition {definition!r}; expected one of {', '.join(EER_DEFINITIONS)}")
    closest = int(np.argmin(np.abs(fnr - fpr)))
    pair = fpr[closest], fnr[closest]
    return float(max(pair) if definition == "nearest" else sum(pair) / 2)


def interpolated_eer(fpr: np.ndarray, fnr: np.ndarray) -> float:
    """Intersect the ROC, its points joined by straight lines, with FNR = FPR.

    Parameters
    ----------
    fpr, fnr
        (K,) from "accept nothing" (0, 1) to "accept everything" (1, 0).
    """
    # fnr - fpr never rises, so the crossing is found by bisection.
    after = int(np.searchsorted(fpr - fnr, 0.0))
    before = after - 1
    above, below = fnr[before] - fpr[before], fnr[after] - fpr[after]
    share = above / (above - below)
    return float(fpr[before] + share * (fpr[after] - fpr[before]))


def detection_costs(
    fpr: np.ndarray, fnr: np.ndarray, p_target: float, c_miss: float = 1.0, c_false_alarm: float = 1.0
) -> np.ndarray:
    """Return the detection cost of each operating point, divided by that of the better of "always" and "never"."""
    miss, false_alarm = c_miss * p_target, c_false_alarm * (1.0 - p_target)
    return (miss * fnr + false_alarm * fpr) / min(miss, false_alarm)


def min_dcf(rates: ErrorRates, p_target: float, c_miss: float = 1.0, c_false_alarm: float = 1.0) -> float:
    """Return the smallest normalised detection cost over all thresholds (NIST SRE), at most 1.

    The field's two habits are ``p_target`` 0.01 and 0.05 with both costs 1; they are different figures.

    Raises
    ------
    AvsieveError
        If ``p_target`` is not between 0 and 1.
    """
    _check_prior(p_target)
    return float(detection_costs(rates.fpr, rates.fnr, p_target, c_miss, c_false_alarm).min())


def _check_prior(p_target: float) -> None:
    if not 0.0 < p_target < 1.0:
        raise AvsieveError(f"p_target {p_target}; expected a share between 0 and 1, such as 0.01")


def act_dcf(ratios: np.ndarray, is_target: np.ndarray, p_target: float) -> float:
    """Return the normalised detection cost of Bayes' decision: accept where the ratio reaches log((1 - P) / P).

    As `min_dcf`, both costs 1, but at the threshold that follows from the prior alone; what it is above the minimum is
    the price of the calibration, and above 1 the system costs more than one that does not listen.

    Parameters
    ----------
    ratios
        (T,) finite; natural logarithms of likelihood ratios, "same person" over "two people".
    is_target
        (T,) bool.
    p_target
        Prior of a target trial.

    Raises
    ------
    AvsieveError
        If ``p_target`` is not between 0 and 1, or there is no rate (see `check_scores`).
    """
    _check_prior(p_target)
    return _mean_cost(partial(_act_dcf_costs, p_target), ratios, is_target)


def cllr(ratios: np.ndarray, is_target: np.ndarray) -> float:
    """Return the cost of log-likelihood ratios over all priors, in bits: 0 is perfect, 1 is what ratios of 1 cost.

    Bruemmer and du Preez: "Application-independent evaluation of speaker detection", Computer Speech and Language 2006.

    Parameters
    ----------
    ratios, is_target
        As for `act_dcf`.

    Raises
    ------
    AvsieveError
        If there is no target or no nontarget trial, or a ratio is not finite.
    """
    return _mean_cost(_cllr_costs, ratios, is_target)


def _mean_cost(costs: Costs, ratios: np.ndarray, is_target: np.ndarray) -> float:
    ratios, is_target = np.asarray(ratios, dtype=np.float64), np.asarray(is_target, dtype=bool)
    check_scores(ratios, is_target)
    of_targets, of_nontargets = costs(ratios[is_target], ratios[~is_target])
    return float(of_targets.mean() + of_nontargets.mean())


def _act_dcf_costs(p_target: float, targets: np.ndarray, nontargets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    threshold, least = math.log((1.0 - p_target) / p_target), min(p_target, 1.0 - p_target)
    return (targets < threshold) * (p_target / least), (nontargets >= threshold) * ((1.0 - p_target) / least)


def _cllr_costs(targets: np.ndarray, nontargets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    scale = 0.5 / math.log(2.0)
    return scale * np.logaddexp(0.0, -targets), scale * np.logaddexp(0.0, nontargets)


@dataclass(frozen=True)
class Figure:
    """How a figure of a system on a list of trials is shown.

    Attributes
    ----------
    label
        At the head of its column on a terminal and, more spelt out, ``heading``, in the report.
    percent
        Whether it is shown in percent; it is a share in every table.
    digits
        Behind the point, on a terminal.
    """

    label: str
    heading: str
    percent: bool = field(default=False, kw_only=True)
    digits: int = field(default=4, kw_only=True)

    def text(self, value: float) -> str:
        """Return a value as a terminal shows it."""
        return f"{100 * value if self.percent else value:.{self.digits}f}"


@dataclass(frozen=True)
class Metric(Figure):
    """A figure that is made of the ROC, whatever the scores are.

    Attributes
    ----------
    of
        FPR and FNR (K,) of the operating points and a definition of the EER -> the figure.
    corners
        Whether the ends of the straight pieces of the ROC are enough for it: the bootstrap then needs far fewer points.
    """

    of: Callable[[np.ndarray, np.ndarray, str], float]
    corners: bool = True


@dataclass(frozen=True)
class CostMetric(Figure):
    """A figure of scores that are log-likelihood ratios: the mean cost of target and that of nontarget trials, added.

    Means can be weighted, so the bootstrap needs each trial's cost once, and no operating points.

    Attributes
    ----------
    costs
        Ratios (float64) of target and of nontarget trials -> the cost of each.
    """

    costs: Costs


def _min_dcf(p_target: float, fpr: np.ndarray, fnr: np.ndarray, definition: str) -> float:
    return float(detection_costs(fpr, fnr, p_target).min())


METRICS = {
    "eer": Metric("EER %", "EER %", eer_of, percent=True, digits=3),
    "min_dcf_0.01": Metric("minDCF 0.01", "minDCF, prior 0.01", partial(_min_dcf, 0.01)),
    "min_dcf_0.05": Metric("minDCF 0.05", "minDCF, prior 0.05", partial(_min_dcf, 0.05)),
}
"""What every evaluation measures, by the name of its column: results, gains, intervals, `avsieve evaluate` and the
report have what stands here, in this order. The EER comes first: headlines, gains and figures stand on it."""


CALIBRATED = {
    "act_dcf_0.01": CostMetric("actDCF 0.01", "actDCF, prior 0.01", partial(_act_dcf_costs, 0.01)),
    "act_dcf_0.05": CostMetric("actDCF 0.05", "actDCF, prior 0.05", partial(_act_dcf_costs, 0.05)),
    "cllr": CostMetric("Cllr", "Cllr, bits", _cllr_costs),
}
"""What is measured besides where scores are log-likelihood ratios; of others, such as cosines, it would mean nothing.
Their columns of the results have values there only."""


def summarise(
    scores: np.ndarray, is_target: np.ndarray, definition: str = "interpolated", *, calibrated: bool = False
) -> dict[str, float]:
    """Return every figure of `METRICS` from one sort, and those of `CALIBRATED` if the scores are ``calibrated``.

    Error rates are shares, not percent.
    """
    rates = error_rates(scores, is_target)
    found = {name: metric.of(rates.fpr, rates.fnr, definition) for name, metric in METRICS.items()}
    if calibrated:
        found |= {name: _mean_cost(metric.costs, scores, is_target) for name, metric in CALIBRATED.items()}
    return found


def _corners(rates: ErrorRates) -> np.ndarray:
    """Return the indices of the ROC's points that are not inside a horizontal or vertical piece."""
    steps_fpr, steps_fnr = np.diff(rates.fpr) > 0, np.diff(rates.fnr) < 0
    same = (steps_fpr[1:] == steps_fpr[:-1]) & (steps_fnr[1:] == steps_fnr[:-1]) & (steps_fpr[1:] != steps_fnr[1:])
    return np.flatnonzero(np.r_[True, ~same, True])


def det_points(rates: ErrorRates, max_points: int = 400) -> tuple[np.ndarray, np.ndarray]:
    """Return points (FPR, FNR) of the DET curve, thinned evenly along the curve, its corners and ends kept.

    Rates are shares; a plot puts both through the inverse normal distribution, where 0 and 1 are infinitely far away.
    """
    corners = _corners(rates)
    fpr, fnr = rates.fpr[corners], rates.fnr[corners]
    if len(corners) <= max_points:
        return fpr, fnr
    # Evenly by the way travelled in log-rates: that keeps the rare-error end, which the eye is looking at.
    floor = 0.5 / len(rates.fpr)
    x, y = np.log(np.maximum(fpr, floor)), np.log(np.maximum(fnr, floor))
    travelled = np.r_[0.0, np.cumsum(np.hypot(np.diff(x), np.diff(y)))]
    wanted = np.linspace(0.0, travelled[-1], max_points)
    keep = np.unique(np.minimum(np.searchsorted(travelled, wanted), len(corners) - 1))
    return fpr[keep], fnr[keep]
