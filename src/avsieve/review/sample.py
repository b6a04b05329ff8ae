"""What a plan and its answers say, stratum by stratum: sums over the population, and what was seen of each.

Clips of a video, and to a lesser degree those of a speaker, share their fault, so k of them tell less than k clips
alone. How much they count is by Kish (1965): k^2 over the sum of all pairs' correlations.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from avsieve.review.answers import Answers
from avsieve.review.draw import CERTAIN, Frame, frame_of
from avsieve.review.entry import ReviewError
from avsieve.review.plan import Plan
from avsieve.review.population import Population
from avsieve.review.strata import FLAGGED

IN_VIDEO, IN_SPEAKER = 0.8, 0.1
"""Correlation of the faults of two clips of a video, and of two videos of a speaker."""


@dataclass(frozen=True)
class Stratum:
    """A stratum of the sampled arm.

    Attributes
    ----------
    name, flagged
        ``flagged-1``, ``other-3``, ...; which side it is of.
    clips
        How many clips the population has of it.
    rows
        (clips,) int64: which.
    share, counts
        What share of the sample is wrong, weighted by the inverse of the probabilities; how many independent clips it
        counts for. Both 0 where nothing was judged.
    seen, wrong
        Clips of the sample, and wrong ones among them.
    units, units_wrong, units_whole
        Videos of the sample, those with a wrong clip, and those of which all judged clips are wrong.
    mean
        Mean over these videos of the share of clips that are wrong, which is unbiased for the stratum.
    largest
        The largest weight of a video against their mean: 1 where all count alike.
    """

    name: str
    flagged: bool
    clips: int
    rows: np.ndarray
    share: float
    counts: float
    seen: int
    wrong: float
    units: int
    units_wrong: int
    units_whole: int
    mean: float
    largest: float


@dataclass(frozen=True)
class Pair:
    """A video of the certain arm: ``rows`` (m,) that were not judged; ``seen`` (s,) that were, and their ``label``."""

    rows: np.ndarray
    seen: np.ndarray
    label: np.ndarray


@dataclass(frozen=True)
class Sample:
    """Strata of the sampled arm and videos of the certain arm."""

    strata: list[Stratum]
    pairs: list[Pair]


def frame_of_plan(plan: Plan, population: Population, row: np.ndarray) -> Frame:
    """Return what the sampled arm of a plan was drawn from.

    Raises
    ------
    ReviewError
        If the plan's strata are not those that this version makes.
    """
    certain = np.array([arm == CERTAIN for arm in plan.arm])
    frame = frame_of(population, np.unique(population.unit[row[certain]]), plan.asked - int(certain.sum()))
    of = frame.stratum_of_clip[row[~certain]].tolist()
    found = [frame.names[k] if k >= 0 else "none" for k in of]
    expected = [name for name, arm in zip(plan.stratum, plan.arm, strict=True) if arm != CERTAIN]
    if found != expected:
        first = next(k for k, (a, b) in enumerate(zip(found, expected, strict=True)) if a != b)
        raise ReviewError(
            f"the plan has {expected[first]} where this version of avsieve has {found[first]}; use the version that "
            "drew it, or draw a new one (avsieve review RESULTS --plan 200 --new-plan)"
        )
    return frame


def sample_of(plan: Plan, population: Population, answers: Answers) -> Sample:
    """Return what was seen; what is left open in ``answers`` counts as not seen."""
    frame = frame_of_plan(plan, population, answers.row)
    told = answers.counted & ~np.isnan(answers.label)
    certain = np.array([arm == CERTAIN for arm in plan.arm])
    of_clip = frame.stratum_of_clip
    strata = []
    for k, name in enumerate(frame.names):
        rows = np.flatnonzero(of_clip == k)
        here = np.flatnonzero(told & ~certain & (of_clip[answers.row] == k))
        strata.append(_stratum(name, rows, here, plan, population, answers))
    return Sample(strata, _pairs(population, frame, answers, np.flatnonzero(told & certain)))


def _stratum(
    name: str, rows: np.ndarray, here: np.ndarray, plan: Plan, population: Population, answers: Answers
) -> Stratum:
    label, weight = answers.label[here], 1 / plan.probability[here]
    row = answers.row[here]
    units, of = np.unique(population.unit[row], return_inverse=True)
    count = np.bincount(of, minlength=len(units))
    wrong = np.bincount(of, weights=label, minlength=len(units))
    # Videos are drawn in proportion to their clips, unless so few are there that some are drawn for certain: then
    # those count by the inverse of what they were drawn with.
    size = _sizes(population.unit[rows], units)
    drawn = np.zeros(len(units))
    np.maximum.at(drawn, of, plan.probability[here] * size[of] / np.maximum(count[of], 1))
    of_unit = size / np.maximum(drawn, 1e-12)
    mean = float((of_unit * wrong / np.maximum(count, 1)).sum() / of_unit.sum()) if len(units) else 0.0
    return Stratum(
        name, name.startswith(FLAGGED), len(rows), rows,
        float((weight * label).sum() / weight.sum()) if len(here) else 0.0,
        _counts(weight, population.unit[row], population.speaker[row], population.speaker[rows]),
        len(here), float(label.sum()), len(units), int((wrong > 0).sum()), int((wrong == count).sum()),
        mean, float(of_unit.max() / of_unit.mean()) if len(units) else 1.0,
    )  # fmt: skip


def _sizes(unit: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    found = np.searchsorted(wanted, unit)
    there = (found < len(wanted)) & (wanted[np.minimum(found, max(len(wanted) - 1, 0))] == unit) if len(wanted) else []
    return np.bincount(found[there], minlength=len(wanted)) if len(wanted) else np.zeros(0)


def _counts(weight: np.ndarray, unit: np.ndarray, speaker: np.ndarray, everybody: np.ndarray) -> float:
    """Return for how many independent clips a sample counts."""
    if not len(weight):
        return 0.0
    size = np.bincount(everybody).astype(float)
    # Of a single speaker the stratum is no sample: what its clips have in common is in the mean.
    among = IN_SPEAKER * (1 - float((size**2).sum()) / float(size.sum()) ** 2)
    same_unit, same_speaker = (a[:, None] == a[None, :] for a in (unit, speaker))
    correlation = np.where(same_unit, IN_VIDEO, np.where(same_speaker, among, 0.0))
    np.fill_diagonal(correlation, 1.0)
    return float(weight.sum() ** 2 / (weight @ correlation @ weight))


def _pairs(population: Population, frame: Frame, answers: Answers, here: np.ndarray) -> list[Pair]:
    rows = np.flatnonzero(frame.certain & population.open)
    order = rows[np.argsort(population.unit[rows], kind="stable")]
    said = {int(answers.row[k]): float(answers.label[k]) for k in here.tolist()}
    found = []
    for some in np.split(order, np.flatnonzero(np.diff(population.unit[order])) + 1) if len(order) else []:
        seen = np.array([row in said for row in some.tolist()], bool)
        found.append(Pair(some[~seen], some[seen], np.array([said[row] for row in some[seen].tolist()], float)))
    return found
