"""Errors come in videos: a face that was tracked wrongly is wrong in the whole video, a cut spoils one utterance.

Every video is in one of four states: nothing wrong throughout, the voice, the face, or both wrong throughout. Given the
state, its utterances are independent. The shares of the states, and of single errors in good videos, are estimated by
EM; every speaker has shares of its own, drawn towards those of the corpus, since errors are unevenly spread.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

# Cases of an utterance, and states of a video: both right, voice wrong, face wrong, both wrong.
CASES = np.array([[0, 0], [1, 0], [0, 1], [1, 1]])
_SLIP = 0.04  # share of utterances that do not follow a state other than "nothing wrong"


@dataclass
class Shares:
    """Shares of the states of videos (4,), and of the cases of utterances in videos with nothing wrong (4,)."""

    states: np.ndarray = field(default_factory=lambda: np.array([0.88, 0.02, 0.02, 0.08]))
    cases: np.ndarray = field(default_factory=lambda: np.array([0.94, 0.02, 0.02, 0.02]))

    def table(self) -> np.ndarray:
        """Return P(case | state), (4 states, 4 cases)."""
        table = np.full((4, 4), _SLIP / 3)
        np.fill_diagonal(table, 1 - _SLIP)
        table[0] = self.cases
        return table


def infer(
    audio: np.ndarray, visual: np.ndarray, video: np.ndarray, speaker: np.ndarray, shares: Shares, *,
    rounds: int = 6, concentration: float = 4.0, damping: float = 0.5,
) -> tuple[np.ndarray, Shares]:  # fmt: skip
    """Return P(case) per utterance, (n, 4), and the estimated shares.

    Parameters
    ----------
    audio, visual
        Log likelihood ratios for "right", (n,); 0 where a modality is missing.
    video, speaker
        Codes from 0, (n,).
    concentration
        How many videos the corpus's shares count against a speaker's own.
    damping
        Utterances of a video share their channel, so their evidence on the video is not independent: that of n counts
        like n ** damping.
    """
    # log p(evidence | case), up to what all cases share.
    loglik = audio[:, None] * (1 - CASES[:, 0]) + visual[:, None] * (1 - CASES[:, 1])
    count = np.bincount(video).astype(float)
    owner = np.zeros(len(count), np.int64)
    owner[video] = speaker
    temper = count ** (damping - 1)
    local = np.tile(shares.states, (len(count), 1))
    cases = np.zeros((len(video), 4))
    for _ in range(rounds):
        log_table = np.log(shares.table())
        evidence = np.empty((len(count), 4))
        for g in range(4):
            by_state = np.logaddexp.reduce(loglik + log_table[g], axis=1)
            evidence[:, g] = np.bincount(video, weights=by_state, minlength=len(count))
        state = _softmax(np.log(local) + evidence * temper[:, None])
        cases[:] = 0.0
        for g in range(4):
            part = state[video, g, None] * _softmax(loglik + log_table[g])
            cases += part
            if g == 0:
                in_good_videos = part.sum(axis=0)
        shares = Shares(_share(state.sum(axis=0)), _share(in_good_videos))
        # A speaker's own shares, without the video that is being judged.
        own = np.stack([np.bincount(owner, weights=state[:, g]) for g in range(4)], axis=1)[owner] - state
        local = (concentration * shares.states + own) / (concentration + own.sum(axis=1, keepdims=True))
        local = np.clip(local, 1e-4, None)
        local /= local.sum(axis=1, keepdims=True)
    return cases, shares


def _softmax(x: np.ndarray) -> np.ndarray:
    p = np.exp(x - x.max(axis=1, keepdims=True))
    return p / p.sum(axis=1, keepdims=True)


def _share(total: np.ndarray) -> np.ndarray:
    smoothed = total + np.array([2.0, 0.05, 0.05, 0.05])
    return smoothed / smoothed.sum()
