"""Robust centres: find the person that most videos of a label agree on, then average what belongs to that person.

The mean of a label is pulled by every wrong video; with a wrong majority it is nobody. So the centre begins at a mode:
the video that most other videos agree with in both modalities together (one vote per video, since a wrong video agrees
with itself). From there the weights of the utterances and the centre are re-estimated in turn, each utterance judged
against the centre without its own video (leave one video out; Qin et al. 2110.06534, section 3), so that none vouches
for itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from avsieve.cleansing.calibration import PairCalibration
from avsieve.cleansing.inputs import MODALITIES, unit_rows
from avsieve.cleansing.rivals import Rivals, find_rivals, second_mode

# Before any evidence: both modalities right, voice wrong, face wrong, both wrong. Vague on purpose; only weights depend
# on it.
_PRIOR = np.array([0.70, 0.06, 0.06, 0.18])
_FLOOR = 0.01
_TRUSTED = 0.5
_ROUNDS = 8
_STILL = 1e-3  # of a weight
# Videos whose mean voices and faces are so alike (cosine) are copies of one.
_COPY = 0.97


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
class SpeakerModel:
    """What pooling knows about one label.

    Per modality ``weight`` (n,), the probability that an utterance is the speaker's. ``second`` (n,) is the probability
    of belonging to a second person who is seen in several videos; ``rivals`` tells who else may be the speaker.
    """

    weight: dict[str, np.ndarray]
    second: np.ndarray
    rivals: Rivals
    views: dict[str, _View]
    turned: bool

    def compare(self, modality: str) -> Compared:
        """Compare the utterances with the centre and with each other."""
        return self.views[modality].compare(self.weight[modality], self.turned)

    @cached_property
    def centre(self) -> dict[str, Centre]:
        """The centres alone, per modality."""
        return {m: view.others(self.weight[m], alone=self.turned) for m, view in self.views.items()}

    def sample(self, modality: str) -> np.ndarray:
        """Return the mean (D,) of the most trusted video."""
        return self.views[modality].siblings(self.weight[modality])[0]

    def people(self, modality: str, videos: np.ndarray) -> np.ndarray:
        """Return the means (v, D), of length 1 or zero, of the people of some videos."""
        return unit_rows(self.rivals.same[videos].astype(np.float32) @ self.views[modality].whole)


def pool_speaker(
    embeddings: dict[str, np.ndarray],
    video: np.ndarray,
    calibration: dict[str, PairCalibration],
    turned: int | None = None,
) -> SpeakerModel:
    """Estimate one speaker.

    Parameters
    ----------
    embeddings
        Per modality (n, D) float32, rows of length 1 or zero where missing.
    video
        (n,) keys of videos.
    calibration
        Per modality, from `avsieve.cleansing.calibration.calibrate`.
    turned
        A video, as `Rivals` numbers them, whose person the label is, in place of the person of the mode.
    """
    present = {m: (embeddings[m] != 0).any(axis=1) for m in MODALITIES}
    code = np.unique(video, return_inverse=True)[1].reshape(-1)
    views = {m: _View(embeddings[m], code, present[m]) for m in MODALITIES}
    if (distinct := _distinct(views)) is not None:
        code, views = distinct, {m: _View(embeddings[m], distinct, present[m]) for m in MODALITIES}
    agree = _video_agreement(views, calibration)
    start = _mode_weights(views, code, agree) if turned is None else _members(views, code, agree, turned)
    weight = _settled(start, views, present, calibration)
    if turned is not None:
        # Nobody vouches for a person in one video: the video alone is the label's.
        weight = {m: np.where(code == turned, np.maximum(w, start[m]), w) for m, w in weight.items()}
    right = np.maximum(weight["audio"], weight["visual"])
    return SpeakerModel(
        weight, second_mode(right, code, agree), find_rivals(right, code, agree), views, turned is not None
    )


def _settled(
    weight: dict[str, np.ndarray],
    views: dict[str, _View],
    present: dict[str, np.ndarray],
    calibration: dict[str, PairCalibration],
) -> dict[str, np.ndarray]:
    """Re-estimate the weights and the centre in turn."""
    for _ in range(_ROUNDS):
        odds = {}
        for m in MODALITIES:
            mean = views[m].others(weight[m]).mean
            odds[m] = np.where(np.isnan(mean), 0.0, calibration[m].log_odds(np.nan_to_num(mean)))
        before, weight = weight, _right(odds, present)
        if all(np.abs(weight[m] - before[m]).max() < _STILL for m in MODALITIES):
            break
    return {m: np.where(present[m], weight[m], 0.0) for m in MODALITIES}


def compare(embeddings: np.ndarray, video: np.ndarray, weight: np.ndarray, alone: bool = False) -> Compared:
    """Compare one speaker's utterances (n, D) with centres of given weights (n,): rows and videos as `pool_speaker`.

    ``alone``: see `_View.compare`; of labels that were turned.
    """
    return _view(embeddings, video).compare(weight, alone)


def centre_of(embeddings: np.ndarray, video: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Return the centre (D,) alone that `compare` finds."""
    return _view(embeddings, video).others(weight).vector


