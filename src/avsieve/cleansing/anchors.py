"""Reviewed utterances as labelled data: the probabilities of a method are recalibrated where people have looked.

Platt's logistic map (Advances in Large Margin Classifiers, MIT Press 1999) of the method's own log odds z, with a pull
to the identity: logit P(wrong | z) = shift + slope z, with the priors shift ~ N(0, 0.5^2) and slope ~ N(1, 0.3^2). It
has two parameters and is monotone, so the order of the utterances stays. It is used only where the anchors contradict
the identity: where twice the gain in log likelihood exceeds `EVIDENCE` (the likelihood-ratio test). Else the chance of
two hundred anchors would move a method that was right.

Reviewed utterances are hardly ever a random sample: reviewers look at what is most uncertain or most suspicious. The
share of wrong ones among them is no estimate of a rate, and is not used as one. A logistic regression conditions on the
score: if utterances were chosen by their score, or at random among those of a score, what it says of a label given the
score is unbiased, whichever scores were chosen. A choice by something else that tells right from wrong (a face that
looked odd on a contact sheet) biases it, and nothing here can undo that. Two things follow. The map counts only where
there are anchors: beyond the lowest and the highest of their scores the correction fades to none within `FADE` log odds
or more, since nobody has looked there. And the clips of one video share their channel and their fault, so those of a
label and video weigh as much as one together.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from avsieve.cleansing.result import Judgement

ENOUGH = 20.0
"""Right ones, and wrong ones, that there must be, the clips of a label's video counted as one; else nothing changes."""
EVIDENCE = 5.99
"""The 95 % quantile of the chi-squared distribution with two degrees of freedom."""
FADE = 4.0
_SHIFT_SD, _SLOPE_SD = 0.5, 0.3
_SLOPES = (0.25, 4.0)
_LIMIT = 12.0  # log odds: a method's certainty is taken for no more
_STEPS = 50


@dataclass(frozen=True)
class Anchors:
    """Utterances that people have decided about.

    Attributes
    ----------
    row
        (k,) int64, their places among the utterances judged.
    audio, visual
        (k,) float64: 1 wrong, 0 right, NaN where nobody decided.
    video
        (k,) int64: those of one label and video have the same number.
    """

    row: np.ndarray
    audio: np.ndarray
    visual: np.ndarray
    video: np.ndarray


def recalibrated(judgement: Judgement, anchors: Anchors) -> Judgement:
    """Return the judgement with its probabilities, and those of its other reading, fitted to the anchors.

    What is fitted is the probability that anything judged is wrong; how it divides among voice, face and both is kept,
    so the three stay consistent. A method without probabilities, too few anchors (`ENOUGH`), and anchors that say
    what the method says (`EVIDENCE`) change nothing.

    ``facts`` get ``recalibration``: ``right`` and ``wrong`` anchors, the same with a video counted as one, whether it
    is ``used``, and where there were enough of both ``shift``, ``slope`` and ``evidence`` (the statistic of the test).
    """
    if not judgement.calibrated:
        return judgement
    new, facts = _refitted(judgement, anchors)
    other = judgement.sceptical and _refitted(judgement.sceptical, anchors)[0]
    return replace(new, facts=judgement.facts | {"recalibration": facts}, sceptical=other)


