"""Errors come in videos: a face that was tracked wrongly is wrong in the whole video, a cut spoils one utterance.

Every video is in one of four states: nothing wrong throughout, the voice, the face, or both wrong throughout. Given the
state, its utterances are independent. The shares of the states, and of single errors in good videos, are estimated by
EM; every speaker has shares of its own of both, drawn towards those of the corpus, since errors are unevenly spread.
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

    states: np.ndarray = field(default_factory=lambda: np.array([0.94, 0.01, 0.01, 0.04]))
    cases: np.ndarray = field(default_factory=lambda: np.array([0.94, 0.02, 0.02, 0.02]))

    def table(self) -> np.ndarray:
        """Return P(case | state), (4 states, 4 cases)."""
        table = np.full((4, 4), _SLIP / 3)
        np.fill_diagonal(table, 1 - _SLIP)
        table[0] = self.cases
        return table


@dataclass
class Inference:
    """What `infer` finds: P(case) per utterance (n, 4), per modality P(utterance and video right) (n,), and shares."""

    cases: np.ndarray
    settled: dict[str, np.ndarray]
    shares: Shares


def infer(
    audio: np.ndarray, visual: np.ndarray, video: np.ndarray, speaker: np.ndarray, shares: Shares, *,
    rounds: int = 4, videos: float = 4.0, utterances: float = 20.0, damping: float = 0.5,
) -> Inference:  # fmt: skip
    """Judge the utterances of all videos together.

    Parameters
    ----------
    audio, visual
        Log likelihoods (n, 2, 2) by whether the video, and whether the utterance is wrong in the modality; 0 where it
        is missing.
    video, speaker
        Codes from 0, (n,).
    videos, utterances
        How many videos, and utterances in videos with nothing wrong, the corpus's shares count against a speaker's own.
    damping
        Utterances of a video share their channel, so their evidence on the video is not independent: that of n counts
        like n ** damping.
    """
    count = np.bincount(video).astype(float)
    owner = np.zeros(len(count), np.int64)
    owner[video] = speaker
    temper = count ** (damping - 1)
    states, singles = np.log(shares.states)[None], np.log(shares.cases)[None].repeat(len(count), axis=0)
    # log p(evidence | state, case), up to what all share.
    loglik = [audio[:, a][:, CASES[:, 0]] + visual[:, v][:, CASES[:, 1]] for a, v in CASES]
    for _ in range(rounds):
        prior = [singles[video], *np.log(shares.table())[1:]]
        evidence = np.empty((len(count), 4))
        for g in range(4):
            by_state = np.logaddexp.reduce(loglik[g] + prior[g], axis=1)
            evidence[:, g] = np.bincount(video, weights=by_state, minlength=len(count))
        state = _softmax(states + evidence * temper[:, None])
        cases = np.zeros((len(video), 4))
        settled = {m: np.zeros(len(video)) for m in ("audio", "visual")}
        for g in range(4):
            part = state[video, g, None] * _softmax(loglik[g] + prior[g])
            cases += part
            for i, m in enumerate(settled):
                if not CASES[g, i]:
                    settled[m] += part[:, CASES[:, i] == 0].sum(axis=1)
            if g == 0:
                good = _sums(part, video, len(count))
        shares = Shares(_share(state.sum(axis=0)), _share(good.sum(axis=0)))
        states = _own_shares(state, owner, shares.states, videos)
        singles = _own_shares(good, owner, shares.cases, utterances)
    return Inference(cases, settled, shares)


def _sums(x: np.ndarray, code: np.ndarray, count: int) -> np.ndarray:
    return np.stack([np.bincount(code, weights=column, minlength=count) for column in x.T], axis=1)


def _own_shares(x: np.ndarray, owner: np.ndarray, corpus: np.ndarray, weight: float) -> np.ndarray:
    """Return the log of each speaker's shares, per video and without what the video itself contributes."""
    others = _sums(x, owner, int(owner.max()) + 1)[owner] - x
    own = np.clip((weight * corpus + others) / (weight + others.sum(axis=1, keepdims=True)), 1e-5, None)
    return np.log(own / own.sum(axis=1, keepdims=True))


def _softmax(x: np.ndarray) -> np.ndarray:
    p = np.exp(x - x.max(axis=1, keepdims=True))
    return p / p.sum(axis=1, keepdims=True)


def _share(total: np.ndarray) -> np.ndarray:
    smoothed = total + np.array([2.0, 0.05, 0.05, 0.05])
    return smoothed / smoothed.sum()
