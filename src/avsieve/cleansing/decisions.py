"""From probabilities to decisions: a policy and a threshold, nothing else.

Two things keep an utterance out of the cleansed list, and they are not the same: its label is believed wrong
(``noisy``), or it lacks a voice or a face that training needs (``incomplete``). Only the first is a finding about
labels; precision, recall and warnings of wrong speakers count nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np

from avsieve.cleansing.inputs import MODALITIES
from avsieve.cleansing.policy import check_policy, check_threshold
from avsieve.cleansing.result import Judgement
from avsieve.cleansing.scores import Scores


class Decision(StrEnum):
    """What becomes of an utterance: a closed set."""

    CLEAN = "clean"
    NOISY = "noisy"
    INCOMPLETE = "incomplete"


class DecisionReason(StrEnum):
    """Why an utterance is kept or not: a closed set."""

    OK = "ok"
    WRONG_VIDEO = "wrong_video"
    WRONG_AUDIO = "wrong_audio"
    WRONG_VISUAL = "wrong_visual"
    NO_AUDIO = "no_audio"
    NO_VISUAL = "no_visual"
    NO_EMBEDDING = "no_embedding"
    EMBEDDING_NOT_FINITE = "embedding_not_finite"
    SINGLE_UTTERANCE_SPEAKER = "single_utterance_speaker"
    NOT_JUDGED = "not_judged"
    REVIEWED = "reviewed"


REASON_WORDS = {
    DecisionReason.OK: "nothing found",
    DecisionReason.WRONG_VIDEO: "voice and face are another person's",
    DecisionReason.WRONG_AUDIO: "the voice is another person's",
    DecisionReason.WRONG_VISUAL: "the face is another person's",
    DecisionReason.NO_AUDIO: "no embedding of the voice",
    DecisionReason.NO_VISUAL: "no embedding of the face",
    DecisionReason.NO_EMBEDDING: "no embedding at all",
    DecisionReason.EMBEDDING_NOT_FINITE: "an embedding is NaN, infinite or zero",
    DecisionReason.SINGLE_UTTERANCE_SPEAKER: "the speaker has no other utterance; kept",
    DecisionReason.NOT_JUDGED: "too little data to judge; kept",
    DecisionReason.REVIEWED: "a reviewer has decided",
}
_WRONG = {
    "video": DecisionReason.WRONG_VIDEO,
    "audio": DecisionReason.WRONG_AUDIO,
    "visual": DecisionReason.WRONG_VISUAL,
}
_LACKING = {"audio": DecisionReason.NO_AUDIO, "visual": DecisionReason.NO_VISUAL}


@dataclass
class Decisions:
    """Decisions (n,).

    ``noisy`` bool: the label is believed wrong. ``incomplete`` bool: it is not, but something that training needs is
    missing. ``kind`` what is most likely wrong with a noisy one (``video``, ``audio``, ``visual``; else ``''``).
    ``probability`` is that of the event which the policy asks about; NaN where it was not judged. ``usable`` has, per
    modality, what a training on this modality alone may take. ``sceptical`` is the probability by the other reading of
    what the data leave open (`avsieve.cleansing.result.Judgement`), the same where there is none.
    """

    noisy: np.ndarray
    incomplete: np.ndarray
    kind: np.ndarray
    probability: np.ndarray
    reason: np.ndarray
    usable: dict[str, np.ndarray]
    sceptical: np.ndarray

    @property
    def clean(self) -> np.ndarray:
        """What is believed right and has all that training needs, (n,) bool."""
        return ~(self.noisy | self.incomplete)

    @property
    def decision(self) -> np.ndarray:
        """Values of `Decision`, (n,) object."""
        names = np.full(len(self.noisy), Decision.CLEAN.value, dtype=object)
        names[self.incomplete] = Decision.INCOMPLETE.value
        names[self.noisy] = Decision.NOISY.value
        return names


def needed_modalities(scores: Scores, policy: str) -> tuple[str, ...]:
    """Return what an utterance must have to be trained on: the policy's modality, or all that anybody has."""
    return (policy,) if policy in MODALITIES else tuple(m for m in MODALITIES if scores.evidence[m].present.any())


