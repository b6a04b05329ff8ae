"""A metric learned from the corpus itself: what tells people apart counts, what varies within a person does not.

Cosines treat all directions alike, encoders do not: a few directions carry most of what light, microphone, pose and age
do to one person. With the two-covariance model (Brümmer and de Villiers, Odyssey 2010)

    x = mu + y + e,   y ~ N(0, B) per person,   e ~ N(0, W) per utterance

the log odds of "same person" are a function of the coordinates in which W is the identity and B is diagonal. The map
keeps these coordinates, each by the root of b / (1 + b), the share of the person in it; cosines are taken after that.

No label is believed for it. W is the scatter of the utterances that pooling trusts, around the centre of the label's
*other* videos, and is drawn towards a multiple of the identity (oracle approximating shrinkage; Chen, Wiesel, Eldar and
Hero, IEEE Trans. Signal Processing 58(10), 2010). B is that of the centres in these coordinates, less their own noise.
Sums of D x D are all that has to be kept, so a corpus of any size is read a shard at a time.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from avsieve.cleansing.inputs import unit_rows

_TRUSTED = 0.9  # the weight above which an utterance is thought to be the label's
_LEAST_SPEAKERS = 6
_LEAST_VIDEOS = 10  # more than speakers
_KEPT = 0.99  # of what differs between people
# Where a metric is learned from so many speakers, the leading directions hold nearly all that their centres tell, and
# all other speakers are many to compare with.
_MANY, _LEADING = 400, 128


@dataclass(frozen=True)
class Metric:
    """The map of one modality: ``mean`` (D,) and ``axes`` (D, d) float32."""

    mean: np.ndarray
    axes: np.ndarray

    def __call__(self, embeddings: np.ndarray) -> np.ndarray:
        """Map rows of length 1 (n, D) to rows of length 1 (n, d); rows of zeros, which are missing, stay zero."""
        mapped = (embeddings - self.mean) @ self.axes
        mapped[~embeddings.any(axis=1)] = 0.0
        return unit_rows(mapped)


class Scatter:
    """Sums over speakers from which `learn` makes the metric of one modality of D dimensions."""

    def __init__(self, dim: int) -> None:
        self.within = np.zeros((dim, dim))
        self.utterances = 0.0
        self.freedom = 0.0
        self.centres: list[np.ndarray] = []
        self.noise: list[float] = []

    def add(self, embeddings: np.ndarray, video: np.ndarray, weight: np.ndarray) -> None:
        """Add one speaker: rows (n, D), codes of videos (n,), and the weights (n,) that pooling found."""
        rows = np.flatnonzero((weight > _TRUSTED) & embeddings.any(axis=1))
        if not len(rows):
            return
        E = embeddings[rows].astype(np.float64)
        code, count = np.unique(video[rows], return_inverse=True, return_counts=True)[1:]
        videos = len(count)
        onehot = np.zeros((videos, len(rows)))
        onehot[code, np.arange(len(rows))] = 1
        means = onehot @ E / count[:, None]
        centre = means.mean(axis=0)
        self.centres.append(centre)
        self.noise.append(1 / videos)
        if videos < 2:
            return
        rest = (videos * centre - means) / (videos - 1)
        deviation = (E - rest[code]) / np.sqrt(1 + 1 / (videos - 1))
        # Videos count by the root of their utterances, which share a channel.
        w = 1 / np.sqrt(count[code])
        self.within += (deviation * w[:, None]).T @ deviation
        self.utterances += float(w.sum())
        self.freedom += videos - 1


def learn(scatter: Scatter) -> Metric | None:
    """Return the metric, or None where there is too little to learn one from.

    The fewer the people, the more B is drawn towards a multiple of the identity, as if there were D more of them who
    differ alike in all directions, and the mean towards zero (James and Stein, 1961).
    """
    D, K = len(scatter.within), len(scatter.centres)
    if K < _LEAST_SPEAKERS or scatter.freedom < _LEAST_VIDEOS:
        return None
    # Embeddings that are all alike have no directions.
    if np.trace(scatter.within) <= 1e-9 * scatter.utterances:
        return None
    within, centres = scatter.within / scatter.utterances, np.stack(scatter.centres)
    # Sums are rounded by the order of the speakers: off with the digits that hold nothing else.
    within = np.round(within, 12 - int(np.ceil(np.log10(np.trace(within)))))
    value, vector = np.linalg.eigh(shrunk(within, scatter.freedom))
    white = vector / np.sqrt(np.maximum(value, 1e-6 * value.max()))
    # In an order of their own, not in that of the shards.
    centres = centres[np.lexsort(centres.T[:8])]
    mean = centres.mean(axis=0)
    white_centres = (centres - mean) @ white
    B = white_centres.T @ white_centres / (K - 1)
    rho = D / (D + K)
    b, Q = np.linalg.eigh((1 - rho) * B + rho * np.trace(B) / D * np.eye(D))
    b, Q = np.maximum(b - float(np.mean(scatter.noise)), 0.0)[::-1], Q[:, ::-1]
    if not b.any():
        return None
    # Directions in which people hardly differ cost time and tell nothing.
    person = b**2 / (1 + b)
    keep = int(np.searchsorted(np.cumsum(person), _KEPT * person.sum())) + 1
    keep = min(keep, _LEADING) if K >= _MANY else keep
    axes = (white @ Q * np.sqrt(b / (1 + b)))[:, :keep]
    axes *= np.where(axes[np.abs(axes).argmax(axis=0), np.arange(keep)] < 0, -1.0, 1.0)
    error = float(((centres - mean) ** 2).sum()) / (K - 1) / K
    mean = mean * max(0.0, 1 - error / max(float(mean @ mean), 1e-12))
    return Metric(mean.astype(np.float32), np.ascontiguousarray(axes, np.float32))


def shrunk(S: np.ndarray, n: float) -> np.ndarray:
    """Draw a sample covariance (D, D) of ``n`` degrees of freedom towards a multiple of the identity."""
    D = len(S)
    trace, square = float(np.trace(S)), float((S * S).sum())
    above = (1 - 2 / D) * square + trace**2
    below = (n + 1 - 2 / D) * (square - trace**2 / D)
    rho = min(1.0, above / below) if below > 0 else 1.0
    return (1 - rho) * S + rho * trace / D * np.eye(D)
