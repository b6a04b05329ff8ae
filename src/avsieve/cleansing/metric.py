"""A metric learned from the corpus itself: what tells people apart counts, what varies within a person does not.

Cosines treat all directions alike, encoders do not: a few directions carry most of what light, microphone, pose and age
do to one person. With the two-covariance model (Brümmer and de Villiers, Odyssey 2010)

    x = mu + y + e,   y ~ N(0, B) per person,   e ~ N(0, W) per utterance

the log odds of "same person" are a function of the coordinates in which W is the identity and B is diagonal. The map
keeps these coordinates, each by the root of b / (1 + b), the share of the person in it; cosines are taken after that.

No label is believed for it: W and B come from the utterances that pooling trusts (`avsieve.cleansing.two_covariance`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from avsieve.cleansing.inputs import unit_rows
from avsieve.cleansing.two_covariance import Scatter, space_of

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


def learn(scatter: Scatter) -> Metric | None:
    """Return the metric, or None where there is too little to learn one from."""
    space = space_of(scatter)
    if space is None:
        return None
    # Directions in which people hardly differ cost time and tell nothing.
    keep = space.informative(_KEPT)
    keep = min(keep, _LEADING) if len(scatter.centres) >= _MANY else keep
    axes = (space.axes * np.sqrt(space.b / (1 + space.b)))[:, :keep]
    axes *= np.where(axes[np.abs(axes).argmax(axis=0), np.arange(keep)] < 0, -1.0, 1.0)
    return Metric(space.mean.astype(np.float32), np.ascontiguousarray(axes, np.float32))
