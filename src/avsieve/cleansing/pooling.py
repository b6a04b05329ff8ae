"""Robust centres: find the person that most videos of a label agree on, then average what belongs to that person.

The mean of a label is pulled by every wrong video; with a wrong majority it is nobody. So the centre begins at a mode:
the video that most other videos agree with in both modalities together (one vote per video, since a wrong video agrees
with itself). From there the weights of the utterances and the centre are re-estimated in turn, each utterance judged
against the centre without its own video (leave one video out; Qin et al. 2110.06534, section 3), so that none vouches
for itself.
"""

from __future__ import annotations

from dataclasses import dataclass

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
# Videos whose mean voices and faces are so alike (cosine) are copies of one.
_COPY = 0.97


@dataclass
class Compared:
    """One modality of one label, with n utterances and D dimensions.

    ``centre`` (D,) of length 1; ``similarity`` and ``plain`` (n,) cosine to the robust and to the plain centre, each
    without the utterance's own video; ``support`` (n,) how many other videos stand behind ``similarity``; ``agreement``
    (n,) cosine to the rest of the own video, ``sibling`` (n,) to the most trusted other video. NaN where there is
    nothing to compare with. ``fallback`` (n,) tells that an utterance was compared with its own video for want of
    another. ``sample`` (D,) is the mean of the most trusted video, ``coherence`` the mean cosine of two videos' means,
    by their weights, NaN of one video.
    """

    centre: np.ndarray
    similarity: np.ndarray
    plain: np.ndarray
    support: np.ndarray
    agreement: np.ndarray
    sibling: np.ndarray
    fallback: np.ndarray
    sample: np.ndarray
    coherence: float


@dataclass
class SpeakerModel:
    """What pooling knows about one label.

    Per modality ``weight`` (n,), the probability that it is the speaker's, what `Compared` has, and ``people``
    (videos, D), the mean of the person of each video, of length 1 or zero. ``second`` (n,) is the probability of
    belonging to a second person who is seen in several videos; ``rivals`` tells who else may be the speaker.
    """

    weight: dict[str, np.ndarray]
    compared: dict[str, Compared]
    people: dict[str, np.ndarray]
    second: np.ndarray
    rivals: Rivals


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
    code = _distinct(embeddings, np.unique(video, return_inverse=True)[1].reshape(-1))
    views = {m: _View(embeddings[m], code, present[m]) for m in MODALITIES}
    agree = _video_agreement(views, calibration)
    weight = _settled(_mode_weights(views, code, agree), views, present, calibration)
    rivals = find_rivals(_either(weight), code, agree)
    if turned is not None:
        start = _members(views, code, agree, turned)
        own = code == turned
        # Nobody vouches for a person in one video: the video alone is the label's.
        weight = {
            m: np.where(own, np.maximum(w, start[m]), w)
            for m, w in _settled(start, views, present, calibration).items()
        }
        rivals = find_rivals(_either(weight), code, agree)
    return SpeakerModel(
        weight,
        {m: _compare(views[m], weight[m], turned is not None) for m in MODALITIES},
        {m: unit_rows(rivals.same.astype(np.float32) @ views[m].video_sums(present[m])) for m in MODALITIES},
        second_mode(_either(weight), code, agree),
        rivals,
    )


def _either(weight: dict[str, np.ndarray]) -> np.ndarray:
    return np.maximum(weight["audio"], weight["visual"])


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
            dot = views[m].leave_out(weight[m]).mean_cosine
            odds[m] = np.where(np.isnan(dot), 0.0, calibration[m].log_odds(np.nan_to_num(dot)))
        weight = _right(odds, present)
    return {m: np.where(present[m], weight[m], 0.0) for m in MODALITIES}


def compare(embeddings: np.ndarray, video: np.ndarray, weight: np.ndarray, alone: bool = False) -> Compared:
    """Compare one speaker's utterances (n, D) with centres of given weights (n,): rows and videos as `pool_speaker`.

    ``alone``: see `_View.leave_out`; of labels that were turned.
    """
    code = np.unique(video, return_inverse=True)[1].reshape(-1)
    return _compare(_View(embeddings, code, (embeddings != 0).any(axis=1)), weight, alone)


def _compare(view: _View, weight: np.ndarray, alone: bool) -> Compared:
    robust = view.leave_out(weight, alone=alone)
    plain = view.leave_out(view.present.astype(np.float32), by_video=False)
    sample, sibling = view.siblings(weight)
    return Compared(
        robust.centre, robust.cosine, plain.cosine, robust.support, view.agreement(), sibling, robust.fallback, sample,
        robust.coherence,
    )  # fmt: skip


