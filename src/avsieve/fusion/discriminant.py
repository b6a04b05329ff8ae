"""The directions in which people differ, from embeddings and the speakers they are of: where networks start."""

from __future__ import annotations

import numpy as np

START_ROWS = 100_000
"""Utterances that first weights are found from, at most."""


def discriminant_directions(data: np.ndarray, labels: np.ndarray, dim: int) -> np.ndarray:
    """Return (dim, D): whiten what varies within classes, then keep the directions of the most variance.

    Within-class covariance normalisation (Hatch et al., Interspeech 2006) with the covariance shrunk towards a multiple
    of the identity, as if twice D utterances had been seen that vary alike in all directions: few utterances leave the
    cosine nearly as it was, many decide by themselves. Where ``dim`` exceeds D the remaining rows are zero. Signs are
    fixed, the largest entry of a row being positive.

    Parameters
    ----------
    data
        (N, D) float64.
    labels
        (N,) int64; any labels.
    """
    n, width = data.shape
    classes, rank = np.unique(labels, return_inverse=True)
    within = data - class_means(data, rank)[rank]
    freedom = max(n - len(classes), 1)
    covariance = within.T @ within / freedom
    prior = 2.0 * width
    average = float(np.trace(covariance)) / width or 1.0
    shrunk = (freedom * covariance + prior * average * np.eye(width)) / (freedom + prior)
    values, vectors = np.linalg.eigh(shrunk)
    whiten = (vectors / np.sqrt(values)) @ vectors.T
    spread = np.linalg.eigh(np.cov(data @ whiten, rowvar=False))[1]
    rows = spread.T[::-1][:dim] @ whiten
    rows *= np.sign(rows[np.arange(len(rows)), np.abs(rows).argmax(axis=1)])[:, None]
    out = np.zeros((dim, width))
    out[: len(rows)] = rows
    return out


def class_means(data: np.ndarray, rank: np.ndarray) -> np.ndarray:
    """Return the mean row of each class (C, D); ``rank`` (N,) has every class from 0 to C - 1 at least once."""
    order = np.argsort(rank, kind="stable")
    starts = np.searchsorted(rank[order], np.arange(int(rank.max()) + 1))
    return np.add.reduceat(data[order], starts) / np.bincount(rank)[:, None]


def evenly(present: np.ndarray) -> np.ndarray:
    """Return the positions that are set, or an even choice of `START_ROWS` of them at most."""
    rows = np.flatnonzero(present)
    return rows[:: max(1, -(-len(rows) // START_ROWS))]
