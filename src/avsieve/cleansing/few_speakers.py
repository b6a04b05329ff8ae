"""Likelihoods where there is too little to learn `avsieve.cleansing.likelihood` from: up to five speakers, few clips.

Right utterances lie where those do that are nearest to their own label: at their median, with Student's tails, since
poor sound and poor light are right too. Wrong ones lie where these same utterances are against other speakers, with the
same tails, since a few others show little of what strangers are like. One speaker alone has no others: wrong then is
anything below, the likelier the further, so only outliers among a majority of right utterances are found. No bump is
fitted, nothing is re-estimated and nothing is tuned on truth: four figures are read off the data once, which cannot run
away on a handful of clips.
"""

from __future__ import annotations

from math import lgamma, log, pi

import numpy as np

from avsieve.cleansing.likelihood import LIMIT, LikelihoodModel
from avsieve.cleansing.result import NOT_APART, TOO_LITTLE
from avsieve.cleansing.scores import NEAREST, Evidence

# Cosines: what to expect of any encoder's strangers before some are seen, and how many utterances that counts for.
_STRANGERS, _STRANGERS_SPREAD, _STRANGERS_COUNT = 0.05, 0.1, 4.0
_FEW = 5  # up to so many speakers, others are too few to learn from what wrong looks like
_ENOUGH = 20  # utterances that chance can be told by
_LEAST = 6  # fewer utterances say nothing about where right ones are
_LEAST_GAP = 0.2  # the better of the right must lie so far above strangers, and three of their spreads
_LEAST_SPREAD = 0.04
_ALIKE = 1e-3
_TAILS = 4.0  # degrees of freedom
_LOWEST = -0.2  # of a stranger's similarity, where none is seen


def model_for(e: Evidence, video: np.ndarray, speaker: np.ndarray, seed: int = 0) -> LikelihoodModel | FewModel:
    """Choose what judges a modality.

    Parameters
    ----------
    e
        Its evidence.
    video, speaker
        Codes (n,).
    seed
        See `LikelihoodModel`.
    """
    speakers = len(np.unique(speaker[e.present]))
    few = FewModel(e, speakers)
    if speakers <= _FEW and few.works:
        return few
    if not _tells_apart(e):
        few.works, few.why = False, NOT_APART
        return few
    learned = LikelihoodModel(e, video, seed)
    return learned if learned.works else few


def _tells_apart(e: Evidence) -> bool:
    """Tell whether utterances are more like their label than like a speaker drawn blindly, beyond chance.

    The measure is the share of pairs in which they are (Mann and Whitney's statistic); half of them by chance. A
    handful of utterances tells nothing either way. Plain centres are asked: a robust one is made of what is alike, and
    finds some likeness among strangers too.
    """
    both = ~np.isnan(e.plain + e.foreign)
    own, foreign = e.plain[both], e.foreign[both]
    n = len(own)
    if n < _ENOUGH:
        return True
    # Equal ones count half; what differs by rounding is equal.
    own, foreign = np.round(own.astype(float), 5), np.sort(np.round(foreign.astype(float), 5))
    above = (np.searchsorted(foreign, own, "left") + np.searchsorted(foreign, own, "right")).sum() / 2
    return float(above) / n**2 > 0.52 + 3 / np.sqrt(6 * n)


