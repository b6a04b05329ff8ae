"""What people have decided, laid over what a method says: their decisions stand, and spread where they say so."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from avsieve.cleansing.anchors import Anchors, recalibrated
from avsieve.cleansing.result import Judgement
from avsieve.cleansing.scores import Scores
from avsieve.cleansing.suggestions import Suggestions
from avsieve.review.entry import Finding, ReviewError
from avsieve.review.table import Reviewed

MOST_FOREIGN = 0.01
"""Share of the rows that may name an utterance which is not in the list."""
SPREAD = "spread"
_SHOWN = 5
_LEAST = 0.01  # a condition that is less likely than this tells nothing of the other modality
_VALUES = {Finding.WRONG.value: 1.0, Finding.RIGHT.value: 0.0, Finding.UNSURE.value: np.nan}


@dataclass
class Review:
    """The reviews of n utterances.

    Attributes
    ----------
    audio, visual
        (n,) float64: 1 wrong, 0 right, NaN where nobody decided; with what was spread.
    decision
        (n,) object: the reviewers' word for it, ``spread`` where it comes from another clip of the video, else ``''``.
    reviewers
        (n,) int32: how many have looked at the utterance itself.
    speaker
        (n,) object: who it is, where the reviewers say so, else ``''``.
    anchors
        What was decided of the utterances themselves.
    facts
        Counts and examples, for ``summary.json``.
    """

    audio: np.ndarray
    visual: np.ndarray
    decision: np.ndarray
    reviewers: np.ndarray
    speaker: np.ndarray
    anchors: Anchors
    facts: dict[str, Any] = field(default_factory=dict)

    @property
    def decided(self) -> np.ndarray:
        """Which utterances have a decision about the voice or the face, (n,) bool."""
        return ~(np.isnan(self.audio) & np.isnan(self.visual))


def match(scores: Scores, rows: Sequence[Reviewed], where: str, list_sha256: str | None = None) -> Review:
    """Find the utterances that were reviewed, and spread what is to be spread.

    A decision spreads to the clips of the same label and video that were not reviewed themselves (``unsure`` is a
    review, too). Where two decisions that spread contradict each other about a modality, neither does for that one.

    Parameters
    ----------
    rows
        Of the table of reviews.
    where
        Its path, for messages.
    list_sha256
        The digest of ``train_all.txt``; rows that were made on a list with another one are counted.

    Raises
    ------
    ReviewError
        If more than `MOST_FOREIGN` of the rows name no utterance of the list.
    """
    import pandas as pd

    n = len(scores)
    found = pd.Index(scores.utterance).get_indexer([row.utterance for row in rows])
    foreign = [row.utterance for row, k in zip(rows, found.tolist(), strict=True) if k < 0]
    if len(foreign) > MOST_FOREIGN * len(rows):
        raise ReviewError(
            f"{where}: {len(foreign):,} of {len(rows):,} reviewed utterances are not in the list ({_few(foreign)}; the "
            f"list begins with {scores.utterance[0] if n else 'nothing'}); expected at most {MOST_FOREIGN:.0%}: is it "
            "a review of another corpus?"
        )
    there = [(row, int(k)) for row, k in zip(rows, found.tolist(), strict=True) if k >= 0]
    place = np.array([k for _, k in there], np.int64)
    audio, visual = np.full(n, np.nan), np.full(n, np.nan)
    decision, speaker = np.full(n, "", dtype=object), np.full(n, "", dtype=object)
    reviewers = np.zeros(n, np.int32)
    for row, k in there:
        audio[k], visual[k] = _VALUES[row.audio], _VALUES[row.visual]
        decision[k], speaker[k], reviewers[k] = row.decision, row.speaker, row.reviewers
    video = _videos(scores)
    anchors = Anchors(place, audio[place], visual[place], video[place])
    review = Review(audio, visual, decision, reviewers, speaker, anchors)
    spreading = [k for row, k in there if row.spread and not np.isnan([audio[k], visual[k]]).all()]
    spread, torn = _spread(review, spreading, video)
    known = set(scores.speakers)
    strangers = [f"{row.utterance} = {row.speaker}" for row, _ in there if row.speaker and row.speaker not in known]
    other = [row.utterance for row, _ in there if list_sha256 and set(row.list_sha256.split()) - {list_sha256}]
    review.facts = {
        "rows": len(rows),
        "utterances": len(there),
        "by_decision": dict(sorted(Counter(row.decision for row, _ in there).items())),
        "spread": spread,
        "disagreements": sum(row.disagreement for row, _ in there),
        "ties": sum(row.resolved == "tie" for row, _ in there),
        "foreign": _counted(foreign),
        "other_list": _counted(other),
        "unknown_speakers": _counted(strangers),
        "spread_conflicts": _counted([scores.utterance[k] for k in torn]),
    }
    return review


def _videos(scores: Scores) -> np.ndarray:
    """Return labels' videos as numbers, (n,) int64."""
    code = scores.video_code()
    return np.unique(code * max(len(scores.speakers), 1) + scores.speaker, return_inverse=True)[1].astype(np.int64)


