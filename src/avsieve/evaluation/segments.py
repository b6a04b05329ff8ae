"""Scores by segments: the mean cosine over all pairs of one side's segments with the other's.

The mean over m x n pairs of unit vectors is the product of the two sides' mean vectors, so a trial costs no more than
one over whole utterances: ``mean_ij <a_i, b_j> = <mean_i a_i, mean_j b_j>``. AVCleanse (Tao et al., ICASSP 2023) scores
faces so, over 5 x 5 pairs of evenly spaced frames, the last one repeated where there are fewer.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from avsieve.embedding_files.sequence_tables import rows_of
from avsieve.errors import AvsieveError
from avsieve.evaluation.scoring import Part
from avsieve.storage.sequence_names import FRAMES, HOPS

_BLOCK = 8192  # rows that are brought to length 1 at a time


def evenly(counts: np.ndarray, wanted: int) -> np.ndarray:
    """Choose ``wanted`` evenly spaced places of 0 … count - 1, ends included: (N, wanted) int64.

    Where there are fewer, each once and then the last one again.
    """
    last = np.asarray(counts, dtype=np.int64)[:, None] - 1
    places = np.arange(wanted)[None, :]
    spaced = np.rint(last * places / max(wanted - 1, 1)).astype(np.int64)
    return np.where(last + 1 >= wanted, spaced, np.minimum(places, last))


def mean_of_units(vectors: np.ndarray, rows: np.ndarray, begins: np.ndarray) -> np.ndarray:
    """Return the means of the vectors, each brought to length 1, over runs of ``rows`` that begin at ``begins``.

    Parameters
    ----------
    vectors
        (N, D) float16 or float32.
    rows
        (M,) positions in it.
    begins
        (U,) rising, the first 0.

    Returns
    -------
    (U, D) float64.
    """
    ends = np.r_[begins[1:], len(rows)]
    out = np.empty((len(begins), vectors.shape[1]))
    start = 0
    while start < len(begins):
        # Whole runs, as many as fit into a block.
        stop = max(start + 1, int(np.searchsorted(ends, begins[start] + _BLOCK, side="right")))
        own = Part.of(vectors[rows[begins[start] : ends[stop - 1]]])
        count = np.add.reduceat(own.present.astype(np.float64), begins[start:stop] - begins[start])
        sums = np.add.reduceat(own.vectors, begins[start:stop] - begins[start], axis=0)
        out[start:stop] = sums / np.maximum(count, 1)[:, None]
        start = stop
    return out


def read_segments(utterances: Sequence[str], paths: Sequence[str | Path], frames: int | None = None) -> Part:
    """Read this run's tables of segments or faces, and average each utterance's unit vectors; see `pool_segments`.

    Of the segmentations in a table `HOPS` is taken.
    """
    name = HOPS if frames is None else FRAMES
    return pool_segments(utterances, ((str(path), *rows_of(Path(path), name)) for path in paths), frames)


def pool_segments(
    utterances: Sequence[str], tables: Iterable[tuple[str, Sequence[str], np.ndarray]], frames: int | None = None
) -> Part:
    """Average the unit vectors of each utterance's segments or faces.

    One table is held at a time.

    Parameters
    ----------
    utterances
        What the part's rows stand for, U of them.
    tables
        What messages call a table, its names and its vectors (N, D): several rows an utterance, in the order of time.
    frames
        How many evenly spaced rows of an utterance to take; all where not given.

    Returns
    -------
    Part
        With mean vectors, whose products are the means over the pairs; (U, D).

    Raises
    ------
    AvsieveError
        If the tables disagree about the length of an embedding, or an utterance is in two of them.
    """
    wanted = pa.array(utterances, pa.string())
    found: np.ndarray | None = None
    present = np.zeros(len(utterances), dtype=bool)
    for path, names, vectors in tables:
        if not len(names):
            continue
        if found is None:
            found = np.zeros((len(utterances), vectors.shape[1]))
        elif found.shape[1] != vectors.shape[1]:
            raise AvsieveError(
                f"{path}: embeddings of length {vectors.shape[1]}, those before have {found.shape[1]}; "
                "expected one model for all files"
            )
        place = pc.index_in(pa.array(names, pa.string()), value_set=wanted).fill_null(-1)
        places = place.to_numpy(zero_copy_only=False).astype(np.int64)
        rows = np.flatnonzero(places >= 0)
        rows = rows[np.argsort(places[rows], kind="stable")]
        if not len(rows):
            continue
        begins = np.flatnonzero(np.r_[True, np.diff(places[rows]) > 0])
        own = places[rows[begins]]
        if present[own].any():
            raise AvsieveError(f"{path}: utterance {utterances[own[present[own].argmax()]]} is in an earlier file too")
        if frames is not None:
            counts = np.diff(np.r_[begins, len(rows)])
            rows = rows[(begins[:, None] + evenly(counts, frames)).ravel()]
            begins = np.arange(len(own)) * frames
        found[own] = mean_of_units(vectors, rows, begins)
        present[own] = True
    if found is None:
        return Part(np.zeros((len(utterances), 0)), present)
    return Part(found, present & found.any(axis=1))
