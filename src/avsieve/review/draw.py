"""The drawing of a plan: which clips are worth a look, and which are looked at to learn how good the list is.

The unit is a label's video, of which two clips are judged: clips of a video mostly share their fault. The certain arm
takes the videos whose judgement mends most. It is chosen by the probabilities alone, before anything is judged, so it
biases nothing. From all other videos the sampled arm is drawn, the flagged clips of a video apart from its others: in
each stratum with a probability proportional to the number of clips (systematic sampling in random order; Madow 1949),
so that all clips of a stratum are drawn with the same probability, single clips of their video aside, which have half
of it. The order is random, so each part of the plan that is judged from its start is a sample, too.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from avsieve.review.population import Population
from avsieve.review.strata import FLAGGED, OTHER, allocation, cut, deviation

CERTAIN, SAMPLED = "certain", "sampled"
CERTAIN_SHARE = 0.4
"""Of the plan that goes where a judgement mends most."""
EACH = 2
"""Clips of a video that are judged."""
LEAST_DOUBT = 0.02
"""The smaller of p and 1 - p below which a judgement is not expected to mend a clip."""


@dataclass(frozen=True)
class Drawn:
    """What was drawn, k clips in the order in which they are to be judged; those of a unit follow each other.

    Attributes
    ----------
    row
        (k,) int64, into the population.
    certain
        (k,) bool: of the certain arm.
    stratum
        (k,) object: ``certain``, or ``flagged-1``, ``other-3``, ...; 1 is the least certain one.
    probability
        (k,) float64: that the clip is drawn.
    third
        (k,) int64: the clip that is due where both of its video are wrong alike; -1 where there is none.
    """

    row: np.ndarray
    certain: np.ndarray
    stratum: np.ndarray
    probability: np.ndarray
    third: np.ndarray


@dataclass(frozen=True)
class Frame:
    """What each clip of a population is part of, given the videos that are certain; ``-1`` where it is of nothing.

    Attributes
    ----------
    part
        (n,) int64: number of the part (a label's video, its flagged clips apart) among the parts of the sampled arm.
    stratum
        (parts,) int64: of each part, into ``names``.
    names
        Of the strata, and ``clips``, how many clips of each are to be drawn.
    certain
        (n,) bool: clips of the videos that are certain.
    """

    part: np.ndarray
    stratum: np.ndarray
    names: list[str]
    clips: list[int]
    certain: np.ndarray

    @property
    def stratum_of_clip(self) -> np.ndarray:
        """The stratum of each clip, (n,) int64, -1 where it is in none."""
        return np.where(self.part >= 0, self.stratum[self.part] if len(self.stratum) else -1, -1)


def draw(population: Population, count: int, seed: int) -> Drawn:
    """Draw a plan.

    Parameters
    ----------
    count
        Clips to judge. Videos of a single clip make the sampled arm one or two larger or smaller.
    seed
        Equal seeds give equal plans.
    """
    rng = np.random.default_rng(seed)
    units = certain_units(population, round(CERTAIN_SHARE * count))
    taken = [_two(population, unit, rng) for unit in _rows_of(population.unit, units, population.open)]
    frame = frame_of(population, units, count - sum(len(rows) for rows, _ in taken))
    sampled = _sampled(population, frame, rng)
    every = [(rows, CERTAIN, probability) for rows, probability in taken] + sampled
    # Both arms side by side, so that each part of the plan has its share of both.
    place = [(k + 0.5) / len(taken) for k in range(len(taken))]
    place += [(k + 0.5) / len(sampled) for k in range(len(sampled))]
    every = [every[k] for k in np.argsort(place, kind="stable").tolist()]
    rows = [row for unit, _, _ in every for row in unit.tolist()]
    sizes = [len(unit) for unit, _, _ in every]
    names = np.repeat(np.array([name for _, name, _ in every], dtype=object), sizes)
    probability = np.concatenate([values for _, _, values in every]) if every else np.zeros(0)
    row = np.array(rows, np.int64)
    return Drawn(row, names == CERTAIN, names, probability, _thirds(population, row))


def certain_units(population: Population, count: int) -> np.ndarray:
    """Return the videos that are judged for certain, those first whose judgement mends most, (k,) int64.

    Of the clips that share the fate of a video so many are expected to be decided wrongly: the sum of min(p, 1 - p). It
    is divided by the clips that are judged for it. Only clips whose decision is in some doubt count: that of a million
    others nothing is mended.

    Parameters
    ----------
    count
        Clips to judge, at most.
    """
    size, gain = _gain(population)
    judged = np.minimum(size, EACH)
    order = np.argsort(-gain / np.maximum(judged, 1), kind="stable")
    order = order[gain[order] > 0]
    return np.asarray(order[np.cumsum(judged[order]) <= count], np.int64)


def _gain(population: Population) -> tuple[np.ndarray, np.ndarray]:
    """Return of each video how many clips are open, and how many are expected to be decided wrongly in doubt."""
    units = int(population.unit.max()) + 1 if len(population) else 0
    p, is_open = population.p, population.open
    doubt = np.minimum(p, 1 - p)
    doubt = np.where(is_open & (doubt > LEAST_DOUBT), doubt, 0.0)
    size = np.bincount(population.unit[is_open], minlength=units)
    return size, np.bincount(population.unit, weights=doubt, minlength=units)


def frame_of(population: Population, units: np.ndarray, count: int) -> Frame:
    """Return what the sampled arm is drawn from, and how many clips of each stratum.

    Parameters
    ----------
    units
        Videos of the certain arm.
    count
        Clips of the sampled arm.
    """
    certain = np.isin(population.unit, units)
    rows = np.flatnonzero(population.open & ~certain)
    parts, of = np.unique(population.unit[rows] * 2 + population.flagged[rows], return_inverse=True)
    flagged = parts % 2 == 1
    size = np.bincount(of, minlength=len(parts))
    mean = np.bincount(of, weights=population.p[rows], minlength=len(parts)) / np.maximum(size, 1)
    weight = np.bincount(of, weights=deviation(population.p[rows]), minlength=len(parts))
    sides = {FLAGGED: flagged, OTHER: ~flagged}
    wanted = allocation(count, {side: int(np.minimum(size[among], EACH).sum()) for side, among in sides.items()})
    stratum, names, clips = np.zeros(len(parts), np.int64), list[str](), list[int]()
    for side, among in sides.items():
        strata, asked = wanted[side]
        if not strata:
            if among.any():  # nothing is drawn of it, and what it holds is known by the probabilities alone
                stratum[among] = len(names)
                names.append(f"{side}-1")
                clips.append(0)
            continue
        found = cut(mean[among], weight[among], strata)
        stratum[among] = found + len(names)
        made = int(found.max()) + 1
        names += [f"{side}-{k + 1}" for k in range(made)]
        clips += [asked // made + (k < asked % made) for k in range(made)]
    part = np.full(len(population), -1, np.int64)
    part[rows] = of
    return Frame(part, stratum, names, clips, certain)


def inclusion(size: np.ndarray, clips: int) -> np.ndarray:
    """Return the probability that each part is drawn, in proportion to its size, (k,) float64.

    Parameters
    ----------
    size
        (k,) clips of each part.
    clips
        How many are to be judged, `EACH` of a part that has as many: the expectation, as far as the sizes allow.
    """
    judged, probability = np.minimum(size, EACH), np.zeros(len(size))
    if not len(size) or clips <= 0:
        return probability
    if clips >= judged.sum():
        return np.ones(len(size))
    full = np.zeros(len(size), bool)
    while True:
        rest = clips - judged[full].sum()
        rate = max(rest, 0) / max((judged * size)[~full].sum(), 1)
        over = ~full & (rate * size > 1)
        if not over.any():
            return np.where(full, 1.0, rate * size)
        full |= over


def _sampled(
    population: Population, frame: Frame, rng: np.random.Generator
) -> list[tuple[np.ndarray, str, np.ndarray]]:
    """Draw the sampled arm: the clips of each unit, its stratum and their probabilities, in random order."""
    found = []
    order = np.argsort(frame.part, kind="stable")
    starts = np.searchsorted(frame.part[order], np.arange(len(frame.stratum) + 1))
    size = np.diff(starts)
    for k, (name, clips) in enumerate(zip(frame.names, frame.clips, strict=True)):
        parts = rng.permutation(np.flatnonzero(frame.stratum == k))
        probability = inclusion(size[parts], clips)
        for j in _systematic(probability, rng).tolist():
            rows = order[starts[parts[j]] : starts[parts[j] + 1]]
            some = rng.choice(rows, min(EACH, len(rows)), replace=False)
            found.append((some, name, np.full(len(some), probability[j] * len(some) / len(rows))))
    return [found[k] for k in rng.permutation(len(found)).tolist()]


def _systematic(probability: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return which items are drawn, each with its probability, as many as these sum up to (or one more)."""
    ends = np.cumsum(probability)
    ticks = np.floor(np.concatenate([[0.0], ends]) + 1e-9 - rng.random())
    return np.flatnonzero(np.diff(ticks) > 0)


def _two(population: Population, rows: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Return the clips of a certain video that are judged, and their probabilities: the most doubtful and any other."""
    first = int(np.argmax(deviation(population.p[rows])))
    rest = np.delete(rows, first)
    if not len(rest):
        return rows[[first]], np.ones(1)
    return np.array([rows[first], rng.choice(rest)]), np.array([1.0, 1 / len(rest)])


def _rows_of(unit: np.ndarray, wanted: np.ndarray, among: np.ndarray) -> list[np.ndarray]:
    """Return the rows ``among`` (n,) bool of each unit that is wanted."""
    rows = np.flatnonzero(among & np.isin(unit, wanted))
    order = rows[np.argsort(unit[rows], kind="stable")]
    ends = np.searchsorted(unit[order], np.stack([wanted, wanted + 1], axis=1)).reshape(-1, 2)
    return [order[first:last] for first, last in ends.tolist()]


def _thirds(population: Population, row: np.ndarray) -> np.ndarray:
    """Return for each drawn clip the clip of its video that is drawn not and most likely right, -1 where none is."""
    units = np.unique(population.unit[row])
    left = population.open.copy()
    left[row] = False
    best = {}
    for unit, rows in zip(units.tolist(), _rows_of(population.unit, units, left), strict=True):
        best[unit] = int(rows[np.argmin(population.p[rows])]) if len(rows) else -1
    return np.array([best[unit] for unit in population.unit[row].tolist()], np.int64)