def _refitted(judgement: Judgement, anchors: Anchors) -> tuple[Judgement, dict[str, Any]]:
    label = _label(judgement, anchors)
    known = ~np.isnan(label)
    y, p = label[known], judgement.wrong[anchors.row[known]]
    _, place, count = np.unique(anchors.video[known], return_inverse=True, return_counts=True)
    weight = 1 / count[place]
    wrong = float(weight[y == 1].sum())
    right = float(weight[y == 0].sum())
    facts: dict[str, Any] = {
        "right": int((y == 0).sum()), "wrong": int((y == 1).sum()), "right_videos": round(right, 2),
        "wrong_videos": round(wrong, 2), "used": False,
    }  # fmt: skip
    if min(right, wrong) < ENOUGH:
        return judgement, facts
    z = _log_odds(p)
    shift, slope = fit(z, y, weight)
    evidence = 2 * (_log_likelihood(shift + slope * z, y, weight) - _log_likelihood(z, y, weight))
    facts |= {"shift": round(shift, 4), "slope": round(slope, 4), "evidence": round(evidence, 2)}
    facts["used"] = evidence > EVIDENCE
    if not facts["used"]:
        return judgement, facts
    w = judgement.wrong
    new = _mapped(w, shift, slope, float(z.min()), float(z.max()))
    # What an utterance is wrong in, given that it is wrong, is as it was.
    share = np.divide(new, w, out=np.ones_like(w), where=w > 0)
    audio, visual = (np.clip(x * share, 0.0, 1.0) for x in (judgement.audio_wrong, judgement.visual_wrong))
    return replace(judgement, audio_wrong=audio, visual_wrong=visual, wrong=new), facts


def _label(judgement: Judgement, anchors: Anchors) -> np.ndarray:
    """Return whether anything that was judged is wrong, (k,): 1, 0, or NaN where the anchor does not tell."""
    found = np.stack([anchors.audio, anchors.visual])
    judged = ~np.isnan(np.stack([judgement.audio_wrong, judgement.visual_wrong])[:, anchors.row])
    wrong = ((found == 1) & judged).any(axis=0)
    right = ((found == 0) | ~judged).all(axis=0) & judged.any(axis=0)
    return np.where(wrong, 1.0, np.where(right, 0.0, np.nan))


def fit(z: np.ndarray, y: np.ndarray, weight: np.ndarray) -> tuple[float, float]:
    """Return shift and slope of the most likely map under their priors, by Newton's method.

    Parameters
    ----------
    z, y, weight
        Log odds, 1 for wrong and 0 for right, and what each counts, (k,) float64.
    """
    X = np.stack([np.ones_like(z), z])
    prior, precision = np.array([0.0, 1.0]), np.array([_SHIFT_SD**-2, _SLOPE_SD**-2])
    beta = prior.copy()
    for _ in range(_STEPS):
        p = _sigmoid(beta @ X)
        gradient = X @ (weight * (p - y)) + precision * (beta - prior)
        # The curvature is never less than at a probability of 0.01 or 0.99: no step leads far astray.
        curvature = (X * (weight * np.maximum(p * (1 - p), 0.01))) @ X.T + np.diag(precision)
        step = np.linalg.solve(curvature, gradient)
        beta = beta - np.clip(step, -1.0, 1.0)
        if np.abs(step).max() < 1e-9:
            break
    return float(beta[0]), float(np.clip(beta[1], *_SLOPES))


def _log_likelihood(z: np.ndarray, y: np.ndarray, weight: np.ndarray) -> float:
    return float(weight @ (y * z - np.logaddexp(0.0, z)))


def _mapped(p: np.ndarray, shift: float, slope: float, low: float, high: float) -> np.ndarray:
    z = _log_odds(p)
    inside = np.clip(z, low, high)
    correction = shift + (slope - 1) * inside
    # Wide enough for the map to stay monotone: its slope out there is at least one half.
    fade = np.maximum(FADE, 2 * np.abs(correction))
    return np.asarray(_sigmoid(z + correction * np.clip(1 - np.abs(z - inside) / fade, 0.0, 1.0)))


def _log_odds(p: np.ndarray) -> np.ndarray:
    edge = _sigmoid(np.array(-_LIMIT))
    q = np.clip(p, edge, 1 - edge)
    return np.asarray(np.log(q) - np.log1p(-q))


def _sigmoid(z: np.ndarray) -> np.ndarray:
    return np.asarray(1 / (1 + np.exp(-np.clip(z, -40.0, 40.0))))
