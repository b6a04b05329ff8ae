"""One modality of one label: its videos, and what its utterances are like to weighted centres of them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from avsieve.cleansing.inputs import unit_rows

FLOOR = 0.01  # a weight is never less: who is trusted nowhere still has a centre
TRUSTED = 0.5


@dataclass
class Compared:
    """One modality of one label, with n utterances and D dimensions.

    ``centre`` (D,) of length 1; ``similarity`` and ``plain`` (n,) cosine to the robust and to the plain centre, each
    without the utterance's own video; ``support`` (n,) how many other videos stand behind ``similarity``; ``agreement``
    (n,) cosine to the rest of the own video, ``sibling`` (n,) to the most trusted other video. NaN where there is
    nothing to compare with. ``fallback`` (n,) tells that an utterance was compared with its own video for want of
    another. ``sample`` (D,) is the mean of the most trusted video.
    """

    centre: np.ndarray
    similarity: np.ndarray
    plain: np.ndarray
    support: np.ndarray
    agreement: np.ndarray
    sibling: np.ndarray
    fallback: np.ndarray
    sample: np.ndarray


@dataclass
class Centre:
    """A centre, ``vector`` (D,) of length 1, and what `Compared` has of it.

    ``mean`` (n,) is the mean cosine to the other videos, ``coherence`` the mean cosine of two videos' means by their
    weights, NaN of one video.
    """

    vector: np.ndarray
    cosine: np.ndarray
    mean: np.ndarray
    support: np.ndarray
    fallback: np.ndarray
    coherence: float


class View:
    """One modality of one speaker, with its videos."""

    def __init__(self, embeddings: np.ndarray, code: np.ndarray, present: np.ndarray) -> None:
        self.E, self.code, self.present = embeddings, code, present
        self.onehot = np.zeros((int(code.max()) + 1, len(code)), np.float32)
        self.onehot[code, np.arange(len(code))] = 1

    def video_sums(self, weight: np.ndarray) -> np.ndarray:
        """Return the weighted sums (videos, D) of the videos."""
        return (self.onehot * weight.astype(np.float32)) @ self.E

    @cached_property
    def whole(self) -> np.ndarray:
        """Sums (videos, D) of all that is there."""
        return self.video_sums(self.present)

    def compare(self, weight: np.ndarray, alone: bool = False) -> Compared:
        """Compare every utterance with the centres, of given and of equal weights, and with its own and another video.

        ``alone``: the only video that is trusted is compared with itself, one utterance left out, as that of a label
        with one video always is.
        """
        robust = self.others(weight, alone=alone)
        plain = self.others(self.present.astype(np.float32), by_video=False)
        sample, sibling = self.siblings(weight)
        return Compared(
            robust.vector, robust.cosine, plain.cosine, robust.support, self.agreement(), sibling, robust.fallback,
            sample,
        )  # fmt: skip

    def others(self, weight: np.ndarray, by_video: bool = True, alone: bool = False) -> Centre:
        """Compare every utterance with the weighted centre of the other videos.

        ``by_video`` counts a video by the root of its weight, since its utterances share channel and fate; otherwise
        every utterance counts alike, as in the plain mean.
        """
        weight = np.where(self.present, np.maximum(weight, FLOOR), 0.0).astype(np.float32)
        mass = self.onehot @ weight
        sums = self.video_sums(weight)
        scale = np.sqrt(mass) if by_video else mass
        means = unit_rows(sums) * scale[:, None] if by_video else sums
        total, sizes = means.sum(axis=0), float(scale.sum())
        rest, support = total - means, (sizes - scale)[self.code]
        length = np.sqrt(np.einsum("ij,ij->i", rest, rest))[self.code]
        product = np.einsum("ij,ij->i", self.E, rest[self.code])
        cosine = np.divide(product, length, out=np.zeros_like(product), where=length > 0)
        mean = product / np.maximum(support, 1e-6)
        only = mass > 0 if (mass > 0).sum() < 2 else np.zeros(len(mass), bool)
        if alone and not only.any():
            trusted = self.onehot @ (weight > TRUSTED)
            only = (trusted > 1) & ((trusted > 0).sum() == 1)
        fallback = self.present & only[self.code]
        if only.any():
            # Leave one utterance out, and say so.
            within = np.einsum("ij,ij->i", self.E, unit_rows(sums[self.code] - weight[:, None] * self.E))
            left = mass[self.code] - weight
            within[left <= 1e-6] = np.nan
            cosine, mean = np.where(fallback, within, cosine), np.where(fallback, within, mean)
            support = np.where(fallback, left / (1 + left), support)
        for values in (cosine, mean):
            values[~self.present] = np.nan
        pairs = sizes**2 - float(scale @ scale)
        coherence = (float(total @ total) - float(scale @ scale)) / pairs if by_video and pairs > 1e-6 else np.nan
        return Centre(unit_rows(total[None])[0], cosine, mean, support, fallback, coherence)

    def agreement(self) -> np.ndarray:
        """Return the cosine of every utterance to the rest of its video, NaN where it has no rest."""
        # An utterance in its video's sum: |sum - x|^2 = |sum|^2 - 2 x sum + 1.
        own = np.einsum("ij,ij->i", self.E, self.whole[self.code])
        square = np.einsum("ij,ij->i", self.whole, self.whole)[self.code] - 2 * own + 1
        cosine = (own - 1) / np.sqrt(np.maximum(square, 1e-12))
        alone = (self.onehot @ self.present.astype(np.float32))[self.code] < 2
        cosine[alone | ~self.present] = np.nan
        return cosine

    def siblings(self, weight: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the mean of the most trusted video, (D,), and each utterance's cosine to the most trusted other."""
        trust = self.onehot @ weight
        first, *others = np.argsort(-trust, kind="stable")[:2]
        means = unit_rows(self.whole[[first, *others]])
        cosine = self.E @ means[0]
        own = self.code == first
        second = means[1] if others else np.zeros_like(means[0])
        cosine[own] = self.E[own] @ second
        cosine[~self.present | (own & ~second.any())] = np.nan
        return means[0], cosine


def view_of(embeddings: np.ndarray, video: np.ndarray) -> View:
    """Return the view of embeddings (n, D), rows of length 1 or zero where missing, and keys (n,) of their videos."""
    code = np.unique(video, return_inverse=True)[1].reshape(-1)
    return View(embeddings, code, (embeddings != 0).any(axis=1))