def _view(embeddings: np.ndarray, video: np.ndarray) -> _View:
    code = np.unique(video, return_inverse=True)[1].reshape(-1)
    return _View(embeddings, code, (embeddings != 0).any(axis=1))


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


class _View:
    """One modality of one speaker, with its videos."""

    def __init__(self, embeddings: np.ndarray, code: np.ndarray, present: np.ndarray) -> None:
        self.E, self.code, self.present = embeddings, code, present
        self.onehot = np.zeros((int(code.max()) + 1, len(code)), np.float32)
        self.onehot[code, np.arange(len(code))] = 1

    def video_sums(self, weight: np.ndarray) -> np.ndarray:
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
        weight = np.where(self.present, np.maximum(weight, _FLOOR), 0.0).astype(np.float32)
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
            trusted = self.onehot @ (weight > _TRUSTED)
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


def _distinct(views: dict[str, _View]) -> np.ndarray | None:
    """Number the videos (n,) anew, copies of one video alike: what was uploaded twice is one witness, not two.

    None where there are no copies.

    Strong encoders make all videos of a person alike. A copy is told by its utterances: each has a twin in the other
    video that is far nearer to it than the utterances of one video are to each other.
    """
    videos = len(views["audio"].onehot)
    alike = np.ones((videos, videos), bool)
    compared = np.zeros((videos, videos), bool)
    for view in views.values():
        means = unit_rows(view.whole)
        has = (means != 0).any(axis=1)
        both = has[:, None] & has[None]
        alike &= ~both | (means @ means.T > _COPY)
        compared |= both
    code = views["audio"].code
    stands_for = np.arange(videos)
    for a, b in np.argwhere(np.triu(alike & compared, 1)):
        if all(_twins(view.E, code, a, b) for view in views.values()):
            stands_for[b] = stands_for[a]
    if (stands_for == np.arange(videos)).all():
        return None
    return np.unique(stands_for[code], return_inverse=True)[1].reshape(-1)


def _twins(E: np.ndarray, code: np.ndarray, a: int, b: int) -> bool:
    """Tell whether the utterances of video ``b`` are those of ``a`` again, in one modality; so if it is missing."""
    first, second = (E[(code == video) & E.any(axis=1)] for video in (a, b))
    if not len(first) or not len(second):
        return True
    apart = 1 - (second @ first.T).max(axis=1)
    among = 1 - first @ first.T
    usual = among.sum() / (len(first) * (len(first) - 1)) if len(first) > 1 else 1 - _COPY
    return bool(apart.mean() < usual / 4)


def _video_agreement(views: dict[str, _View], calibration: dict[str, PairCalibration]) -> np.ndarray:
    """Return the probability that two videos show one person, (videos, videos), by both modalities."""
    videos = len(views["audio"].onehot)
    odds = np.zeros((videos, videos))
    for m, view in views.items():
        means = unit_rows(view.whole)
        has = (means != 0).any(axis=1)
        odds += np.where(has[:, None] & has[None], calibration[m].log_odds(means @ means.T), 0.0)
    agree = 1 / (1 + np.exp(-np.clip(odds, -12, 12)))
    np.fill_diagonal(agree, 0.0)
    return agree


def _mode_weights(views: dict[str, _View], code: np.ndarray, agree: np.ndarray) -> dict[str, np.ndarray]:
    """Start from the video that most other videos agree with."""
    if len(agree) < 3:
        return {m: v.present.astype(np.float32) for m, v in views.items()}
    size = np.sqrt(np.bincount(code))
    return _members(views, code, agree, int((agree @ size + 1e-3 * size).argmax()))


def _members(views: dict[str, _View], code: np.ndarray, agree: np.ndarray, seed: int) -> dict[str, np.ndarray]:
    """Weight every utterance by how likely its video shows the person of the video ``seed``."""
    member = agree[seed].copy()
    member[seed] = 1.0
    return {m: np.where(v.present, member[code], 0.0).astype(np.float32) for m, v in views.items()}


def _right(odds: dict[str, np.ndarray], present: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Turn log odds of both modalities into the probability that each is right, by Bayes over the four cases."""
    a, v = (np.where(present[m], odds[m], 0.0) for m in MODALITIES)
    cases = np.log(_PRIOR) + np.stack([a + v, v, a, np.zeros_like(a)], axis=1)
    p = np.exp(cases - cases.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    right = {"audio": p[:, 0] + p[:, 2], "visual": p[:, 0] + p[:, 1]}
    return {m: np.where(present[m], right[m], 0.0).astype(np.float32) for m in MODALITIES}
