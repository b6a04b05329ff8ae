"""Pairs of utterances to calibrate on: people whom nothing else was learned from, targets across videos."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from avsieve.errors import AvsieveError
from avsieve.fusion.inputs import Inputs

_MOST = 200_000  # pairs of either sort
_HARD = 0.5  # share of the nontargets who are among the most similar people
_NEAREST = 10  # so many of the others
_BLOCK = 8192  # utterances at a time: pooled embeddings may lie in a file


class TooFewError(AvsieveError):
    """There are too few people, or utterances of them, to train on."""


def labels_of(speakers: Sequence[str]) -> tuple[list[str], np.ndarray]:
    """Return the speakers present, sorted, and each row's rank among them, (N,) int64."""
    names = sorted(set(speakers))
    rank = {name: i for i, name in enumerate(names)}
    return names, np.array([rank[s] for s in speakers], dtype=np.int64)


@dataclass(frozen=True)
class Pairs:
    """Rows of the inputs, (P,) each, and whether both are one person."""

    enrol: np.ndarray
    test: np.ndarray
    is_target: np.ndarray


def draw_pairs(inputs: Inputs, speakers: Sequence[str], rng: np.random.Generator, most: int = _MOST) -> Pairs:
    """Draw targets, from different videos, and as many nontargets, half of them of people who are alike.

    People are alike by the cosines of their mean embeddings, in either modality.

    Raises
    ------
    TooFewError
        If there are fewer than two people, or nobody is in two videos.
    """
    names, label = labels_of(speakers)
    video = pd.factorize(np.array([u.rsplit("/", 1)[0] for u in inputs.utterances], dtype=object))[0]
    there = inputs.audio.present | inputs.visual.present
    rows = np.flatnonzero(there)
    of = {k: rows[label[rows] == k] for k in range(len(names))}
    of = {k: mine for k, mine in of.items() if len(mine)}
    several = [k for k, mine in of.items() if len(np.unique(video[mine])) > 1]
    if len(of) < 2 or not several:
        raise TooFewError(
            f"{len(of)} speakers of the list have embeddings, {len(several)} of them in two videos; expected at least "
            "two, and one"
        )
    # All that there are, or as many as are wanted of people in turn.
    share = max(2, -(-most // len(several)))
    targets = [_across(of[k], video, share, rng) for k in several]
    enrol, test = (np.concatenate(side) for side in zip(*targets, strict=True))
    if len(enrol) > most:
        kept = rng.choice(len(enrol), most, replace=False)
        enrol, test = enrol[kept], test[kept]
    near = _alike(inputs, label, len(names))
    people, order = np.array(sorted(of)), rows[np.argsort(label[rows], kind="stable")]
    count = np.bincount(label[rows], minlength=len(names))
    starts = np.cumsum(count) - count
    first = rng.choice(rows, len(enrol))
    hard = rng.random(len(first)) < _HARD
    other = np.where(
        hard, near[label[first], rng.integers(near.shape[1], size=len(first))], rng.choice(people, len(first))
    )
    kept = np.flatnonzero((count[other] > 0) & (other != label[first]))
    second = order[starts[other[kept]] + (rng.random(len(kept)) * count[other[kept]]).astype(np.int64)]
    return Pairs(
        np.concatenate([enrol, first[kept]]),
        np.concatenate([test, second]),
        np.repeat([True, False], [len(enrol), len(kept)]),
    )


def _across(rows: np.ndarray, video: np.ndarray, most: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Return pairs of one person's rows in different videos, all or ``most`` of them."""
    if len(rows) * len(rows) <= 4 * most:
        i, j = np.triu_indices(len(rows), 1)
    else:
        i, j = rng.integers(len(rows), size=(2, 2 * most))
    differ = np.flatnonzero(video[rows[i]] != video[rows[j]])
    kept = differ if len(differ) <= most else rng.choice(differ, most, replace=False)
    return rows[i[kept]], rows[j[kept]]


def _alike(inputs: Inputs, label: np.ndarray, count: int) -> np.ndarray:
    """Return the people (count, up to `_NEAREST`) who are most similar to each."""
    likeness = np.zeros((count, count))
    for stream in inputs.streams.values():
        total = np.zeros((count, stream.dim))
        present = np.flatnonzero(stream.present)
        present = present[np.argsort(label[present], kind="stable")]
        for begin in range(0, len(present), _BLOCK):
            rows = present[begin : begin + _BLOCK]
            own, starts = np.unique(label[rows], return_index=True)
            total[own] += np.add.reduceat(stream.pooled[rows].astype(np.float64), starts)
        lengths = np.linalg.norm(total, axis=1, keepdims=True)
        unit = np.divide(total, lengths, out=np.zeros_like(total), where=lengths > 0)
        likeness += unit @ unit.T
    np.fill_diagonal(likeness, -np.inf)
    return np.argsort(-likeness, axis=1, kind="stable")[:, : min(_NEAREST, count - 1)]
