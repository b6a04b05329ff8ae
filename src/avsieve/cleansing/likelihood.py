"""How strongly the similarities of one modality speak for the label: likelihoods learned from the corpus.

Wrong labels need no annotation: give an utterance the label of another speaker and look. Four kinds of wrong are made
from the stored evidence: the label drawn blindly or that of the most similar other speaker (as a lookalike gets it),
each with the true speaker inside the set, who then is the nearest other, and outside it. Right examples are the
utterances themselves, weighted by the present belief that they are right. Errors come alone or with their whole video,
and the rest of the video tells which: what is wrong alone is a stranger there. A logistic regression on smooth
functions of the similarities tells these classes apart; with all classes weighing the same its log odds are log
likelihood ratios. (Density ratios by classification: Bickel et al. 2009; Sugiyama et al. 2012, chapter 4.) The
functions are few on purpose: right utterances are an exponential tilt of wrong ones, and a richer tilt would let those
wrong ones that are believed right grow a bump of their own among the right. How often each kind of wrong occurs is not
assumed but re-estimated.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from avsieve.cleansing.logistic import Regression
from avsieve.cleansing.result import NOT_APART
from avsieve.cleansing.scores import Evidence

LIMIT = 12.0
KINDS = ("blind inside", "blind outside", "lookalike inside", "lookalike outside")
FIRST_MIXTURE = np.array([0.50, 0.35, 0.14, 0.01])
FIRST_SHARE = 0.05  # of wrong ones
_RIDGE = 0.1  # more would hide a plainly wrong one among a hundred utterances
_ROBUST = 0.25  # of the sceptical reading
_SAMPLE = 6_000


@dataclass
class Examples:
    """Evidence under real or made-up labels, (n,) each.

    ``similarity`` to the label and ``other`` to the nearest other speaker; where they are asked for, ``support``, how
    many videos stand behind the label's centre, ``agreement`` with the rest of the own video, and ``company``, the
    number of utterances in that rest.
    """

    similarity: np.ndarray
    other: np.ndarray
    support: np.ndarray | None = None
    agreement: np.ndarray | None = None
    company: np.ndarray | None = None

    def take(self, rows: np.ndarray) -> Examples:
        """Return some rows."""
        more = (None if x is None else x[rows] for x in (self.support, self.agreement, self.company))
        return Examples(self.similarity[rows], self.other[rows], *more)

    def among(self, agreement: np.ndarray, company: np.ndarray) -> Examples:
        """Return the same with another rest of the video."""
        return Examples(self.similarity, self.other, self.support, agreement, company)


def company_of(e: Evidence, video: np.ndarray) -> np.ndarray:
    """Return how many others of the own video have an embedding, (n,), given the codes of the videos from 0."""
    return np.bincount(video, weights=e.present)[video] - e.present


def in_company(e: Evidence, company: np.ndarray) -> np.ndarray:
    """Tell what is compared with the rest of its video besides its label, (n,) bool."""
    return ~np.isnan(e.agreement + e.similarity) & (company >= 2) & ~e.fallback


def real_examples(e: Evidence) -> Examples:
    """Describe the utterances under their own labels."""
    return Examples(e.similarity, e.other[:, 0], e.support)


def wrong_examples(e: Evidence) -> list[Examples]:
    """Describe the utterances under labels that are not theirs, one table per kind in `KINDS`."""
    # The nearest other but the foreign speaker, who is the label now.
    other = np.where(np.isclose(e.foreign, e.other[:, 0], atol=1e-6), e.other[:, 1], e.other[:, 0])
    return [
        Examples(e.foreign, np.fmax(other, e.similarity), e.support),
        Examples(e.foreign, other, e.support),
        Examples(e.other[:, 0], np.fmax(e.other[:, 1], e.similarity), e.support),
        Examples(e.other[:, 0], e.other[:, 1], e.support),
    ]


def features(x: Examples) -> np.ndarray:
    """Return the functions of the evidence that ratios are linear in, float64: 4, 2 of support, 5 of agreement."""
    s, o = np.nan_to_num(x.similarity).astype(float), np.nan_to_num(x.other).astype(float)
    columns = [s, o, s * s, o * o]
    if x.support is not None:
        # Few videos make a rough centre.
        g = 1 / (1 + np.nan_to_num(x.support))
        columns += [g, g * s]
    if x.agreement is not None and x.company is not None:
        a, h = np.nan_to_num(x.agreement).astype(float), 1 / np.maximum(x.company, 1)
        columns += [a, a * a, a * s, h, h * a]
    return np.stack(columns, axis=1)


def regression(tables: list[Examples], classes: list[int]) -> Regression:
    """Prepare the regression that tells apart classes of examples, given the class of each table, from 0."""
    return Regression(
        np.concatenate([features(t) for t in tables]), np.repeat(classes, [len(t.similarity) for t in tables])
    )


class LikelihoodModel:
    """Likelihoods of one modality, re-estimated as beliefs change.

    Parameters
    ----------
    e
        The evidence.
    video
        (n,) codes of the videos, from 0.
    seed
        Of the choice of examples, where there are more than enough.

    Attributes
    ----------
    works
        Whether there is enough to learn from, and the embeddings tell speakers apart.
    """

    name = "learned"
    why = NOT_APART

    def __init__(self, e: Evidence, video: np.ndarray, seed: int = 0) -> None:
        self.company = company_of(e, video)
        self.real = real_examples(e)
        self.wrong = wrong_examples(e)
        self.known = np.flatnonzero(~np.isnan(e.similarity))
        self.mixture, self.share = FIRST_MIXTURE.copy(), FIRST_SHARE
        self.kinds = np.zeros((len(self.known), len(KINDS)))
        self.e, self.rng = e, np.random.default_rng(seed)
        rows = np.flatnonzero(~np.isnan(e.similarity + e.foreign + e.other[:, 1]))
        # Too little to learn from: say nothing.
        self.works = len(rows) >= 20
        self.rows = self._some(rows)
        # With one other utterance, nothing tells which of the two is the stranger.
        self.rows_in_company = self._some(rows[in_company(e, self.company)[rows]])
        if self.works:
            tables = [t.take(self.rows) for t in self.wrong]
            kinds = regression(tables, list(range(len(tables)))).fit(np.ones(len(self.rows) * len(tables)))
            self.kinds[:, 1:] = kinds(features(self.real.take(self.known)))
            self.alone = regression([*tables, self.real.take(self.rows)], [1] * len(KINDS) + [0])
        if len(self.rows_in_company) >= 20:
            self.together = self._in_company()

    def _some(self, rows: np.ndarray) -> np.ndarray:
        return np.sort(self.rng.choice(rows, _SAMPLE, replace=False)) if len(rows) > _SAMPLE else rows

    def log_likelihood(self, right: np.ndarray, sceptical: bool = False) -> np.ndarray:
        """Return log p(evidence | state of the video, case of the utterance), given beliefs.

        What lies far from the label and is believed half only may be a right utterance of a bad recording or a wrong
        one: the data cannot tell. Usually it counts as far as it is believed; sceptically, by regression that is robust
        against wrong examples among the right (`avsieve.cleansing.logistic`), it hardly does.

        Parameters
        ----------
        right
            (n,) the probability that utterance and video are right.

        Returns
        -------
        numpy.ndarray
            (n, 2, 2): by whether the video, and whether the utterance is wrong; relative to both right. 0 without
            evidence.
        """
        if self.works:
            self._fit(right, sceptical)
        return self.of(self.e, self.company)

    def of(self, e: Evidence, company: np.ndarray) -> np.ndarray:
        """Return what `log_likelihood` does for other evidence by the ratios as they were learned last.

        Parameters
        ----------
        company
            (n,) see `company_of`.
        """
        out = np.zeros((len(e.similarity), 2, 2))
        if not self.works:
            return out
        real = real_examples(e)
        rows = np.flatnonzero(~np.isnan(e.similarity))
        out[rows, :, 1] = np.clip(self.alone_odds(features(real.take(rows))), -LIMIT, LIMIT)
        # Of two that are compared with each other alone either may be the stranger: as likely the one as the other.
        pair = np.flatnonzero(e.fallback & (company == 1))
        out[pair, :, 1] -= np.log1p(self.share * np.exp(out[pair, :, 1]))
        if len(self.rows_in_company) >= 20:
            rows = np.flatnonzero(in_company(e, company))
            odds = self.together_odds(features(real.among(e.agreement, company).take(rows)))
            odds = np.clip(odds, -LIMIT, LIMIT)
            out[rows, 0, 1], out[rows, 1, 1], out[rows, 1, 0] = odds[:, 0], odds[:, 1], odds[:, 2]
        # What was compared with its own video alone says nothing of whether that video is right.
        rows = np.flatnonzero(e.fallback)
        out[rows, 1, 0], out[rows, 1, 1] = out[rows, 0, 1], 0.0
        return out

    def _fit(self, right: np.ndarray, sceptical: bool) -> None:
        w = _weights(right[self.rows])
        robust = _ROBUST if sceptical else 0.0
        weights = np.concatenate([*(w * share for share in self.mixture), w])
        self.alone_odds = self.alone.fit(weights, ridge=_RIDGE, robust=robust)
        if len(self.rows_in_company) >= 20:
            w = _weights(right[self.rows_in_company])
            parts = [w * share for share in self.mixture]
            weights = np.concatenate([w, *parts, *parts, w])
            self.together_odds = self.together.fit(weights, ridge=_RIDGE, robust=robust)

    def _in_company(self) -> Regression:
        """Tell apart: right; wrong alone; wrong with the video; right in a wrong video."""
        rows, e = self.rows_in_company, self.e
        company, agreement = self.company[rows], e.agreement[rows]
        # Strangers in a video share its channel: they agree by what the own video has over another one of the label.
        channel = np.nan_to_num(agreement - e.sibling[rows])
        among_strangers = e.foreign_agreement[rows] + channel
        kinds = [t.take(rows) for t in self.wrong]
        real = self.real.take(rows)
        slope = _slope(e.foreign[rows].astype(float), e.foreign_agreement[rows].astype(float))
        # A lookalike's video looks like the utterance too.
        strange = [among_strangers + slope * (t.similarity - e.foreign[rows]) for t in kinds]
        tables = [
            real.among(agreement, company),
            *(t.among(a, company) for t, a in zip(kinds, strange, strict=True)),
            *(t.among(agreement, company) for t in kinds),
            real.among(among_strangers, company),
        ]
        return regression(tables, [0, *[1] * len(kinds), *[2] * len(kinds), 3])

    def update_mixture(self, right: np.ndarray, prior: float = 200.0) -> None:
        """Re-estimate how often each kind of wrong occurs; ``prior`` counts the first guess for so many utterances."""
        r = np.exp(self.kinds - self.kinds.max(axis=1, keepdims=True)) * self.mixture
        r /= r.sum(axis=1, keepdims=True)
        total = ((1 - right)[self.known, None] * r).sum(axis=0) + prior * FIRST_MIXTURE
        self.mixture = total / total.sum()
        self.share = float((1 - right)[self.known].mean()) if len(self.known) else FIRST_SHARE


def _slope(x: np.ndarray, y: np.ndarray) -> float:
    """Return the slope of the regression of y on x, 0 where x is the same everywhere."""
    spread = float(((x - x.mean()) ** 2).sum())
    return float(((x - x.mean()) * (y - y.mean())).sum()) / spread if spread > 1e-9 * len(x) else 0.0


def _weights(right: np.ndarray) -> np.ndarray:
    w = np.clip(right, 1e-6, 1.0)
    return w / w.mean()
