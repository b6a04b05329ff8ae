"""The pairs that `evidence` is fitted to: strangers at random to choose a space by, and sides that lack a modality."""

from __future__ import annotations

import numpy as np

from avsieve.fusion.inputs import Inputs
from avsieve.fusion.pairs import Pairs

LOST, SWAPPED = 0.2, 0.02
"""Shares of the sides of pairs that lose a modality, or get that of somebody else."""
ENOUGH = 20
"""Pairs of either sort, else the first numbers stay."""
_CHOOSING = 4  # of so many pairs one serves to choose a space
Rows = dict[str, tuple[np.ndarray, np.ndarray]]
"""Modality -> the rows that it is taken from on either side, -1 where it is missing."""


def draw_strangers(pairs: Pairs, label: np.ndarray, rng: np.random.Generator) -> Pairs:
    """Return some of the pairs with nontargets at random: those alike by the cosine would speak against its space."""
    targets, others = np.flatnonzero(pairs.is_target), np.flatnonzero(~pairs.is_target)
    targets = rng.permutation(targets)[: len(targets) // _CHOOSING + ENOUGH]
    enrol, test = pairs.enrol[others], rng.permutation(pairs.test[others])
    differ = np.flatnonzero(label[enrol] != label[test])[: len(targets)]
    return Pairs(
        np.concatenate([pairs.enrol[targets], enrol[differ]]),
        np.concatenate([pairs.test[targets], test[differ]]),
        np.repeat([True, False], [len(targets), len(differ)]),
    )


def spoil(pairs: Pairs, inputs: Inputs, label: np.ndarray, rng: np.random.Generator) -> Rows:
    """Return the rows that each modality of both sides of the pairs is taken from, -1 where it is missing.

    Some sides lose one of two modalities, some get one from another person: a calibration has to have seen both.
    """
    out: Rows = {}
    lost = [rng.random(len(pairs.enrol)) for _ in range(2)]
    both = inputs.audio.present & inputs.visual.present
    for k, (m, stream) in enumerate(inputs.streams.items()):
        sides = []
        there = np.flatnonzero(stream.present)
        for side, u in zip((pairs.enrol, pairs.test), lost, strict=True):
            rows = np.where(stream.present[side], side, -1)
            swap = (rng.random(len(side)) < SWAPPED) & (rows >= 0)
            other = rng.choice(there, len(side)) if len(there) else side
            rows = np.where(swap & (label[other] != label[side]), other, rows)
            gone = both[side] & (u >= k * LOST / 2) & (u < (k + 1) * LOST / 2)
            sides.append(np.where(gone, -1, rows))
        out[m] = (sides[0], sides[1])
    return out
