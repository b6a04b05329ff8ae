"""Whose the wrong utterances are, and which labels are one person.

An utterance that is somebody else's in the set is as similar to that speaker as right utterances are to theirs, and far
more than to the runner-up; one from outside the set is not. Both look-alikes are in the table: right utterances under
their own label, and right utterances against the nearest other speaker.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from avsieve.cleansing.inputs import MODALITIES
from avsieve.cleansing.likelihood import Examples, features, regression
from avsieve.cleansing.scores import Evidence, Scores

_SAMPLE = 20_000


@dataclass
class Suggestions:
    """Per utterance (n,): ``speaker`` row of ``Scores.speakers`` or -1, ``probability`` that it is the right one."""

    speaker: np.ndarray
    probability: np.ndarray


@dataclass
class Merge:
    """Two labels that look like one person; ``likeness`` is 1 where each resembles the other as much as itself."""

    first: str
    second: str
    likeness: float


def suggest(scores: Scores, right: np.ndarray, kind: np.ndarray, *, least: float = 0.5) -> Suggestions:
    """Suggest a speaker for utterances whose ``kind`` is not empty.

    Parameters
    ----------
    right
        Probability (n,) that nothing is wrong with the utterance.
    kind
        ``video``, ``audio``, ``visual`` or ``''`` (n,): which modality is to be looked up.
    least
        Smallest probability for which a speaker is named.
    """
    speaker = np.full(len(scores), -1, np.int32)
    probability = np.full(len(scores), np.nan)
    own = np.nanmean(_masked(np.stack([scores.learned[m].similarity for m in MODALITIES])), axis=0).filled(np.nan)
    tables = {"video": (own, scores.joint, scores.joint_speaker)}
    for m in MODALITIES:
        e = scores.learned[m]
        tables[m] = (e.similarity, e.other, e.other_speaker)
    for name, (similarity, other, candidate) in tables.items():
        rows = np.flatnonzero((kind == name) & (candidate[:, 0] >= 0))
        usable = ~np.isnan(similarity) & ~np.isnan(other[:, 1])
        if not len(rows) or (usable & (right > 0.5)).sum() < 20:
            continue
        theirs, nobody = Examples(similarity, other[:, 0]), Examples(other[:, 0], other[:, 1])
        learn = np.flatnonzero(usable & (right > 0.5))
        if len(learn) > _SAMPLE:
            learn = np.sort(np.random.default_rng(0).choice(learn, _SAMPLE, replace=False))
        ratio = regression([nobody.take(learn), theirs.take(learn)], [0, 1]).fit(np.ones(2 * len(learn)))
        p = 1 / (1 + np.exp(-np.clip(ratio(features(nobody.take(rows)))[:, 0], -30, 30)))
        probability[rows] = p
        speaker[rows[p >= least]] = candidate[rows[p >= least], 0]
    return Suggestions(speaker, np.where(speaker >= 0, probability, np.nan))


def find_merges(scores: Scores, right: np.ndarray, *, least: float = 0.8, share: float = 0.5) -> list[Merge]:
    """Find pairs of labels that look like one person in every modality present.

    ``likeness`` is the similarity of the right utterances to the other's centre, on a scale where 0 is a foreign
    speaker and 1 the own one. Both labels must name each other as nearest for at least ``share`` of their right
    utterances.
    """
    own = np.nanmean(_masked(np.stack([scores.learned[m].similarity for m in MODALITIES])), axis=0).filled(np.nan)
    foreign = np.nanmean(_masked(np.stack([scores.learned[m].foreign for m in MODALITIES])), axis=0).filled(np.nan)
    good = (right > 0.5) & ~np.isnan(own) & ~np.isnan(scores.joint[:, 0])
    if not good.any() or np.isnan(foreign).all():
        return []
    zero = float(np.nanmean(foreign))
    count = len(scores.speakers)
    total = np.bincount(scores.speaker[good], minlength=count)
    pair = scores.speaker[good].astype(np.int64) * count + scores.joint_speaker[good, 0]
    keys, inverse, times = np.unique(pair, return_inverse=True, return_counts=True)
    theirs = np.bincount(inverse, weights=scores.joint[good, 0]) / times
    mine = np.bincount(inverse, weights=own[good]) / times
    likeness = (theirs - zero) / np.maximum(mine - zero, 1e-6)
    enough = times >= share * total[keys // count]
    found = {int(k): float(x) for k, x, e in zip(keys, likeness, enough, strict=True) if e and x >= least}
    merges = []
    for key, x in found.items():
        a, b = divmod(key, count)
        if a < b and (y := found.get(b * count + a)) is not None:
            merges.append(Merge(scores.speakers[a], scores.speakers[b], round((x + y) / 2, 4)))
    return sorted(merges, key=lambda m: -m.likeness)


def without_twins(scores: Scores, modality: str, merges: list[Merge]) -> Evidence:
    """Return the evidence of a modality with an utterance's label's twins taken out of the competition."""
    e = scores.learned[modality]
    if not merges:
        return e
    position = {s: i for i, s in enumerate(scores.speakers)}
    pairs = [(position[m.first], position[m.second]) for m in merges]
    count = len(scores.speakers)
    twins = np.array([k for a, b in pairs for k in (a * count + b, b * count + a)])
    key = scores.speaker.astype(np.int64)[:, None] * count + e.other_speaker
    listed = np.isin(key, twins) & (e.other_speaker >= 0)
    # Twins go to the end of the list; what is left moves up.
    order = np.argsort(listed, axis=1, kind="stable")
    other = np.take_along_axis(np.where(listed, np.nan, e.other), order, axis=1)
    speaker = np.take_along_axis(np.where(listed, -1, e.other_speaker), order, axis=1)
    return replace(e, other=other, other_speaker=speaker)


def _masked(x: np.ndarray) -> np.ma.MaskedArray:
    return np.ma.masked_invalid(x)
