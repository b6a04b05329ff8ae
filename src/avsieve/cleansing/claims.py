"""Whose a person is: somebody who has a label of their own is hardly the speaker of another.

Of two people under one label, as often seen, nothing inside the label tells whose it is. If the one is the person of
another label, and the other nobody's, the label is the other's: wrong utterances are other speakers' of the corpus in
good part, while two labels are seldom one person.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from avsieve.cleansing.inputs import MODALITIES
from avsieve.cleansing.pooling import SpeakerModel

# Shares of people who have another label: of those who are wrong under one, and of speakers.
_STRANGERS, _SPEAKERS = 0.5, 0.02
# Likeness to another centre, as a share of that of two centres of one person; how sharply it tells.
_CLAIMED, _SHARPNESS = 0.8, 0.03
_SPOKEN_OF = 1e-4  # smaller odds of a rival are none


@dataclass
class Named:
    """Who is to be looked up of a label with ``count`` videos: rivals in ``rows`` (p - 1,) and the centre's person.

    ``people[m]`` (p, d) and ``videos`` (p,) are what `Claims.ratio` asks for, the centre's last.
    """

    count: int
    rows: np.ndarray
    people: dict[str, np.ndarray]
    videos: np.ndarray


def named(model: SpeakerModel) -> Named | None:
    """Return whom to look up of a label, None where there is nobody to speak of."""
    rivals = model.rivals
    rows = np.flatnonzero(rivals.odds > _SPOKEN_OF)
    if not len(rows):
        return None
    people = {m: np.concatenate([model.people(m, rows), model.centre[m].vector[None]]) for m in MODALITIES}
    return Named(len(rivals.odds), rows, people, np.append(rivals.in_videos[rows], rivals.centre_in))


@dataclass
class Claims:
    """The centres of all labels.

    ``centre[m]`` (K, d), rows of length 1 or zero; ``videos[m]`` (K,) how many videos are behind each;
    ``coherence[m]`` the cosine of two videos' means of one person, NaN where it is not known.
    """

    centre: Mapping[str, np.ndarray]
    videos: Mapping[str, np.ndarray]
    coherence: Mapping[str, float]

    def of_label(self, named: Named | None, own: int) -> tuple[np.ndarray, float]:
        """Return the ratios of the people of a label's videos (videos,), and of the person of its centre."""
        if named is None:
            return np.ones(1), 1.0
        ratio = np.ones(named.count)
        found = self.ratio(named.people, named.videos, own)
        ratio[named.rows] = found[:-1]
        return ratio, float(found[-1])

    def ratio(self, people: Mapping[str, np.ndarray], videos: np.ndarray, own: int) -> np.ndarray:
        """Return the likelihood ratio (p,) of each person to be the speaker of the label ``own``.

        Parameters
        ----------
        people
            Per modality (p, d) rows of length 1, or zero where missing.
        videos
            (p,) in how many videos each is seen.
        own
            Row of the label.
        """
        total = np.zeros((len(videos), len(next(iter(self.centre.values())))))
        weight, known = np.zeros_like(total), np.zeros(len(videos), dtype=bool)
        for m, E in people.items():
            a = self.coherence[m]
            C = self.centre[m]
            if not np.isfinite(a) or E.shape[1] != C.shape[1] or not E.shape[1]:
                continue
            there = (E != 0).any(axis=1)[:, None] & (C != 0).any(axis=1)[None]
            whole = np.sqrt(np.outer(_reliability(videos, a), _reliability(self.videos[m], a)))
            total += np.where(there, (E @ C.T) / np.maximum(whole, 1e-3), 0.0)
            weight += there
            known |= (E != 0).any(axis=1)
        likeness = np.where(weight > 0, total / np.maximum(weight, 1), -1.0)
        likeness[:, own] = -1.0
        claimed = 1 / (1 + np.exp(-np.clip((likeness.max(axis=1) - _CLAIMED) / _SHARPNESS, -30, 30)))
        speaker = _SPEAKERS * claimed + (1 - _SPEAKERS) * (1 - claimed)
        stranger = _STRANGERS * claimed + (1 - _STRANGERS) * (1 - claimed)
        return np.where(known, speaker / stranger, 1.0)


def _reliability(videos: np.ndarray, coherence: float) -> np.ndarray:
    """Return the share of the person in the mean of so many videos (Spearman and Brown, 1910)."""
    n, a = np.maximum(videos, 1.0), float(np.clip(coherence, 0.01, 1.0))
    return n * a / (1 + (n - 1) * a)
