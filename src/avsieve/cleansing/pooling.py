"""Robust centres: find the person that most videos of a label agree on, then average what belongs to that person.

The mean of a label is pulled by every wrong video; with a wrong majority it is nobody. So the centre begins at a mode:
the video that most other videos agree with in both modalities together (one vote per video, since a wrong video agrees
with itself). From there the weights of the utterances and the centre are re-estimated in turn
(`avsieve.cleansing.membership`), each utterance judged against the centre without its own video (leave one video out;
Qin et al. 2110.06534, section 3), so that none vouches for itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from avsieve.cleansing.calibration import PairCalibration
from avsieve.cleansing.inputs import MODALITIES, unit_rows
from avsieve.cleansing.membership import one_of_two, settle
from avsieve.cleansing.rivals import Rivals, find_rivals, second_mode
from avsieve.cleansing.views import TRUSTED, Centre, Compared, View, view_of

# Videos whose mean voices and faces are so alike (cosine) are copies of one.
_COPY = 0.97


@dataclass
class SpeakerModel:
    """What pooling knows about one label.

    Per modality ``weight`` (n,), the probability that an utterance is the speaker's. ``second`` (n,) is the probability
    of belonging to a second person who is seen in several videos; ``rivals`` tells who else may be the speaker. The
    ``views`` are of the videos, the ``parts`` of the videos as `Rivals` numbers them.
    """

    weight: dict[str, np.ndarray]
    second: np.ndarray
    rivals: Rivals
    views: dict[str, View]
    parts: dict[str, View]
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
        return unit_rows(self.rivals.same[videos].astype(np.float32) @ self.parts[modality].whole)


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
    code = np.unique(video, return_inverse=True)[1].reshape(-1)
    views = _views(embeddings, code)
    if (distinct := _distinct(views)) is not None:
        code, views = distinct, _views(embeddings, distinct)
    agree = _video_agreement(views, calibration)
    weight = one_of_two(settle(_mode_weights(views, code, agree), views, calibration), views, calibration)
    part, parts = _parts(code, np.maximum(weight["audio"], weight["visual"])), views
    if part.max() > code.max():
        parts = _views(embeddings, part)
        one = _of_one_person(parts, calibration)
        agree = _video_agreement(parts, calibration) * one[:, None] * one[None]
    if turned is not None:
        start = _members(parts, part, agree, turned)
        weight = settle(start, views, calibration)
        # Nobody vouches for a person in one video: the video alone is the label's.
        weight = {m: np.where(part == turned, np.maximum(w, start[m]), w) for m, w in weight.items()}
    right = np.maximum(weight["audio"], weight["visual"])
    second, rivals = second_mode(right, part, agree), find_rivals(right, part, agree, code)
    return SpeakerModel(weight, second, rivals, views, parts, turned is not None)


def _views(embeddings: dict[str, np.ndarray], code: np.ndarray) -> dict[str, View]:
    return {m: View(embeddings[m], code, (embeddings[m] != 0).any(axis=1)) for m in MODALITIES}


def _parts(code: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Number the videos (n,) anew, what is the speaker's in a video apart from what is somebody else's.

    Whoever interviews the speaker is in the same videos.
    """
    return np.unique(2 * code + (right < TRUSTED), return_inverse=True)[1].reshape(-1)


def compare(embeddings: np.ndarray, video: np.ndarray, weight: np.ndarray, alone: bool = False) -> Compared:
    """Compare one speaker's utterances (n, D) with centres of given weights (n,): rows and videos as `pool_speaker`.

    ``alone``: see `View.compare`; of labels that were turned.
    """
    return view_of(embeddings, video).compare(weight, alone)


def centre_of(embeddings: np.ndarray, video: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Return the centre (D,) alone that `compare` finds."""
    return view_of(embeddings, video).others(weight).vector


def _distinct(views: dict[str, View]) -> np.ndarray | None:
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


def _video_agreement(views: dict[str, View], calibration: dict[str, PairCalibration]) -> np.ndarray:
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


def _of_one_person(views: dict[str, View], calibration: dict[str, PairCalibration]) -> np.ndarray:
    """Return the probability (videos,) that the utterances of a video are one person's: several strangers are none."""
    odds = np.zeros(len(views["audio"].onehot))
    for m, view in views.items():
        count = view.onehot @ view.present.astype(np.float32)
        pairs = np.maximum(count * (count - 1), 1.0)
        among = (np.einsum("ij,ij->i", view.whole, view.whole) - count) / pairs
        odds += np.where(count > 1, calibration[m].log_odds(among), 0.0)
    return np.where(np.bincount(views["audio"].code) > 1, 1 / (1 + np.exp(-odds)), 1.0)


def _mode_weights(views: dict[str, View], code: np.ndarray, agree: np.ndarray) -> dict[str, np.ndarray]:
    """Start from the video that most other videos agree with."""
    if len(agree) < 3:
        return {m: v.present.astype(np.float32) for m, v in views.items()}
    size = np.sqrt(np.bincount(code))
    return _members(views, code, agree, int((agree @ size + 1e-3 * size).argmax()))


def _members(views: dict[str, View], code: np.ndarray, agree: np.ndarray, seed: int) -> dict[str, np.ndarray]:
    """Weight every utterance by how likely its video shows the person of the video ``seed``."""
    member = agree[seed].copy()
    member[seed] = 1.0
    return {m: np.where(v.present, member[code], 0.0).astype(np.float32) for m, v in views.items()}
