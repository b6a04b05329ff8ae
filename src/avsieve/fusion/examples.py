"""What a fusion network is trained on: utterances, or voices and faces of a speaker that are paired anew."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from avsieve.fusion.inputs import Inputs


@dataclass(frozen=True)
class Examples:
    """Rows of the inputs to take voices and faces from, and the class of each pair, (N,) int64 each."""

    audio: np.ndarray
    visual: np.ndarray
    labels: np.ndarray

    def __len__(self) -> int:
        return len(self.labels)


def pair_anew(inputs: Inputs, rows: np.ndarray, labels: np.ndarray, count: int, rng: np.random.Generator) -> Examples:
    """Draw pairs of a voice and a face of one speaker, which mostly come from different videos.

    As BAFFN does: first the speaker, all alike and with replacement, then a voice and a face of hers, independently. A
    speaker who has no voice at all, or no face, goes without.

    Parameters
    ----------
    inputs
        The training utterances.
    rows, labels
        Those that can be trained on, and the class of each, with every class from 0 on.
    count
        How many pairs.
    rng
        Where they are drawn from.
    """
    speakers = rng.integers(int(labels.max()) + 1, size=count)
    audio, visual = (
        _draw(stream.present[rows], rows, labels, speakers, rng) for stream in (inputs.audio, inputs.visual)
    )
    return Examples(audio, visual, speakers)


def _draw(
    present: np.ndarray, rows: np.ndarray, labels: np.ndarray, speakers: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """Return a row of each speaker, one with the modality where there is any."""
    known = np.bincount(labels[present], minlength=int(labels.max()) + 1) > 0
    chosen = np.flatnonzero(present | ~known[labels])
    chosen = chosen[np.argsort(labels[chosen], kind="stable")]
    size = np.bincount(labels[chosen])
    first = np.cumsum(size) - size
    return rows[chosen[first[speakers] + rng.integers(size[speakers])]]