def decide(
    scores: Scores, judgement: Judgement, policy: str, threshold: float, reviewed: np.ndarray | None = None
) -> Decisions:
    """Flag every utterance whose probability under ``policy`` is above ``threshold``.

    Parameters
    ----------
    policy
        ``either``: voice or face is wrong; ``audio``, ``visual``: that one is wrong; ``both``: both are.
    threshold
        Probability, 0 to 1.
    reviewed
        Utterances (n,) bool that people have decided about. Where their decision settles what the policy asks, the
        reason is ``reviewed`` and the threshold does not matter.

    Raises
    ------
    ConfigError
        If there is no such policy, nobody has the modality that it is about, or the threshold is no probability.

    Notes
    -----
    An utterance that lacks one modality is judged by the other: it is noisy where that one is, else incomplete. What
    could not be judged (a speaker's only utterance, too few speakers) is kept, and has a reason.
    """
    check_policy(policy, [m for m in MODALITIES if scores.evidence[m].present.any()])
    check_threshold(threshold)
    of = {"audio": judgement.audio_wrong, "visual": judgement.visual_wrong}
    probability = _asked(judgement, policy)
    needed = needed_modalities(scores, policy)
    present = {m: scores.evidence[m].present for m in MODALITIES}
    something = present["audio"] | present["visual"]
    lacks = {m: ~present[m] for m in needed}
    lacking = np.logical_or.reduce([~something, *lacks.values()])
    by_person = np.zeros(len(scores), bool) if reviewed is None else reviewed
    noisy = _exceeds(probability, threshold, by_person)
    alone = something & np.isnan(scores.audio.similarity) & np.isnan(scores.visual.similarity)

    # From what matters least to what matters most.
    reason = np.full(len(scores), DecisionReason.OK.value, dtype=object)
    reason[np.isnan(probability)] = DecisionReason.NOT_JUDGED.value
    reason[alone] = DecisionReason.SINGLE_UTTERANCE_SPEAKER.value
    settled = by_person & ((probability == 0) | (probability == 1))
    reason[settled] = DecisionReason.REVIEWED.value
    for m, absent in lacks.items():
        reason[absent] = _LACKING[m].value
    reason[~something] = DecisionReason.NO_EMBEDDING.value
    for m, absent in lacks.items():
        reason[absent & scores.evidence[m].not_finite] = DecisionReason.EMBEDDING_NOT_FINITE.value
    kind = np.full(len(scores), "", dtype=object)
    kind[noisy] = kinds(judgement, noisy)
    for name, code in _WRONG.items():
        reason[kind == name] = code.value
    reason[settled & noisy] = DecisionReason.REVIEWED.value
    usable = {m: present[m] & ~_exceeds(of[m], threshold, by_person) for m in MODALITIES}
    sceptical = _asked(judgement.sceptical or judgement, policy)
    return Decisions(noisy, lacking & ~noisy, kind, probability, reason, usable, sceptical)


def _exceeds(probability: np.ndarray, threshold: float, by_person: np.ndarray) -> np.ndarray:
    """Tell what is above the threshold, (n,) bool; what people call wrong is, whatever the threshold."""
    return (np.nan_to_num(probability, nan=-1.0) > threshold) | (by_person & (probability == 1))


def _asked(judgement: Judgement, policy: str) -> np.ndarray:
    """Return the probability of what a policy asks about, (n,)."""
    of = {"audio": judgement.audio_wrong, "visual": judgement.visual_wrong}
    return {"either": judgement.wrong, "both": judgement.both_wrong, **of}[policy]


def kinds(judgement: Judgement, rows: np.ndarray) -> np.ndarray:
    """Return what is most likely wrong with ``rows``: ``video`` (both), ``audio`` or ``visual``."""
    audio, visual = judgement.audio_wrong[rows], judgement.visual_wrong[rows]
    a, v = np.nan_to_num(audio), np.nan_to_num(visual)
    both = np.nan_to_num(judgement.both_wrong[rows])
    only_audio, only_visual = np.clip(a - both, 0, None), np.clip(v - both, 0, None)
    stacked = np.stack([both, only_audio, only_visual], axis=1)
    # With one modality there is no "both": name the one that was judged.
    stacked[np.isnan(visual)] = [0.0, 1.0, 0.0]
    stacked[np.isnan(audio)] = [0.0, 0.0, 1.0]
    return np.array(["video", "audio", "visual"], dtype=object)[stacked.argmax(axis=1)]


def expected(decisions: Decisions) -> dict[str, Any]:
    """Return the precision, recall and F1 that the probabilities promise for what was found noisy.

    The figures are those of the reading that decides. The data leave open whether what lies far off is wrong: ``range``
    has for each what either reading says, lowest first. Each is None where nothing was flagged or nothing is thought to
    be wrong.
    """
    known = ~np.isnan(decisions.probability)
    flagged = decisions.noisy[known]
    p, sceptical = decisions.probability[known], decisions.sceptical[known]
    readings = [_promised(p, flagged), _promised(sceptical, flagged)]
    ranges = {name: sorted(x for r in readings if (x := r[name]) is not None) or None for name in readings[0]}
    return {**readings[0], "range": ranges}


def _promised(p: np.ndarray, flagged: np.ndarray) -> dict[str, float | None]:
    hit, wrong = float(p[flagged].sum()), float(p.sum())
    precision = hit / float(flagged.sum()) if flagged.any() else None
    recall = hit / wrong if wrong > 0 else None
    f1 = 2 * hit / (float(flagged.sum()) + wrong) if flagged.any() else None
    return {"precision": precision, "recall": recall, "f1": f1, "wrong": wrong}
