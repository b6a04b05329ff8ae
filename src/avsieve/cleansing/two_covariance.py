"""The two-covariance model of one modality: how people differ, and how the utterances of a person do.

    x = mu + y + e,   y ~ N(0, B) per person,   e ~ N(0, W) per utterance

(Brümmer and de Villiers, Odyssey 2010). W is the scatter of utterances around the centre of the label's *other* videos,
drawn towards a multiple of the identity (oracle approximating shrinkage; Chen, Wiesel, Eldar and Hero, IEEE Trans.
Signal Processing 58(10), 2010). B is that of the centres where W is the identity, less their own noise. Sums of D x D
are all that has to be kept, so a corpus of any size is read a part at a time. The metric of the cleansing and the
fusion model `evidence` are made of it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

_TRUSTED = 0.9  # the weight above which an utterance is thought to be the label's
_LEAST_SPEAKERS = 6
_LEAST_VIDEOS = 10  # more than speakers


class Scatter:
    """Sums over speakers from which `space_of` makes the model of one modality of D dimensions."""

    def __init__(self, dim: int) -> None:
        self.within = np.zeros((dim, dim))
        self.utterances = 0.0
        self.freedom = 0.0
        self.centres: list[np.ndarray] = []
        self.noise: list[float] = []

    def add(self, embeddings: np.ndarray, video: np.ndarray, weight: np.ndarray) -> None:
        """Add one speaker: rows (n, D), codes of videos (n,), and the weights (n,) by which they are trusted."""
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


@dataclass(frozen=True)
class Space:
    """Coordinates in which W is the identity and B is diagonal.

    Attributes
    ----------
    mean
        (D,), drawn towards zero the fewer the people (James and Stein, 1961).
    axes
        (D, D): coordinates are ``(x - mean) @ axes``.
    b
        (D,), the diagonal of B, falling; 0 where people do not differ.
    """

    mean: np.ndarray
    axes: np.ndarray
    b: np.ndarray

    def informative(self, share: float) -> int:
        """Return how many of the first axes hold ``share`` of what tells people apart."""
        person = self.b**2 / (1 + self.b)
        return int(np.searchsorted(np.cumsum(person), share * person.sum())) + 1


def space_of(scatter: Scatter, even: float = 0.0) -> Space | None:
    """Return the space, or None where there is too little to learn one from.

    The fewer the people, the more B is drawn towards a multiple of the identity, as if there were D more of them who
    differ alike in all directions.

    Parameters
    ----------
    scatter
        The sums.
    even
        How far both covariances are drawn towards multiples of the identity beyond that, 0 to 1. At 1 all directions
        count alike, as they do for cosines.
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
    within = shrunk(within, scatter.freedom)
    if even > 0:
        within = (1 - even) * within + even * np.trace(within) / D * np.eye(D)
    value, vector = np.linalg.eigh(within)
    white = vector / np.sqrt(np.maximum(value, 1e-6 * value.max()))
    # In an order of their own, not in that of the shards.
    centres = centres[np.lexsort(centres.T[:8])]
    mean = centres.mean(axis=0)
    white_centres = (centres - mean) @ white
    B = white_centres.T @ white_centres / (K - 1)
    rho = max(D / (D + K), even)
    b, Q = np.linalg.eigh((1 - rho) * B + rho * np.trace(B) / D * np.eye(D))
    b, Q = np.maximum(b - float(np.mean(scatter.noise)), 0.0)[::-1], Q[:, ::-1]
    if not b.any():
        return None
    error = float(((centres - mean) ** 2).sum()) / (K - 1) / K
    mean = mean * max(0.0, 1 - error / max(float(mean @ mean), 1e-12))
    return Space(mean, white @ Q, b)


def shrunk(S: np.ndarray, n: float) -> np.ndarray:
    """Draw a sample covariance (D, D) of ``n`` degrees of freedom towards a multiple of the identity."""
    D = len(S)
    trace, square = float(np.trace(S)), float((S * S).sum())
    above = (1 - 2 / D) * square + trace**2
    below = (n + 1 - 2 / D) * (square - trace**2 / D)
    rho = min(1.0, above / below) if below > 0 else 1.0
    return (1 - rho) * S + rho * trace / D * np.eye(D)
