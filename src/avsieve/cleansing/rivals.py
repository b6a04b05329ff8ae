"""Who else than the person of the centre may be the speaker of a label: the people of its other videos."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

# How much likelier a person in one video more is to be the speaker: wrong videos seldom show the same stranger twice.
_PER_VIDEO = 12.0


@dataclass
class Rivals:
    """The people of a label's videos; those of the person of the centre are hardly anybody else's.

    ``code`` (n,) numbers the videos of the utterances. Per video, ``odds`` (videos,) of the person in it, who is shared
    with others, to be the speaker, against the person of the centre; ``same`` (videos, videos) the probability that two
    show one person; ``in_videos`` (videos,) how many show that person, and ``centre_in`` how many show the centre's.
    """

    code: np.ndarray
    odds: np.ndarray
    same: np.ndarray
    in_videos: np.ndarray
    centre_in: float

    def doubt(self, ratio: np.ndarray | float = 1.0, centre: float = 1.0) -> float:
        """Return the probability that the speaker is none of the centre.

        ``ratio`` (videos,) and ``centre`` are what else is known: likelihood ratios for each video's person, and for
        that of the centre, to be the speaker.
        """
        total = float((self.odds * ratio).sum())
        return total / (centre + total)

    def share(self, ratio: np.ndarray | float = 1.0) -> np.ndarray:
        """Return the probability (n,) that an utterance is the speaker's, if the speaker is none of the centre."""
        odds = self.odds * ratio
        return np.minimum(self.same @ odds / max(float(odds.sum()), 1e-9), 1.0)[self.code].astype(np.float32)

    def people(self, least: float, most: int = 3) -> list[int]:
        """Return a video of each of the likeliest rivals, whose odds are ``least`` at least; up to ``most``."""
        odds, found = self.odds.copy(), []
        for _ in range(min(most, len(odds))):
            # Of the same person, the video that is theirs most surely.
            video = int((np.where(odds > 0, self.same @ odds, 0.0) + 1e-3 * odds).argmax())
            if self.of_person(video) < least or odds[video] <= 0:
                break
            found.append(video)
            odds *= 1 - np.clip(self.same[video], 0, 1)
        return found

    def of_person(self, video: int, ratio: np.ndarray | float = 1.0) -> float:
        """Return the odds of the person of a video to be the speaker, against the person of the centre."""
        return float(self.same[video] @ (self.odds * ratio))


def find_rivals(right: np.ndarray, code: np.ndarray, agree: np.ndarray, video: np.ndarray) -> Rivals:
    """Find who else may be the speaker.

    People in more videos are likelier to be the speaker. Against somebody seen once each video more multiplies the odds
    by `_PER_VIDEO`; somebody seen in many is a namesake or a host, and only the ratio counts.

    Parameters
    ----------
    right
        (n,) the probability that an utterance is of the person of the centre.
    code
        (n,) numbers of the videos, or of parts of them, from 0.
    agree
        (videos, videos) the probability that two of these show one person, 0 on the diagonal.
    video
        (n,) numbers of the videos, from 0, where ``code`` numbers parts.
    """
    size, first = np.bincount(code), np.unique(code, return_index=True)[1]
    video = video[first]
    share = size / np.bincount(video, weights=size)[video]
    elsewhere = np.where(video[:, None] != video[None], agree, 0.0)
    right = np.bincount(code, weights=right) / size
    # Who is seen in other videos too is somebody; who is not counts by the share of the one video.
    left, right = (x * (share + (1 - share) * np.minimum(elsewhere @ x, 1.0)) for x in (1 - right, right))
    others = agree @ left
    seen = left + others
    # Every person once, whatever the number of their videos; what the centre owns is nobody else's.
    odds = left / (1 + others) * _PER_VIDEO ** ((seen - right.sum()) / np.maximum(seen, 1.0))
    return Rivals(code, odds, agree + np.eye(len(agree)), seen, float(right.sum()))


def second_mode(right: np.ndarray, code: np.ndarray, agree: np.ndarray) -> np.ndarray:
    """Return the probability (n,) to be of the next person, seen in several videos that the centre leaves over.

    Zeros where there is none; parameters are those of `find_rivals`.
    """
    left = 1 - np.bincount(code, weights=right) / np.bincount(code)
    among = agree * left[None] * left[:, None]
    seed = int(among.sum(axis=1).argmax())
    if left[seed] < 0.5 or among[seed].sum() < 0.5:
        return np.zeros(len(code), np.float32)
    member = among[seed].copy()
    member[seed] = left[seed]
    return member[code].astype(np.float32)
