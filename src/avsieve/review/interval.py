"""The model-assisted interval: the probabilities of the method, mended by what reviewers found, with what is not known.

The number of wrong clips in a stratum is its clips times a rate. Before anything is judged, the rates are what the
method's probabilities say, but not believed as they are: their log odds z are tempered (methods that learn from a
corpus are rather too sure), moved, and kept off both ends by two floors, as

    P(wrong) = missed + (1 - missed - mistaken) sigmoid(shift + slope z),

and each stratum is off from that by an effect of its own, with heavy tails. Flagged and other clips have a slope and a
shift each, which are correlated: a method can be too sure of what it flags and right about the rest. Or, with
probability ``trust``, the method is about right in what it does not flag, and all these are small there. Slopes,
shifts, floors and effects are drawn from their priors and weighted by the likelihood of what was judged in all strata
(importance sampling). The floors are what a sample of a hundred clips cannot see and a list of a million is full of:
errors that look right (``missed``), and right clips that look wrong (``mistaken``). Where a stratum has no error in its
sample, the interval is what its prior leaves; it never shrinks to the method's own claim.

The other clips of a video of the certain arm are drawn given those that were judged, which move their log odds: in full
on their own side of the decision, in part on the other.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.special import expit

from avsieve.review.population import Population
from avsieve.review.sample import IN_VIDEO, Pair, Sample, Stratum

DRAWS = 3000
LEVEL = 0.985
"""Share of the draws in an interval that is to hold in 95 of 100: what the prior does not know of a method is room."""
DIGITS = 3
_PROPOSED = 8_000
_MOST = 64_000
_LEAST_WEIGHT = 400.0  # effective number of proposals below which more are drawn
_BINS = 12
_LEAST = np.float32(1e-6)  # probability: single precision tells no smaller one from 0, nor from 1
_LIMIT = 12.0  # log odds: a method's certainty is taken for no more


@dataclass(frozen=True)
class Prior:
    """What is believed of a method's probabilities before anything is judged.

    Attributes
    ----------
    slope, slope_sd
        Median of the factor of the log odds, and the standard deviation of its logarithm.
    shift_sd
        Standard deviation of what is added to them.
    missed, mistaken, floor_sd
        Medians of both floors, and the standard deviation of their logarithms.
    effect_sd, effect_df
        Scale and degrees of freedom of the strata's own effects on the log odds.
    told, told_sd
        Median of what a judged clip adds to the log odds of the others of its video, and the standard deviation of the
        logarithm of it.
    across
        How much of it clips on the other side (flagged or not) are told.
    pair_sd
        Standard deviation of what else a video of the certain arm is off by.
    common
        Share of the variance of slope and shift that flagged and other clips have in common.
    trust, trusted
        Probability that the method is about right in what it does not flag, and by what factor the deviations of slope,
        shift, floor and effects are smaller there then, about a slope of 1.
    """

    slope: float = 0.95
    slope_sd: float = 0.4
    shift_sd: float = 0.7
    missed: float = 0.0002
    mistaken: float = 0.008
    floor_sd: float = 1.8
    effect_sd: float = 0.8
    effect_df: float = 4.0
    told: float = 1.2
    told_sd: float = 0.5
    across: float = 0.5
    pair_sd: float = 0.5
    common: float = 0.3
    trust: float = 0.4
    trusted: float = 0.6


PRIOR = Prior()


@dataclass(frozen=True)
class Draws:
    """Draws of wrong clips: flagged ones, others, and how many clips are flagged in all."""

    found: np.ndarray
    missed: np.ndarray
    flagged: int

    def precision(self) -> np.ndarray:
        """Return draws of the precision, (DRAWS,); empty where nothing is flagged."""
        return self.found / self.flagged if self.flagged else np.zeros(0)

    def recall(self) -> np.ndarray:
        """Return draws of the recall, (DRAWS,); empty where nothing is wrong in any draw."""
        wrong = self.found + self.missed
        return self.found[wrong > 0] / wrong[wrong > 0]


def ends(draws: np.ndarray, level: float = LEVEL) -> tuple[float, float, float] | None:
    """Return the lower end, the median and the upper end of draws; None without any.

    The ends are rounded outwards to `DIGITS`, as they are told: where all errors of a list may have been seen, half of
    the draws differ by less than that.
    """
    if not len(draws):
        return None
    low, middle, high = np.quantile(draws, [(1 - level) / 2, 0.5, (1 + level) / 2]).tolist()
    step = 10**DIGITS
    return math.floor(low * step) / step, middle, math.ceil(high * step) / step


def draw_rates(population: Population, sample: Sample, seed: int, prior: Prior = PRIOR) -> Draws:
    """Draw how many flagged and other clips are wrong.

    Parameters
    ----------
    population
        Its ``p`` are the probabilities.
    sample
        What was judged.
    seed
        Equal seeds give equal draws.
    """
    z = np.log(np.clip(population.p, 1e-12, 1.0)) - np.log(np.clip(1 - population.p, 1e-12, 1.0))
    z = np.clip(z, -_LIMIT, _LIMIT)
    strata = [_Binned.of(stratum, z) for stratum in sample.strata]
    proposed = _PROPOSED
    while True:
        rng = np.random.default_rng([seed, proposed])
        rates, weight, model = _proposals(strata, sample.pairs, z, population.flagged, rng, proposed, prior)
        if 1 / float((weight**2).sum()) >= _LEAST_WEIGHT or proposed >= _MOST:
            break
        proposed *= 2
    chosen = rng.choice(proposed, DRAWS, p=weight)
    known = population.known
    total = {side: np.full(DRAWS, float((known[population.flagged == side] == 1).sum())) for side in (True, False)}
    for binned, rate in zip(strata, rates, strict=True):
        s = binned.stratum
        total[s.flagged] += s.wrong + _left(s.clips - s.seen, rate[chosen], rng)
    for side, wrong in _rest_of_pairs(sample.pairs, population, z, model.take(chosen), rng, prior).items():
        total[side] += wrong
    return Draws(total[True], total[False], int(population.flagged.sum()))


@dataclass(frozen=True)
class _Map:
    """Draws of the map from a method's log odds to the probability of being wrong.

    ``shift`` and ``slope`` are (draws, 2), of clips that are not flagged and of those that are; ``missed`` and
    ``mistaken`` (draws,).
    """

    shift: np.ndarray
    slope: np.ndarray
    missed: np.ndarray
    mistaken: np.ndarray

    def __call__(self, z: np.ndarray, flagged: np.ndarray) -> np.ndarray:
        """Return the probabilities of log odds (m,), (draws, m); ``flagged`` (m,) bool tells of which side each is."""
        side = flagged.astype(np.int64)
        missed, mistaken = (x.astype(np.float32)[:, None] for x in (self.missed, self.mistaken))
        inner = expit((self.shift[:, side] + self.slope[:, side] * z).astype(np.float32))
        return np.clip(missed + (1 - missed - mistaken) * inner, _LEAST, 1 - _LEAST)

    def take(self, rows: np.ndarray) -> _Map:
        return _Map(self.shift[rows], self.slope[rows], self.missed[rows], self.mistaken[rows])


@dataclass(frozen=True)
class _Binned:
    """A stratum with its log odds in some bins: ``z`` (b,) and the share of its clips in each (b,)."""

    stratum: Stratum
    z: np.ndarray
    share: np.ndarray

    @classmethod
    def of(cls, stratum: Stratum, z: np.ndarray) -> _Binned:
        some = np.sort(z[stratum.rows])
        parts = np.array_split(some, min(_BINS, max(len(some), 1)))
        sizes = np.array([len(part) for part in parts], float)
        return cls(stratum, np.array([part.mean() if len(part) else 0.0 for part in parts]), sizes / max(len(some), 1))


def _proposals(
    strata: list[_Binned],
    pairs: list[Pair],
    z: np.ndarray,
    flagged: np.ndarray,
    rng: np.random.Generator,
    count: int,
    prior: Prior,
) -> tuple[list[np.ndarray], np.ndarray, _Map]:
    """Return rates of each stratum (count,), the weights of the proposals (count,), and their maps."""
    right = rng.random(count) < prior.trust
    # Of what is flagged a sample tells enough by itself; of the others it sees next to nothing, and belief counts.
    scale = np.stack([np.where(right, prior.trusted, 1.0), np.ones(count)], axis=1)
    # What the sides have in common, and what each has of its own: a method can be too sure of what it flags alone.
    common, own = np.sqrt(prior.common), np.sqrt(1 - prior.common)
    shift, slope = (common * rng.normal(size=(count, 1)) + own * rng.normal(size=(count, 2)) for _ in range(2))
    model = _Map(
        prior.shift_sd * scale * shift,
        np.where(scale < 1, 1.0, prior.slope) * np.exp(prior.slope_sd * scale * slope),
        np.minimum(prior.missed * np.exp(prior.floor_sd * scale[:, 0] * rng.normal(size=count)), 0.3),
        np.minimum(prior.mistaken * np.exp(prior.floor_sd * rng.normal(size=count)), 0.5),
    )
    log_weight = _pairs_likelihood(pairs, z, flagged, model)
    rates = []
    for binned in strata:
        s = binned.stratum
        mean = model(binned.z, np.full(len(binned.z), s.flagged)) @ binned.share
        effect = prior.effect_sd * scale[:, int(s.flagged)] * rng.standard_t(prior.effect_df, count)
        rate = 1 / (1 + np.exp(-(np.log(mean / (1 - mean)) + effect)))
        rate = np.clip(rate, 1e-9, 1 - 1e-9)
        log_weight += s.counts * (s.share * np.log(rate) + (1 - s.share) * np.log1p(-rate))
        rates.append(rate)
    weight = np.exp(log_weight - log_weight.max())
    return rates, weight / weight.sum(), model


def _pairs_likelihood(pairs: list[Pair], z: np.ndarray, flagged: np.ndarray, model: _Map) -> np.ndarray:
    """Return the log likelihood of what was judged of the certain arm, (draws,); clips of a video count less."""
    found = np.zeros(len(model.missed))
    for pair in pairs:
        if len(pair.seen):
            q = model(z[pair.seen], flagged[pair.seen])
            each = 1 / (1 + IN_VIDEO * (len(pair.seen) - 1))
            found += each * np.where(pair.label == 1, np.log(q), np.log1p(-q)).sum(axis=1)
    return found


def _rest_of_pairs(
    pairs: list[Pair], population: Population, z: np.ndarray, model: _Map, rng: np.random.Generator, prior: Prior
) -> dict[bool, np.ndarray]:
    """Draw the wrong clips of the certain arm's videos, the judged ones with them: whether flagged -> (draws,).

    What was judged of a video moves the log odds of its other clips.
    """
    draws = len(model.slope)
    total = {True: np.zeros(draws), False: np.zeros(draws)}
    told = prior.told * np.exp(rng.normal(0, prior.told_sd, draws))
    for pair in pairs:
        for side in (True, False):
            total[side] += pair.label[population.flagged[pair.seen] == side].sum()
        if not len(pair.rows):
            continue
        off = rng.normal(0, prior.pair_sd, draws)
        said = {
            side: float((2 * pair.label - 1)[population.flagged[pair.seen] == side].sum()) for side in (True, False)
        }
        fate = rng.random(draws)  # of a video of which all that is left is wrong or right alike
        alike = rng.random(draws) < IN_VIDEO
        for side in (True, False):
            rows = pair.rows[population.flagged[pair.rows] == side]
            if len(rows):
                q = model(z[rows], population.flagged[rows])
                own = off + told * (said[side] + prior.across * said[not side])
                q = 1 / (1 + np.exp(-(np.log(q) - np.log1p(-q) + own[:, None])))
                each = (rng.random(q.shape) < q).sum(axis=1)
                total[side] += np.where(alike, (fate[:, None] < q).sum(axis=1), each)
    return total


def _left(clips: int, rate: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Draw how many of the clips that nobody judged are wrong, (draws,)."""
    return np.asarray(rng.binomial(max(clips, 0), rate), float)
