"""Whom flagged utterances rather belong to: label by label."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from avsieve.inspection.decided import Decided

MOST = 15
"""Pairs in the table."""


@dataclass(frozen=True)
class Pair:
    """Flagged utterances of one label that are thought to be one other speaker.

    Attributes
    ----------
    label, suggested
        The label that they carry, and the speaker that they are thought to be.
    clips, videos
        How many they are, and of how many videos.
    p_suggested
        Mean probability of the suggestion; None where none has one.
    """

    label: str
    suggested: str
    clips: int
    videos: int
    p_suggested: float | None


@dataclass(frozen=True)
class Suggested:
    """The pairs with the most clips, out of how many pairs, and how many clips have a suggestion."""

    pairs: list[Pair]
    of: int
    clips: int


def suggested_pairs(decided: Decided, most: int = MOST) -> Suggested:
    """Return which labels' flagged utterances are thought to be whom, the pairs with the most clips first."""
    rows = np.flatnonzero(decided.flagged & (decided.suggested.code >= 0))
    if not len(rows):
        return Suggested([], 0, 0)
    labels, others = decided.speaker.names, decided.suggested.names
    pair = decided.speaker.code[rows].astype(np.int64) * len(others) + decided.suggested.code[rows]
    pairs, of_row, clips = np.unique(pair, return_inverse=True, return_counts=True)
    p = decided.p_suggested[rows].astype(float)
    known = ~np.isnan(p)
    total = np.bincount(of_row, np.where(known, p, 0.0), minlength=len(pairs))
    counted = np.bincount(of_row, known, minlength=len(pairs))
    # A video has one label, so with whom it is thought to be it names a pair.
    seen = np.unique(np.stack([of_row, decided.video.code[rows]]), axis=1)[0]
    videos = np.bincount(seen, minlength=len(pairs))
    names = [(str(labels[k // len(others)]), str(others[k % len(others)])) for k in pairs.tolist()]
    mean = np.where(counted > 0, total / np.maximum(counted, 1), -1.0)
    order = sorted(range(len(pairs)), key=lambda k: (-clips[k], -mean[k], names[k]))[:most]
    found = [
        Pair(*names[k], int(clips[k]), int(videos[k]), float(mean[k]) if counted[k] else None) for k in order
    ]  # fmt: skip
    return Suggested(found, len(pairs), len(rows))
