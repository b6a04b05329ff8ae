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

# Before any evidence: both modalities right, voice wrong, face wrong, both wrong. Vague on purpose; only weights depend
# on it.
_PRIOR = np.array([0.70, 0.06, 0.06, 0.18])
_FLOOR = 0.01
_ROUNDS = 8
# How much likelier a person in one video more is to be the speaker: wrong videos seldom show the same stranger twice.
_PER_VIDEO = 12.0
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

    Per modality ``weight`` (n,), the probability that it is the speaker's, and what `Compared` has. ``second`` (n,) is
    the probability of belonging to a second person who is seen in several videos. ``doubt`` is the probability that
    the centre is not the speaker's, and ``rival`` (n,) then that of the utterance to be.
    """

    weight: dict[str, np.ndarray]
    compared: dict[str, Compared]
    second: np.ndarray
    doubt: float
    rival: np.ndarray


def pool_speaker(
    embeddings: dict[str, np.ndarray], video: np.ndarray, calibration: dict[str, PairCalibration]
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
    """
    present = {m: (embeddings[m] != 0).any(axis=1) for m in MODALITIES}
    code = _distinct(embeddings, np.unique(video, return_inverse=True)[1].reshape(-1))
    views = {m: _View(embeddings[m], code, present[m]) for m in MODALITIES}
    agree = _video_agreement(views, calibration)
    weight = _mode_weights(views, code, agree)
    for _ in range(_ROUNDS):
        odds = {}
        for m in MODALITIES:
            dot = views[m].leave_out(weight[m]).mean_cosine
            odds[m] = np.where(np.isnan(dot), 0.0, calibration[m].log_odds(np.nan_to_num(dot)))
        weight = _right(odds, present)
    weight = {m: np.where(present[m], weight[m], 0.0) for m in MODALITIES}
    compared = {m: _compare(views[m], weight[m]) for m in MODALITIES}
    return SpeakerModel(weight, compared, _second_mode(weight, code, agree), *_rivals(weight, code, agree))


def compare(embeddings: np.ndarray, video: np.ndarray, weight: np.ndarray) -> Compared:
    """Compare one speaker's utterances (n, D) with centres of given weights (n,): rows and videos as `pool_speaker`."""
    code = np.unique(video, return_inverse=True)[1].reshape(-1)
    return _compare(_View(embeddings, code, (embeddings != 0).any(axis=1)), weight)


def _compare(view: _View, weight: np.ndarray) -> Compared:
    robust = view.leave_out(weight)
    plain = view.leave_out(view.present.astype(np.float32), by_video=False)
    sample, sibling = view.siblings(weight)
    return Compared(
        robust.centre, robust.cosine, plain.cosine, robust.support, view.agreement(), sibling, robust.fallback, sample
    )


@dataclass
class _LeftOut:
    centre: np.ndarray
    cosine: np.ndarray
    mean_cosine: np.ndarray
    support: np.ndarray
    fallback: np.ndarray


class _View:
    """One modality of one speaker, with its videos."""

    def __init__(self, embeddings: np.ndarray, code: np.ndarray, present: np.ndarray) -> None:
        self.E, self.code, self.present = embeddings, code, present
        self.onehot = np.zeros((int(code.max()) + 1, len(code)), np.float32)
        self.onehot[code, np.arange(len(code))] = 1

    def video_sums(self, weight: np.ndarray) -> np.ndarray:
        return (self.onehot * weight.astype(np.float32)) @ self.E

    def leave_out(self, weight: np.ndarray, by_video: bool = True) -> _LeftOut:
        """Compare every utterance with the weighted centre of the other videos.

        ``by_video`` counts a video by the root of its weight, since its utterances share channel and fate; otherwise
        every utterance counts alike, as in the plain mean.
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
        fallback = np.zeros(len(weight), bool)
        if (mass > 0).sum() < 2:
            # One video only: leave one utterance out, and say so.
            others = sums[self.code] - weight[:, None] * self.E
            cosine_rest = np.einsum("ij,ij->i", self.E, unit_rows(others))
            mean, support = cosine_rest.copy(), np.minimum(mass[self.code] - weight, 1.0)
            fallback = self.present.copy()
            alone = mass[self.code] - weight <= 1e-6
            cosine_rest[alone], mean[alone] = np.nan, np.nan
        for values in (cosine_rest, mean):
            values[~self.present] = np.nan
        return _LeftOut(unit_rows(total[None])[0], cosine_rest, mean, support, fallback)

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
    seed = int((agree @ size + 1e-3 * size).argmax())
    member = agree[seed].copy()
    member[seed] = 1.0
    return {m: np.where(v.present, member[code], 0.0).astype(np.float32) for m, v in views.items()}


def _second_mode(weight: dict[str, np.ndarray], code: np.ndarray, agree: np.ndarray) -> np.ndarray:
    """Find the next person among the videos that the centre leaves over; zeros where there is none."""
    size = np.bincount(code)
    right = np.bincount(code, weights=np.maximum(weight["audio"], weight["visual"])) / size
    left = 1 - right
    among = agree * left[None] * left[:, None]
    seed = int(among.sum(axis=1).argmax())
    if left[seed] < 0.5 or among[seed].sum() < 0.5:
        return np.zeros(len(code), np.float32)
    member = among[seed].copy()
    member[seed] = left[seed]
    return member[code].astype(np.float32)


def _rivals(weight: dict[str, np.ndarray], code: np.ndarray, agree: np.ndarray) -> tuple[float, np.ndarray]:
    """Return the probability that somebody else than the centre is the speaker, and per utterance that of being them.

    People in more videos are likelier to be the speaker. Against somebody seen once each video more multiplies the odds
    by `_PER_VIDEO`; somebody seen in many is a namesake or a host, and only the ratio counts.
    """
    right = np.bincount(code, weights=np.maximum(weight["audio"], weight["visual"])) / np.bincount(code)
    left = 1 - right
    company = 1 + agree @ left
    # Every person once, whatever the number of their videos; a video that the centre owns is nobody else's.
    odds = left / company * _PER_VIDEO ** ((left * company - right.sum()) / np.maximum(left * company, 1.0))
    total = float(odds.sum())
    same = agree + np.eye(len(agree))
    rival = same @ odds / max(total, 1e-9)
    return total / (1 + total), np.minimum(rival, 1.0)[code].astype(np.float32)


def _right(odds: dict[str, np.ndarray], present: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Turn log odds of both modalities into the probability that each is right, by Bayes over the four cases."""
    a, v = (np.where(present[m], odds[m], 0.0) for m in MODALITIES)
    cases = np.log(_PRIOR) + np.stack([a + v, v, a, np.zeros_like(a)], axis=1)
    p = np.exp(cases - cases.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    right = {"audio": p[:, 0] + p[:, 2], "visual": p[:, 0] + p[:, 1]}
    return {m: np.where(present[m], right[m], 0.0).astype(np.float32) for m in MODALITIES}
