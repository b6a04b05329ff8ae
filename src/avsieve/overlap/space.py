"""How far the centres of two people speak for one person: log likelihood ratios of a two-covariance model.

With x = mu + y + e of a video (`avsieve.cleansing.two_covariance`), in the coordinates where e is N(0, I) and y is
N(0, diag(b)), the centre of v videos is N(0, b + 1 / v), and two centres of one person have the covariance b. So

    log LR = sum over the axes of  log N2(z, z'; p, q, b) - log N(z; p) - log N(z'; q),   p = b + 1/v, q = b + 1/v'

(Brümmer and de Villiers, Odyssey 2010). The model is learned from both corpora together, each around its own mean,
since a corpus may have a domain. People of few videos are thus compared with care, and the ratios of all pairs are on
one scale; what is left of it, `avsieve.overlap.calibration` learns. Where there are too few people or videos for a
model, the cosine of the centres takes its place, with the log odds of two Gaussians.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from avsieve.cleansing.calibration import PairCalibration, calibrate, histogram
from avsieve.cleansing.inputs import unit_rows
from avsieve.cleansing.two_covariance import Scatter, Space, space_of
from avsieve.overlap.people import People

_KEPT, _MOST = 0.999, 256  # of what differs between people, and axes at most
_COUNTS = np.array([1, 2, 3, 4, 6, 9, 14, 24])  # numbers of videos that are told apart
_BLOCK = 4096
_LIMIT = 60.0


@dataclass(frozen=True)
class Side:
    """Centres of one corpus in one modality, as `Pairs` compares them: rows of ``z``, and the video count of each."""

    z: np.ndarray
    videos: np.ndarray


@dataclass(frozen=True)
class Pairs:
    """Compares people in one modality.

    Attributes
    ----------
    space
        None where cosines are taken.
    kept
        How many axes of the space count.
    mean
        Per corpus (D,) what its centres are seen from.
    cosine
        What cosines mean, where there is no space.
    """

    space: Space | None
    kept: int
    mean: tuple[np.ndarray, np.ndarray]
    cosine: PairCalibration

    @property
    def measure(self) -> str:
        """What tells people apart: ``two-covariance`` or ``cosine``."""
        return "cosine" if self.space is None else "two-covariance"

    def side(self, corpus: int, centres: np.ndarray, videos: np.ndarray) -> Side:
        """Bring centres (n, D) of the first or second corpus (0, 1), of so many videos (n,), into the space."""
        if self.space is None:
            return Side(unit_rows(centres), videos)
        z = np.empty((len(centres), self.kept), np.float32)
        axes = self.space.axes[:, : self.kept].astype(np.float32)
        mean = self.mean[corpus].astype(np.float32)
        for start in range(0, len(centres), _BLOCK):
            z[start : start + _BLOCK] = (centres[start : start + _BLOCK] - mean) @ axes
        return Side(z, np.maximum(videos, 1))

    def paired(self, first: Side, second: Side) -> np.ndarray:
        """Return the ratios (n,) of the rows of both sides, each with its like."""
        if self.space is None:
            cosine = np.einsum("ij,ij->i", first.z, second.z)
            return np.asarray(self.cosine.log_odds(cosine, _LIMIT), np.float32)
        ratio = np.zeros(len(first.z), np.float32)
        codes = np.stack([_code(first.videos), _code(second.videos)])
        for i, j in np.unique(codes, axis=1).T:
            rows = np.flatnonzero((codes[0] == i) & (codes[1] == j))
            constant, own, other, cross = self._weights(_COUNTS[i], _COUNTS[j])
            x, y = first.z[rows], second.z[rows]
            ratio[rows] = constant + (x * x) @ own + (y * y) @ other + np.einsum("ij,ij->i", x * cross, y)
        return ratio

    def against(self, first: Side, second: Side) -> np.ndarray:
        """Return the ratios of every row of the first side with every row of the second, (n, k) float32."""
        if self.space is None:
            return np.asarray(self.cosine.log_odds(first.z @ second.z.T, _LIMIT), np.float32)
        ratio = np.empty((len(first.z), len(second.z)), np.float32)
        mine, theirs = _code(first.videos), _code(second.videos)
        for i in np.unique(mine):
            rows = np.flatnonzero(mine == i)
            x = first.z[rows]
            for j in np.unique(theirs):
                columns = np.flatnonzero(theirs == j)
                y = second.z[columns]
                constant, own, other, cross = self._weights(_COUNTS[i], _COUNTS[j])
                part = (x * cross) @ y.T
                part += ((x * x) @ own + constant)[:, None]
                part += ((y * y) @ other)[None]
                ratio[np.ix_(rows, columns)] = part
        return ratio

    def _weights(self, v: int, w: int) -> tuple[np.float32, np.ndarray, np.ndarray, np.ndarray]:
        """Return the constant, and what squares (of either side) and products count, per axis."""
        assert self.space is not None
        b = self.space.b[: self.kept]
        p, q = b + 1 / v, b + 1 / w
        det = p * q - b * b
        constant = 0.5 * float(np.log(p * q / det).sum())
        f = np.float32
        return f(constant), ((1 / p - q / det) / 2).astype(f), ((1 / q - p / det) / 2).astype(f), (b / det).astype(f)


def _code(videos: np.ndarray) -> np.ndarray:
    return np.searchsorted(_COUNTS, videos, side="right") - 1


def pairs_of(a: People, b: People, modality: str) -> Pairs:
    """Learn to compare the people of two corpora in a modality that both have."""
    means, offsets = [], []
    merged = Scatter(a.centre[modality].shape[1])
    for people in (a, b):
        scatter = people.scatter[modality]
        rows = np.flatnonzero(people.has(modality))
        centres = people.centre[modality][rows[:: 1 + len(rows) // 20_000]]  # a copy: of a part of a large corpus
        mean = centres.mean(axis=0, dtype=np.float64)
        means.append(mean)
        offsets.append(
            float(((centres - mean.astype(np.float32)) ** 2).sum()) / max(len(centres) - 1, 1) / len(centres)
        )
        if scatter is not None:
            merged.within += scatter.within
            merged.utterances += scatter.utterances
            merged.freedom += scatter.freedom
            merged.noise += scatter.noise
    # A mean of few people is drawn to that of both (James and Stein, 1961).
    weight = np.array([1 / max(error, 1e-12) for error in offsets])
    common = (weight[:, None] * np.stack(means)).sum(axis=0) / weight.sum()
    apart = float(((means[0] - means[1]) ** 2).sum())
    keep = max(0.0, 1 - sum(offsets) / max(apart, 1e-12))
    seen_from = (common + keep * (means[0] - common), common + keep * (means[1] - common))
    for people, mean in zip((a, b), seen_from, strict=True):
        scatter = people.scatter[modality]
        if scatter is not None:
            merged.centres += [centre - mean for centre in scatter.centres]
    space = space_of(merged)
    if space is None:
        return Pairs(None, 0, seen_from, _cosines(a, b, modality))
    middle = space.mean
    seen = (seen_from[0] + middle, seen_from[1] + middle)
    return Pairs(space, min(space.informative(_KEPT), _MOST), seen, _cosines(a, b, modality))


def _cosines(a: People, b: People, modality: str) -> PairCalibration:
    """Learn what cosines of centres mean: of halves of one person, and of different people of one corpus."""
    same, different = histogram(np.zeros(0)), histogram(np.zeros(0))
    for people in (a, b):
        first, second = (unit_rows(side) for side in people.half[modality])
        same += histogram(np.einsum("ij,ij->i", first, second))
        centres = unit_rows(people.centre[modality][np.flatnonzero(people.has(modality))[:1000]])
        different += histogram((centres @ centres.T)[np.triu_indices(len(centres), 1)])
    return calibrate(same, different)


def blocks(count: int, rows: int = 2048) -> Iterator[slice]:
    """Yield slices of so many rows that cover ``count``."""
    for start in range(0, count, rows):
        yield slice(start, min(start + rows, count))