class FewModel:
    """Stands in for `LikelihoodModel`; ``works`` is False where nothing can be judged, and ``why`` says why not.

    Parameters
    ----------
    e
        The evidence of one modality.
    speakers
        How many labels there are.
    """

    def __init__(self, e: Evidence, speakers: int) -> None:
        self.e = e
        known = ~np.isnan(e.similarity)
        similarity, nearest = (x[known].astype(float) for x in (e.similarity, e.other[:, 0]))
        # Whoever is nearer to somebody else may be them, and says nothing about right ones or strangers.
        right = ~(nearest > similarity)
        self.alone = bool(np.isnan(nearest).all())
        self.name = "one_speaker" if self.alone else "few_speakers"
        self.works, self.why = False, TOO_LITTLE
        if len(similarity) < _LEAST or not right.any():
            return
        own = similarity[right]
        self.middle, spread = float(np.median(own)), _spread(own)
        # The nearest others are all others, unless there are more: then one drawn blindly says what strangers are like.
        others = e.other if speakers <= NEAREST + 1 else e.foreign[:, None]
        self.low, self.width = _strangers(others[known][right].astype(float))
        self.spread = max(spread, _LEAST_SPREAD)
        gap = float(np.quantile(own, 0.75)) - self.low
        # One speaker whose embeddings are all the same: another's might be the same as well.
        alike = self.alone and spread < _ALIKE
        self.works, self.why = gap > max(3 * self.width, _LEAST_GAP) and not alike, NOT_APART

    def log_likelihood(self, right: np.ndarray, sceptical: bool = False) -> np.ndarray:
        """Return what `LikelihoodModel.log_likelihood` does, (n, 2, 2); neither beliefs nor the video are asked."""
        return self.of(self.e)

    def of(self, e: Evidence, company: np.ndarray | None = None) -> np.ndarray:
        """Return what `LikelihoodModel.of` does, (n, 2, 2)."""
        out = np.zeros((len(e.similarity), 2, 2))
        if self.works:
            known = ~np.isnan(e.similarity)
            similarity, nearest = (x[known].astype(float) for x in (e.similarity, e.other[:, 0]))
            ratio = self._strange(similarity) - self._own(similarity)
            if not self.alone:
                # Half of the wrong are somebody else's of the list, who then is near.
                theirs = np.minimum(self._own(nearest) - self._strange(nearest), LIMIT)
                ratio += np.nan_to_num(np.logaddexp(0.0, theirs) - np.log(2))
            out[known, :, 1] = np.clip(ratio, -LIMIT, LIMIT)[:, None]
        return out

    def update_mixture(self, right: np.ndarray) -> None:
        """Do nothing: the kinds of wrong are not told apart."""

    def _own(self, x: np.ndarray) -> np.ndarray:
        # What is above the middle of the right is not less so.
        return _log_density(np.minimum(x, self.middle), self.middle, self.spread)

    def _strange(self, x: np.ndarray) -> np.ndarray:
        if self.alone:
            # A triangle: highest at the lowest similarity, nothing at the middle of the right.
            width = self.middle - _LOWEST
            return np.log(2 * np.maximum(np.minimum(self.middle - x, width), 1e-6)) - 2 * np.log(width)
        return _log_density(np.maximum(x, self.low), self.low, self.width)


def _log_density(x: np.ndarray, middle: float, spread: float) -> np.ndarray:
    """Return the log density of Student's distribution with `_TAILS` degrees of freedom."""
    height = lgamma((_TAILS + 1) / 2) - lgamma(_TAILS / 2) - log(_TAILS * pi) / 2 - log(spread)
    return height - (_TAILS + 1) / 2 * np.log1p(((x - middle) / spread) ** 2 / _TAILS)


def _strangers(values: np.ndarray) -> tuple[float, float]:
    """Return the middle and the spread of similarities to other speakers, drawn to what is usual by a few."""
    values = values[~np.isnan(values)]
    n = len(values)
    middle, spread = (float(np.median(values)), max(_spread(values), _LEAST_SPREAD)) if n else (0.0, 0.0)
    total = n + _STRANGERS_COUNT
    return (
        (n * middle + _STRANGERS_COUNT * _STRANGERS) / total,
        (n * spread + _STRANGERS_COUNT * _STRANGERS_SPREAD) / total,
    )


def _spread(values: np.ndarray) -> float:
    """Return the standard deviation of a Gaussian that has the same median of distances from the median."""
    return 1.4826 * float(np.median(np.abs(values - np.median(values))))
