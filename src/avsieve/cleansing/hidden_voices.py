"""How many voices in which two people are heard a list may hide, and what its recall is if it does.

The embedding of such a voice lies between two people, and where the label's is one of them it looks like a right one of
a bad recording. So what is not flagged does not tell how many there are; but it tells how many there can be at most.
For any event E, those that are not flagged and have E are at least as many as the mixed ones among them:

    hidden <= count(E, not flagged) / share(E | mixed, not flagged),

and mixed voices that were injected tell the share (the largest proportion of a known component in a mixture: Blanchard,
Lee and Scott, Journal of Machine Learning Research 11, 2010). The event is "the score is above the median of the mixed
ones". The score tells mixed voices from those that are not flagged; a logistic regression learns it from half of the
speakers for the others, from few similarities. With more of these, or further out, an event would also tell injected
voices from the list's own by the way in which they were made, and the bound would be too low.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from avsieve.cleansing.audit_sample import Sample
from avsieve.cleansing.cleansed import Cleansed
from avsieve.cleansing.logistic import Regression
from avsieve.cleansing.opinion_pool import interval

_ENOUGH = 10  # hidden mixed voices to learn from
_RIDGE = 1.0


def mixed_voices(sample: Sample, recall: np.ndarray) -> dict[str, Any] | None:
    """Tell what is found of mixed voices, and the recall if the list hides some.

    Parameters
    ----------
    recall
        Draws of the recall of everything else.

    Returns
    -------
    dict or None
        ``found``, the share of the injected ones that is flagged; ``hidden_at_most``, how many the list may hide; and
        ``recall`` (value, low, high) if any number of them, up to all, is as likely. The last two are None where fewer
        than ten stay hidden or nothing is flagged; all is None where none was injected.
    """
    before, noisy, mixed = sample.before, sample.after.decisions.noisy, sample.mixed
    if not mixed.any():
        return None
    hidden, quiet = mixed & ~noisy, (sample.kind == "") & ~noisy & sample.after.scores.audio.present
    found: dict[str, Any] = {"found": float(noisy[mixed].mean()), "hidden_at_most": None, "recall": None}
    if hidden.sum() < _ENOUGH or not before.decisions.noisy.any() or not len(recall):
        return found
    most = _at_most(sample, hidden, quiet)
    p = np.nan_to_num(before.decisions.probability)
    hits = sample.sums("own", np.where(before.decisions.noisy, p, 0))
    some = sample.rng.integers(len(most), size=len(recall))
    more = sample.rng.random(len(recall)) * most[some] / np.maximum(hits[some], 1e-9)
    return found | {
        "hidden_at_most": float(np.median(most)),
        "recall": interval(1 / (1 / np.maximum(recall, 1e-9) + more)),
    }


def _at_most(sample: Sample, hidden: np.ndarray, quiet: np.ndarray) -> np.ndarray:
    """Return draws (1 + draws,) of the largest number of mixed voices that the list can hide."""
    score = _scores(sample.after, hidden, quiet)
    event = score >= np.median(score[hidden])
    hits, misses = (sample.sums("injected", hidden & of) for of in (event, ~event))
    bound = sample.sums("injected", quiet & event) / sample.rng.beta(hits + 0.5, misses + 0.5)
    # Donors and what was broken are no part of these.
    rest = max(int((sample.kind == "").sum()), 1)
    return np.asarray(bound * len(sample.before.decisions.noisy) / rest)


def _scores(after: Cleansed, hidden: np.ndarray, quiet: np.ndarray) -> np.ndarray:
    """Return log odds (n,) of being ``hidden`` rather than ``quiet`` (n,) bool, learned from other speakers."""
    video, speaker = after.scores.video_code(), after.scores.speaker
    e = after.scores.learned["audio"]
    near, other, agreement = (np.nan_to_num(x).astype(float) for x in (e.similarity, e.other[:, 0], e.agreement))
    rest = (np.bincount(video, weights=near)[video] - near) / np.maximum(np.bincount(video)[video] - 1, 1)
    x = np.stack([near, other, agreement, near - rest], axis=1)
    x = np.concatenate([x, x**2], axis=1)
    half = np.random.default_rng(0).permutation(len(after.scores.speakers))[speaker] % 2 == 0
    score = np.zeros(len(x))
    for learn in (half, ~half):
        rows = np.flatnonzero((hidden | quiet) & learn)
        is_hidden = hidden[rows]
        weights = np.where(is_hidden, 0.5 / max(is_hidden.sum(), 1), 0.5 / max((~is_hidden).sum(), 1)) * len(rows)
        score[~learn] = Regression(x[rows], is_hidden.astype(int)).fit(weights, ridge=_RIDGE)(x[~learn])[:, 0]
    return score
