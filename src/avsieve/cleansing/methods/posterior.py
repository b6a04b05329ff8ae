"""Joint evidence of both modalities, calibrated by the corpus itself: the default.

Ours. Similarities to robust leave-one-video-out centres and the competition with the nearest other speaker become a
likelihood ratio per modality (`avsieve.cleansing.likelihood`); the videos' structure joins both modalities and all
utterances of a video (`avsieve.cleansing.structure`). Beliefs and ratios are re-estimated in turn, so nothing is tuned
on truth and the rate of noise need not be known.
"""

from __future__ import annotations

import numpy as np

from avsieve.cleansing.judgement import Judgement
from avsieve.cleansing.likelihood import fit, real_examples, wrong_examples
from avsieve.cleansing.scores import Evidence, Scores
from avsieve.cleansing.streams import MODALITIES
from avsieve.cleansing.structure import Shares, infer

_KINDS_OF_WRONG = np.array([0.5, 0.35, 0.15])


def judge(scores: Scores, *, rounds: int = 4, seed: int = 0) -> Judgement:
    """Return calibrated probabilities.

    Parameters
    ----------
    rounds
        How often likelihoods and beliefs are re-estimated.
    """
    video, speaker = scores.video_code(), scores.speaker.astype(np.int64)
    belief = {m: _first_belief(scores.evidence[m]) for m in MODALITIES}
    shares = Shares()
    cases = np.zeros((len(scores), 4))
    rng = np.random.default_rng(seed)
    wrong = {m: wrong_examples(scores.evidence[m], rng) for m in MODALITIES}
    real = {m: real_examples(scores.evidence[m]) for m in MODALITIES}
    for _ in range(rounds):
        ratio = {}
        for m in MODALITIES:
            usable = scores.evidence[m].present & ~np.isnan(real[m].similarity) & ~np.isnan(wrong[m][0].similarity)
            if usable.sum() < 20:
                ratio[m] = np.zeros(len(scores))
                continue
            ratio[m] = fit(real[m], belief[m], wrong[m], _KINDS_OF_WRONG, seed)(real[m])
        cases, shares = infer(ratio["audio"], ratio["visual"], video, speaker, shares)
        belief = {"audio": cases[:, 0] + cases[:, 2], "visual": cases[:, 0] + cases[:, 1]}
    audio, visual = (np.where(scores.evidence[m].present, 1 - belief[m], np.nan) for m in MODALITIES)
    either = np.where(np.isnan(audio), visual, np.where(np.isnan(visual), audio, 1 - cases[:, 0]))
    facts = {"video_shares": shares.states.round(5).tolist(), "utterance_shares": shares.cases.round(5).tolist()}
    return Judgement(audio, visual, either, calibrated=True, facts=facts)


def _first_belief(e: Evidence) -> np.ndarray:
    """Place each similarity between the impostors' and the better half of the corpus's own."""
    known = e.similarity[~np.isnan(e.similarity)]
    wrong = e.foreign[~np.isnan(e.foreign)]
    if len(known) < 2 or len(wrong) < 2:
        return np.ones(len(e.similarity))
    low, high = float(np.median(wrong)), float(np.quantile(known, 0.85))
    z = (np.nan_to_num(e.similarity) - (low + high) / 2) / max(high - low, 1e-3)
    return 1 / (1 + np.exp(-np.clip(12 * z, -30, 30)))
