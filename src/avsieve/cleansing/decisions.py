"""From probabilities to decisions: a policy and a threshold, nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from avsieve.cleansing.judgement import Judgement
from avsieve.cleansing.scores import Scores
from avsieve.errors import ConfigError

POLICIES = ("either", "audio", "visual", "both")


class DecisionReason(StrEnum):
    """Why an utterance is kept or not: a closed set."""

    OK = "ok"
    WRONG_VIDEO = "wrong_video"
    WRONG_AUDIO = "wrong_audio"
    WRONG_VISUAL = "wrong_visual"
    NO_EMBEDDING = "no_embedding"
    SINGLE_UTTERANCE_SPEAKER = "single_utterance_speaker"


_REASONS = {
    "video": DecisionReason.WRONG_VIDEO,
    "audio": DecisionReason.WRONG_AUDIO,
    "visual": DecisionReason.WRONG_VISUAL,
}


@dataclass
class Decisions:
    """Decisions (n,): ``clean`` bool; ``kind`` what is most likely wrong (``''``, ``video``, ``audio``, ``visual``).

    ``probability`` is that of the event which the policy asks about; NaN where it cannot be known.
    """

    clean: np.ndarray
    kind: np.ndarray
    probability: np.ndarray
    reason: np.ndarray


def decide(scores: Scores, judgement: Judgement, policy: str = "either", threshold: float = 0.5) -> Decisions:
    """Flag every utterance whose probability under ``policy`` is above ``threshold``.

    Parameters
    ----------
    policy
        ``either``: voice or face is wrong; ``audio``, ``visual``: that one is wrong; ``both``: both are.
    threshold
        Probability, 0 to 1.

    Notes
    -----
    An utterance without any embedding is never clean, nor is one without the modality that the policy is about. One
    that lacks the other modality is judged by what it has. A speaker's only utterance cannot be judged and is kept.
    """
    if policy not in POLICIES:
        raise ConfigError(f"policy {policy!r}; expected one of {', '.join(POLICIES)}")
    if not 0 <= threshold <= 1:
        raise ConfigError(f"threshold {threshold}; expected a probability, 0 to 1")
    probability = {
        "either": judgement.wrong,
        "audio": judgement.audio_wrong,
        "visual": judgement.visual_wrong,
        "both": judgement.both_wrong,
    }[policy]
    absent = np.isnan(probability)
    kind = kinds(judgement)
    noisy = np.nan_to_num(probability, nan=1.0) > threshold
    reason = np.full(len(scores), DecisionReason.OK.value, dtype=object)
    for name, code in _REASONS.items():
        reason[noisy & (kind == name)] = code.value
    alone = (
        (scores.audio.present | scores.visual.present)
        & np.isnan(scores.audio.similarity)
        & np.isnan(scores.visual.similarity)
    )
    noisy &= ~alone
    reason[alone] = DecisionReason.SINGLE_UTTERANCE_SPEAKER.value
    reason[absent & ~alone] = DecisionReason.NO_EMBEDDING.value
    noisy |= absent & ~alone
    kind = np.where(noisy & ~absent, kind, "")
    return Decisions(~noisy, kind, probability, reason)


def kinds(judgement: Judgement) -> np.ndarray:
    """Return what is wrong if anything is: ``video`` (both), ``audio`` or ``visual``, whichever is most probable."""
    a, v = np.nan_to_num(judgement.audio_wrong), np.nan_to_num(judgement.visual_wrong)
    both = np.nan_to_num(judgement.both_wrong)
    only_audio, only_visual = np.clip(a - both, 0, None), np.clip(v - both, 0, None)
    stacked = np.stack([both, only_audio, only_visual], axis=1)
    # With one modality there is no "both": name the one that was judged.
    stacked[np.isnan(judgement.visual_wrong)] = [0.0, 1.0, 0.0]
    stacked[np.isnan(judgement.audio_wrong)] = [0.0, 0.0, 1.0]
    return np.array(["video", "audio", "visual"], dtype=object)[stacked.argmax(axis=1)]


def expected(decisions: Decisions) -> dict[str, float | None]:
    """Return the precision, recall and F1 that the probabilities promise for these decisions.

    Each is None where nothing was flagged or nothing is thought to be wrong.
    """
    known = ~np.isnan(decisions.probability)
    p, flagged = decisions.probability[known], ~decisions.clean[known]
    hit, wrong = float(p[flagged].sum()), float(p.sum())
    precision = hit / flagged.sum() if flagged.any() else None
    recall = hit / wrong if wrong > 0 else None
    f1 = 2 * hit / (float(flagged.sum()) + wrong) if flagged.any() else None
    return {"precision": precision, "recall": recall, "f1": f1, "wrong": wrong}
