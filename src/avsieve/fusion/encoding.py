"""Which utterances are encoded, and how many at a time: alike ones once, and long sequences in small batches.

A batch is padded to its longest sequence: one clip of 2,000 faces among 511 short ones would make 2 GB of zeros. So
utterances of like length share a batch, and a batch has fewer of them the longer they are.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping

import numpy as np

from avsieve.fusion.inputs import Inputs
from avsieve.fusion.sequences import Reading

MOST_NUMBERS = 1 << 23
"""Numbers in the padded sequences of a batch, 32 MiB as float32; a longer sequence is a batch of its own."""

_COMPARED = 512  # utterances whose content is compared at a time
_WINDOW = 16  # batches whose utterances are put in the order of their lengths: their rows lie close by in the files


def bounded_batches(
    inputs: Inputs, readings: Mapping[str, Reading], rows: np.ndarray, most: int
) -> Iterator[np.ndarray]:
    """Yield the positions in ``rows`` by the batch: each once, those of one batch of like length.

    Where all sequences have the same length, or none is read, batches follow the order of ``rows``.

    Parameters
    ----------
    inputs, readings
        The utterances, and what is read of them: modality -> reading.
    rows
        (N,) int64, utterances.
    most
        Utterances of a batch at most.

    Yields
    ------
    (B,) int64. B is at most ``most``, and B times the numbers of the longest sequences in the batch is at most
    `MOST_NUMBERS`, unless B is 1.
    """
    sizes = _sizes(inputs, readings, rows)
    window = _WINDOW * most
    for begin in range(0, len(rows), window):
        own = np.arange(begin, min(begin + window, len(rows)))
        own = own[np.argsort(sizes[own].sum(axis=1), kind="stable")]
        while len(own):
            # What a batch of the first k would take, for each k.
            padded = np.maximum.accumulate(sizes[own[:most]], axis=0).sum(axis=1)
            fit = int((padded * np.arange(1, len(padded) + 1) <= MOST_NUMBERS).sum())
            yield own[: max(1, fit)]
            own = own[max(1, fit) :]


def _sizes(inputs: Inputs, readings: Mapping[str, Reading], rows: np.ndarray) -> np.ndarray:
    """Return (N, M) int64: how many numbers the sequence of each modality that is read has, as it is padded."""
    found = np.zeros((len(rows), max(1, len(readings))), np.int64)
    for column, (modality, reading) in enumerate(readings.items()):
        own = inputs.streams[modality].sequences[reading.sequence]
        found[:, column] = (reading.count or own.counts[rows]) * own.dim
    return found


def distinct_rows(inputs: Inputs, readings: Mapping[str, Reading] | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Return the first of all utterances that are alike to the bit, (K,) rising, and each one's place there, (U,).

    Alike in the pooled embeddings, and in the sequences that ``readings`` take.
    """
    readings = readings or {}
    digests = np.empty((len(inputs), 16), np.uint8)
    for rows in bounded_batches(inputs, readings, np.arange(len(inputs)), _COMPARED):
        arrays = [array[rows] for s in inputs.streams.values() for array in (s.pooled, s.present)]
        batches = [reading.read(inputs.streams[m].sequences, rows, None) for m, reading in readings.items()]
        counts = [batch.mask.sum(axis=1) for batch in batches]
        for i, row in enumerate(rows.tolist()):
            digest = hashlib.blake2b(digest_size=16)
            for array in (*arrays, *counts):
                digest.update(array[i].tobytes())
            for batch, count in zip(batches, counts, strict=True):
                # The padding of a batch is no part of a row.
                for values in (batch.vectors, batch.start_s, batch.length_s, batch.quality):
                    digest.update(values[i, : count[i]].tobytes())
            digests[row] = np.frombuffer(digest.digest(), np.uint8)
    seen: dict[bytes, int] = {}
    place = np.fromiter((seen.setdefault(digest.tobytes(), len(seen)) for digest in digests), np.int64, len(inputs))
    _, chosen = np.unique(place, return_index=True)
    return chosen, place
