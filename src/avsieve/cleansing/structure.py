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
    rounds: int = 4, videos: float = 4.0, utterances: float = 20.0, damping: float = 0.5, learn: bool = True,
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
    learn
        Whether the corpus's shares are estimated from these utterances; else they stay what is given, and what is found
        of a speaker depends on the speaker's utterances alone.
    """
    count = np.bincount(video).astype(float)
    owner = np.zeros(len(count), np.int64)
    owner[video] = speaker
    temper = count ** (damping - 1)
    states, singles = np.log(shares.states)[None], shares.cases[:, None].repeat(len(count), axis=1)
    # p(evidence | state, case), up to what all share: exponentials are taken once, and rounds only multiply.
    voice, face = _likelihoods(audio), _likelihoods(visual)
    likely = [np.stack([voice[a, c] * face[v, d] for c, d in CASES]) for a, v in CASES]
    for _ in range(rounds):
        table = shares.table()[:, :, None]
        joint = [likely[0] * singles[:, video], *(likely[g] * table[g] for g in range(1, 4))]
        total = [x.sum(axis=0) for x in joint]
        evidence = np.stack([np.bincount(video, weights=np.log(t), minlength=len(count)) for t in total], axis=1)
        state = _softmax(states + evidence * temper[:, None])
        part = joint[0] * (state[video, 0] / total[0])
        good = np.stack([np.bincount(video, weights=x, minlength=len(count)) for x in part], axis=1)
        if learn:
            shares = Shares(_share(state.sum(axis=0)), _share(good.sum(axis=0)))
        states = np.log(_own_shares(state, owner, shares.states, videos))
        singles = _own_shares(good, owner, shares.cases, utterances).T.copy()
    cases = part
    settled = {m: part[CASES[:, i] == 0].sum(axis=0) for i, m in enumerate(("audio", "visual"))}
    for g in range(1, 4):
        part = joint[g] * (state[video, g] / total[g])
        cases += part
        for i, m in enumerate(settled):
            if not CASES[g, i]:
                settled[m] += part[CASES[:, i] == 0].sum(axis=0)
    return Inference(cases.T.copy(), settled, shares)


def _likelihoods(x: np.ndarray) -> np.ndarray:
    """Return the exponentials of log likelihoods (n, 2, 2) as (2, 2, n), the largest of each n being 1."""
    flat = x.reshape(len(x), 4).T.copy()
    return np.exp(flat - flat.max(axis=0)).reshape(2, 2, len(x))


def _sums(x: np.ndarray, code: np.ndarray, count: int) -> np.ndarray:
    return np.stack([np.bincount(code, weights=column, minlength=count) for column in x.T], axis=1)


def _own_shares(x: np.ndarray, owner: np.ndarray, corpus: np.ndarray, weight: float) -> np.ndarray:
    """Return each speaker's shares, per video and without what the video itself contributes."""
    others = _sums(x, owner, int(owner.max()) + 1)[owner] - x
    own = np.clip((weight * corpus + others) / (weight + others.sum(axis=1, keepdims=True)), 1e-5, None)
    return own / own.sum(axis=1, keepdims=True)


def _softmax(x: np.ndarray) -> np.ndarray:
    p = np.exp(x - x.max(axis=1, keepdims=True))
    return p / p.sum(axis=1, keepdims=True)


def _share(total: np.ndarray) -> np.ndarray:
    smoothed = total + np.array([2.0, 0.05, 0.05, 0.05])
    return smoothed / smoothed.sum()
