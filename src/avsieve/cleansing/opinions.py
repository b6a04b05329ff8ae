"""What is known of a list's precision and recall from several sides, each an opinion, and the pool of them.

`avsieve.cleansing.audit` derives them, `avsieve.cleansing.opinion_pool` says how they are pooled.
"""

from __future__ import annotations

import numpy as np

from avsieve.cleansing.audit_sample import Sample
from avsieve.cleansing.cleansed import Cleansed
from avsieve.cleansing.opinion_pool import pooled

_SURE = 0.9  # probability above which a flagged utterance is surely flagged
_TYPICAL = 0.95  # share of the injected whose z lies below the limit
_ALIKE = 1.0  # so much larger z may be of lookalikes closer than any that could be injected


def figures(sample: Sample, z_own: np.ndarray, z_injected: np.ndarray) -> dict[str, np.ndarray]:
    """Return draws of precision, recall and F1; none where there is nothing to tell.

    Parameters
    ----------
    z_own, z_injected
        How much an utterance's label is like it, of both lists (`avsieve.cleansing.likeness`).
    """
    precision, recall = _precision(sample, z_own, z_injected), _recall(sample)
    if not len(precision) or not len(recall):
        return {"precision": precision, "recall": recall, "f1": np.zeros(0)}
    both = sample.rng.choice(recall, size=len(precision))
    return {"precision": precision, "recall": recall, "f1": 2 * precision * both / np.maximum(precision + both, 1e-9)}


def _recall(sample: Sample) -> np.ndarray:
    """Return the pooled draws of the list's recall."""
    if not sample.weight:
        return np.zeros(0)
    flagged = sample.after.decisions.noisy
    found = np.add.reduce([w * sample.share(flagged, sample.known, k) for k, w in sample.weight.items()])
    noisy = sample.before.decisions.noisy
    # Where nothing seems wrong there is no outcome: it is the recall that errors like the injected would have.
    trials = _videos(sample.before, noisy) if noisy.any() else _videos(sample.after, sample.known)
    return pooled([found, _promised(sample)], trials, sample.rng, outcome=bool(noisy.any()))


def _precision(sample: Sample, z_own: np.ndarray, z_injected: np.ndarray) -> np.ndarray:
    """Return the pooled draws of the list's precision; empty where nothing is flagged."""
    before, after = sample.before, sample.after
    if not before.decisions.noisy.any() or not sample.weight:
        return np.zeros(0)
    p, injected_p = (np.nan_to_num(x.decisions.probability) for x in (before, after))
    all_own, all_injected = np.ones(len(p), bool), np.ones(len(injected_p), bool)
    sure = _ratio(sample, p > _SURE, injected_p > _SURE, all_own, all_injected)
    known = ~np.isnan(z_injected)
    limit = np.quantile(z_injected[known], _TYPICAL) + _ALIKE if known.any() else np.nan
    like_anybody = _ratio(sample, z_own <= limit, z_injected <= limit, ~np.isnan(z_own), known)
    if not before.judgement.calibrated:
        sure = np.full(len(sure), 1.0)  # yes and no have no order
    sure = np.minimum(sure[np.isfinite(sure)], 1.0)
    like_anybody = like_anybody[np.isfinite(like_anybody)]
    smaller = np.minimum(np.resize(like_anybody, len(sure)), sure) if len(like_anybody) else sure
    opinions = [sure, smaller, _promised(sample, before.decisions.noisy)] if before.judgement.calibrated else [smaller]
    return pooled(opinions, _videos(before, before.decisions.noisy), sample.rng)


def _videos(side: Cleansed, rows: np.ndarray) -> int:
    """Return the number of videos of ``rows`` (n,) bool: utterances of a video share their fate."""
    return len(np.unique(side.scores.video_code()[rows]))


def _promised(sample: Sample, of: np.ndarray | None = None) -> np.ndarray:
    """Return the share of the probabilities that is flagged, by both readings of the data.

    It is the share of ``of`` (n,), or of all that is thought wrong; empty where nothing is promised.
    """
    decisions = sample.before.decisions
    if not sample.before.judgement.calibrated or not decisions.noisy.any():
        return np.zeros(0)
    shares = []
    for reading in (decisions.probability, decisions.sceptical):
        p = np.nan_to_num(reading)
        with np.errstate(divide="ignore", invalid="ignore"):
            share = sample.sums("own", np.where(decisions.noisy, p, 0)) / sample.sums("own", p if of is None else of)
        shares.append(share[np.isfinite(share)])
    return np.concatenate(shares)


def _ratio(
    sample: Sample, own: np.ndarray, injected: np.ndarray, valid: np.ndarray, valid_injected: np.ndarray
) -> np.ndarray:
    """Return share(E | flagged) over share(E | flagged and wrong), (1 + draws,)."""
    flagged = sample.before.decisions.noisy & valid
    hit = sample.after.decisions.noisy & sample.known & valid_injected
    called = sample.sums("own", flagged)
    if not hit.any():
        return np.full(len(sample.times), np.nan)
    with np.errstate(divide="ignore", invalid="ignore"):
        wrong = np.add.reduce(
            [sample.sums("own", flagged & (sample.found_kind == k)) / called * sample.share(injected, hit, k)
             for k in sample.weight]
        )  # fmt: skip
        return np.asarray(sample.sums("own", own & flagged) / called / wrong)
