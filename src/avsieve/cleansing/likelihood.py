"""How strongly the similarities of one modality speak for the label: a likelihood ratio learned from the corpus.

Wrong labels need no annotation: give an utterance the label of another speaker and look. Four kinds of wrong are made
from the stored evidence: the label drawn blindly or that of the most similar other speaker (as a lookalike gets it),
each with the true speaker inside the set, who then is the nearest other, and outside it. Right examples are the
utterances themselves, weighted by the present belief that they are right. A logistic regression on smooth functions of
the similarities tells right from wrong; with both sides weighing the same its log odds are log likelihood ratios.
(Density ratios by classification: Bickel et al. 2009; Sugiyama et al. 2012, chapter 4.) The functions are few on
purpose: right utterances are an exponential tilt of wrong ones, which keeps the two apart where beliefs feed back. How
often each kind of wrong occurs is not assumed but re-estimated.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from avsieve.cleansing.scores import Evidence

LIMIT = 12.0
KINDS = ("blind inside", "blind outside", "lookalike inside", "lookalike outside")
FIRST_MIXTURE = np.array([0.50, 0.35, 0.14, 0.01])
_SAMPLE = 8_000


@dataclass
class Examples:
    """Similarity to the label and to the nearest other speaker, (n,) each, under real or made-up labels."""

    similarity: np.ndarray
    other: np.ndarray

    def take(self, rows: np.ndarray) -> Examples:
        """Return some rows."""
        return Examples(self.similarity[rows], self.other[rows])


def wrong_examples(e: Evidence) -> list[Examples]:
    """Describe the utterances under labels that are not theirs, one table per kind in `KINDS`."""
    # The nearest other but the foreign speaker, who is the label now.
    other = np.where(np.isclose(e.foreign, e.other[:, 0], atol=1e-6), e.other[:, 1], e.other[:, 0])
    return [
        Examples(e.foreign, np.fmax(other, e.similarity)),
        Examples(e.foreign, other),
        Examples(e.other[:, 0], np.fmax(e.other[:, 1], e.similarity)),
        Examples(e.other[:, 0], e.other[:, 1]),
    ]


def features(x: Examples) -> np.ndarray:
    """Return the functions of the evidence that ratios are linear in, (n, 6) float64."""
    s, o = np.nan_to_num(x.similarity).astype(float), np.nan_to_num(x.other).astype(float)
    d = s - o
    return np.stack([s, o, s * s, d * d, s * o, np.abs(d)], axis=1)


@dataclass
class Ratio:
    """A fitted (multinomial) logistic regression; ``coefficients`` (classes, features)."""

    centre: np.ndarray
    scale: np.ndarray
    coefficients: np.ndarray
    intercept: np.ndarray

    def __call__(self, x: Examples) -> np.ndarray:
        """Return the log odds (n, classes); one column, of the second class against the first, where there are two."""
        return (features(x) - self.centre) / self.scale @ self.coefficients.T + self.intercept


def fit(tables: list[Examples], classes: list[int], weights: list[np.ndarray]) -> Ratio:
    """Fit log odds between classes of examples.

    Parameters
    ----------
    tables, classes, weights
        Examples, the class of each table from 0, and the weight of each of its rows. The weights of every class should
        have the same sum, so that log odds are log likelihood ratios.
    """
    from sklearn.linear_model import LogisticRegression

    X = np.concatenate([features(t) for t in tables])
    y = np.repeat(classes, [len(t.similarity) for t in tables])
    centre, scale = X.mean(axis=0), X.std(axis=0) + 1e-6
    model = LogisticRegression(C=1.0, max_iter=500)
    model.fit((X - centre) / scale, y, sample_weight=np.concatenate(weights))
    return Ratio(centre, scale, model.coef_, model.intercept_)


class LikelihoodModel:
    """Likelihood ratios of one modality, re-estimated as beliefs change.

    Parameters
    ----------
    e
        The evidence.
    seed
        Of the choice of examples, where there are more than enough.
    """

    def __init__(self, e: Evidence, seed: int = 0) -> None:
        self.real = Examples(e.similarity, e.other[:, 0])
        self.wrong = wrong_examples(e)
        self.known = np.flatnonzero(~np.isnan(e.similarity))
        self.mixture = FIRST_MIXTURE.copy()
        self.kinds = np.zeros((len(self.known), len(KINDS)))
        rows = np.flatnonzero(~np.isnan(e.similarity + e.foreign + e.other[:, 1]))
        if len(rows) > _SAMPLE:
            rows = np.sort(np.random.default_rng(seed).choice(rows, _SAMPLE, replace=False))
        self.rows = rows
        # Too little to learn from: say nothing.
        self.works = len(rows) >= 20
        if self.works:
            tables = [t.take(rows) for t in self.wrong]
            model = fit(tables, list(range(len(tables))), [np.ones(len(rows))] * len(tables))
            self.kinds = model(self.real.take(self.known))

    def log_ratio(self, right: np.ndarray) -> np.ndarray:
        """Return log p(evidence | right) - log p(evidence | wrong), (n,), given beliefs; 0 without evidence."""
        out = np.zeros(len(right))
        if self.works:
            w = np.clip(right[self.rows], 1e-6, 1.0)
            w = w / w.mean()
            tables = [t.take(self.rows) for t in (*self.wrong, self.real)]
            model = fit(tables, [0] * len(KINDS) + [1], [*(w * share for share in self.mixture), w])
            out[self.known] = np.clip(model(self.real.take(self.known))[:, 0], -LIMIT, LIMIT)
        return out

    def update_mixture(self, right: np.ndarray, prior: float = 200.0) -> None:
        """Re-estimate how often each kind of wrong occurs; ``prior`` counts the first guess for so many utterances."""
        r = np.exp(self.kinds - self.kinds.max(axis=1, keepdims=True)) * self.mixture
        r /= r.sum(axis=1, keepdims=True)
        total = ((1 - right)[self.known, None] * r).sum(axis=0) + prior * FIRST_MIXTURE
        self.mixture = total / total.sum()