def _spread(review: Review, spreading: list[int], video: np.ndarray) -> tuple[int, list[int]]:
    """Spread decisions in place; return to how many utterances, and a clip of each video that contradicts itself."""
    torn, count = [], 0
    of: dict[int, list[int]] = {}
    for k in spreading:
        of.setdefault(int(video[k]), []).append(k)
    order = np.argsort(video, kind="stable")
    ends = np.searchsorted(video[order], [[v, v + 1] for v in of]).reshape(-1, 2)
    for (first, last), sources in zip(ends.tolist(), of.values(), strict=True):
        others = order[first:last]
        others = others[review.decision[others] == ""]
        values = []
        for column in (review.audio, review.visual):
            said = {float(column[k]) for k in sources if not np.isnan(column[k])}
            values.append(said.pop() if len(said) == 1 else np.nan)
            if said:
                torn.append(sources[0])
        if np.isnan(values).all():
            continue
        names = {review.speaker[k] for k in sources}
        review.audio[others], review.visual[others] = values
        review.decision[others] = SPREAD
        review.speaker[others] = names.pop() if len(names) == 1 and 1.0 in values else ""
        count += len(others)
    return count, sorted(set(torn))


def with_review(machine: Judgement, review: Review) -> Judgement:
    """Return a method's judgement, recalibrated by what people have decided, with their decisions in place of it."""
    return overridden(recalibrated(machine, review.anchors), review)


def overridden(judgement: Judgement, review: Review) -> Judgement:
    """Return the judgement with what people have decided: 1 and 0; of the other modality, what follows from it.

    Of a modality that nobody decided the probability is that given the decision about the other one.
    """
    a, v, w = judgement.audio_wrong, judgement.visual_wrong, judgement.wrong
    A, V = review.audio, review.visual
    audio = np.where(~np.isnan(A), A, np.where(np.isnan(V), a, _given(V, v, a, w)))
    visual = np.where(~np.isnan(V), V, np.where(np.isnan(A), v, _given(A, a, v, w)))
    rest = np.fmax(audio, visual)  # one is known to be right: what is left is the other
    wrong = np.where(review.decided, np.where((A == 1) | (V == 1), 1.0, rest), w)
    sceptical = judgement.sceptical and overridden(judgement.sceptical, review)
    return replace(judgement, audio_wrong=audio, visual_wrong=visual, wrong=wrong, sceptical=sceptical)


def _given(known: np.ndarray, own: np.ndarray, other: np.ndarray, wrong: np.ndarray) -> np.ndarray:
    """Return the probability that the other modality is wrong, given that this one is (1) or is not (0), (n,)."""
    joint, condition = np.where(known == 1, own + other - wrong, wrong - own), np.where(known == 1, own, 1 - own)
    told = condition > _LEAST
    return np.where(told, np.clip(joint / np.where(told, condition, 1.0), 0.0, 1.0), other)


def named(suggestions: Suggestions, review: Review, scores: Scores, kind: np.ndarray) -> Suggestions:
    """Return the suggestions with those of the reviewers, for utterances whose ``kind`` (n,) is not empty."""
    position = {name: k for k, name in enumerate(scores.speakers)}
    speaker, probability = suggestions.speaker.copy(), suggestions.probability.copy()
    for k in np.flatnonzero((review.speaker != "") & (kind != "")).tolist():
        speaker[k] = position.get(review.speaker[k], -1)
        probability[k] = 1.0
    return Suggestions(speaker, probability)


def _counted(items: list[str]) -> dict[str, Any]:
    return {"count": len(items), "examples": items[:_SHOWN]}


def _few(items: list[str]) -> str:
    return ", ".join(items[:3])
