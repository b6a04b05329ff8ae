"""How strongly the similarities of one modality speak for the label: a likelihood ratio learned from the corpus.

Wrong labels need no annotation: give an utterance the label of another speaker and look. Three kinds of wrong are made
from the stored evidence: a label drawn blindly with the true speaker inside the set (who then is the nearest other),
the same with the true speaker outside, and the label of the most similar other speaker, as a lookalike would get it.
Right examples are the utterances themselves, weighted by the present belief that they are right. A logistic regression
on smooth functions of the similarities separates the two; its log odds, with both sides weighing the same, are the log
likelihood ratio. (Density ratio by classification: Bickel et al. 2009; Sugiyama et al. 2012, chapter 4.)
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from avsieve.cleansing.scores import Evidence

LIMIT = 12.0
_SAMPLE = 60_000


@dataclass
class Examples:
    """Columns (n,) that describe utterances under a label, real or made up."""

    similarity: np.ndarray
    other: np.ndarray
    agreement: np.ndarray
    support: np.ndarray

    def take(self, rows: np.ndarray) -> Examples:
        """Return some rows."""
        return Examples(self.similarity[rows], self.other[rows], self.agreement[rows], self.support[rows])


def real_examples(e: Evidence) -> Examples:
    """Describe the utterances under their own labels."""
    return Examples(e.similarity, e.other[:, 0], e.agreement, e.support)


def wrong_examples(e: Evidence, rng: np.random.Generator) -> list[Examples]:
    """Describe the utterances under labels that are not theirs: inside the set, outside it, and a lookalike's."""
    other = np.where(np.isclose(e.foreign, e.other[:, 0], atol=1e-6), e.other[:, 1], e.other[:, 0])
    inside = Examples(e.foreign, np.fmax(other, e.similarity), e.agreement, rng.permutation(e.support))
    outside = Examples(e.foreign, other, e.agreement, rng.permutation(e.support))
    second = np.fmax(e.other[:, 1], e.similarity)
    similar = Examples(e.other[:, 0], second, e.agreement, rng.permutation(e.support))
    return [inside, outside, similar]


class Likelihood:
    """A fitted likelihood ratio of one modality."""

    def __init__(self, centre: np.ndarray, scale: np.ndarray, coefficients: np.ndarray, intercept: float) -> None:
        self.centre, self.scale, self.coefficients, self.intercept = centre, scale, coefficients, intercept

    def __call__(self, x: Examples) -> np.ndarray:
        """Return log p(evidence | right) - log p(evidence | wrong), (n,), clipped; 0 where there is no evidence."""
        z = (_features(x) - self.centre) / self.scale
        odds = z @ self.coefficients + self.intercept
        return np.where(np.isnan(x.similarity), 0.0, np.clip(odds, -LIMIT, LIMIT))


def _features(x: Examples) -> np.ndarray:
    s = np.nan_to_num(x.similarity).astype(float)
    o = np.where(np.isnan(x.other), 0.0, x.other).astype(float)
    m = s - o
    return np.stack([s, o, m, s * s, m * m, s * o, np.abs(m)], axis=1)


def fit(real: Examples, right: np.ndarray, wrong: list[Examples], mixture: np.ndarray, seed: int = 0) -> Likelihood:
    """Fit the ratio.

    Parameters
    ----------
    real
        The utterances.
    right
        (n,) belief that each is right.
    wrong
        Made-up wrong examples, one table per kind, row by row of the same utterances.
    mixture
        Weight of each kind of wrong, summing to 1.
    """
    from sklearn.linear_model import LogisticRegression

    rng = np.random.default_rng(seed)
    usable = np.flatnonzero(~np.isnan(real.similarity) & ~np.isnan(wrong[0].similarity))
    if len(usable) > _SAMPLE:
        usable = np.sort(rng.choice(usable, _SAMPLE, replace=False))
    w = np.clip(right[usable], 1e-6, 1.0)
    blocks, labels, weights = [_features(real.take(usable))], [np.ones(len(usable))], [w / w.sum()]
    for table, share in zip(wrong, mixture, strict=True):
        blocks.append(_features(table.take(usable)))
        labels.append(np.zeros(len(usable)))
        weights.append(share * w / w.sum())
    X, y, weight = np.concatenate(blocks), np.concatenate(labels), np.concatenate(weights) * len(usable)
    centre, scale = X.mean(axis=0), X.std(axis=0) + 1e-6
    model = LogisticRegression(C=1.0, max_iter=500).fit((X - centre) / scale, y, sample_weight=weight)
    return Likelihood(centre, scale, model.coef_[0], float(model.intercept_[0]))