@dataclass
class _LeftOut:
    centre: np.ndarray
    cosine: np.ndarray
    mean_cosine: np.ndarray
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

    def leave_out(self, weight: np.ndarray, by_video: bool = True, alone: bool = False) -> _LeftOut:
        """Compare every utterance with the weighted centre of the other videos.

        ``by_video`` counts a video by the root of its weight, since its utterances share channel and fate; otherwise
        every utterance counts alike, as in the plain mean. ``alone``: the only video that is trusted is compared with
        itself, one utterance left out, as that of a label with one video always is.
        """
        weight = np.where(self.present, np.maximum(weight, _FLOOR), 0.0).astype(np.float32)
        mass = self.onehot @ weight
        sums = self.video_sums(weight)
        scale = np.sqrt(mass) if by_video else mass
        means = unit_rows(sums) * scale[:, None] if by_video else sums
        total, whole = means.sum(axis=0), float(scale.sum())
        rest, rest_scale = total - means, whole - scale
        cosine_rest = np.einsum("ij,ij->i", self.E, unit_rows(rest)[self.code])
        mean = np.einsum("ij,ij->i", self.E, rest[self.code]) / np.maximum(rest_scale, 1e-6)[self.code]
        support = rest_scale[self.code]
        only = mass > 0 if (mass > 0).sum() < 2 else np.zeros(len(mass), bool)
        if alone and by_video and not only.any():
            trusted = self.onehot @ (weight > _TRUSTED)
            only = (trusted > 1) & ((trusted > 0).sum() == 1)
        fallback = self.present & only[self.code]
        if only.any():
            # Leave one utterance out, and say so.
            others = sums[self.code] - weight[:, None] * self.E
            within = np.einsum("ij,ij->i", self.E, unit_rows(others))
            within[mass[self.code] - weight <= 1e-6] = np.nan
            cosine_rest = np.where(fallback, within, cosine_rest)
            mean = np.where(fallback, within, mean)
            support = np.where(fallback, np.minimum(mass[self.code] - weight, 1.0), support)
        for values in (cosine_rest, mean):
            values[~self.present] = np.nan
        squares = float(scale @ scale)
        pairs = whole**2 - squares
        coherence = (float(total @ total) - squares) / pairs if by_video and pairs > 1e-6 else np.nan
        return _LeftOut(unit_rows(total[None])[0], cosine_rest, mean, support, fallback, coherence)

    def agreement(self) -> np.ndarray:
        """Return the cosine of every utterance to the rest of its video, NaN where it has no rest."""
        rest = self.video_sums(self.present)[self.code] - self.E
        alone = (self.onehot @ self.present.astype(np.float32))[self.code] < 2
        cosine = np.einsum("ij,ij->i", self.E, unit_rows(rest))
        cosine[alone | ~self.present] = np.nan
        return cosine

    def siblings(self, weight: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the mean of the most trusted video, (D,), and each utterance's cosine to the most trusted other."""
        trust = self.onehot @ weight
        first, *others = np.argsort(-trust, kind="stable")[:2]
        means = unit_rows(self.video_sums(self.present))
        cosine = self.E @ means[first]
        own = self.code == first
        second = means[others[0]] if others else np.zeros_like(means[first])
        cosine[own] = self.E[own] @ second
        cosine[~self.present | (own & ~second.any())] = np.nan
        return means[first], cosine


def _distinct(embeddings: dict[str, np.ndarray], code: np.ndarray) -> np.ndarray:
    """Number the videos (n,) anew, copies of one video alike: what was uploaded twice is one witness, not two.

    Strong encoders make all videos of a person alike. A copy is told by its utterances: each has a twin in the other
    video that is far nearer to it than the utterances of one video are to each other.
    """
    videos = int(code.max()) + 1
    onehot = np.zeros((videos, len(code)), np.float32)
    onehot[code, np.arange(len(code))] = 1
    alike = np.ones((videos, videos), bool)
    compared = np.zeros((videos, videos), bool)
    for E in embeddings.values():
        means = unit_rows(onehot @ E)
        has = (means != 0).any(axis=1)
        both = has[:, None] & has[None]
        alike &= ~both | (means @ means.T > _COPY)
        compared |= both
    stands_for = np.arange(videos)
    for a, b in np.argwhere(np.triu(alike & compared, 1)):
        if all(_twins(E, code, a, b) for E in embeddings.values()):
            stands_for[b] = stands_for[a]
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
        means = unit_rows(view.video_sums(view.present))
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
