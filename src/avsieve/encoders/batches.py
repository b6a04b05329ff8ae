"""Pieces of utterances, packed into batches by length and read from a wav shard."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from avsieve.encoders.segmentation import Segmentation
from avsieve.storage.indexed_tar import TarReader
from avsieve.storage.wav import SAMPLE_RATE, as_float, samples_of


class Piece(NamedTuple):
    """A stretch of an utterance: all of it, or a segment."""

    utterance: str
    start: int  # samples
    length: int  # samples


class Batch(NamedTuple):
    """Pieces with their samples."""

    pieces: list[Piece]
    waves: Tensor
    """(B, samples): float32 in [-1, 1) for the CPU, int16 in pinned memory for CUDA, zero after a piece's end."""
    lengths: list[int]
    """Valid samples of each row."""


def _all_of(samples: int) -> int:
    return samples


def segments_of(
    utterance: str, length: int, segmentations: Iterable[Segmentation], shortest: int = 1
) -> dict[str, list[Piece]]:
    """Cut an utterance of ``length`` samples: name of a segmentation -> its segments, in the order of time.

    No segment has fewer samples than ``shortest``, which the utterance has.
    """
    return {own.name: [Piece(utterance, *cut) for cut in own.how.cut(length, shortest)] for own in segmentations}


def batches_of(
    pieces: list[Piece],
    batch_s: float,
    *,
    mixed: bool,
    waste: float = 0.25,
    used: Callable[[int], int] = _all_of,
) -> Iterator[list[Piece]]:
    """Pack pieces, shortest first, into batches of at most ``batch_s`` seconds with padding, and at least one piece.

    With ``mixed`` lengths, no piece is padded by more than ``waste`` of its length; otherwise all of a batch have the
    same number of ``used`` samples.
    """
    batch: list[Piece] = []
    for piece in sorted(pieces, key=lambda p: (p.length, p.utterance, p.start)):
        if batch:
            widest = batch[0].length * (1 + waste) if mixed else used(batch[0].length)
            if used(piece.length) > widest or (len(batch) + 1) * piece.length > batch_s * SAMPLE_RATE:
                yield batch
                batch = []
        batch.append(piece)
    if batch:
        yield batch


def read_batches(
    plan: Iterable[list[Piece]], reader: TarReader, *, pinned: bool, used: Callable[[int], int] = _all_of
) -> Iterator[Batch]:
    """Read one batch after the other; an utterance whose segments follow each other is read once."""
    last, samples = "", np.zeros(0, np.int16)
    for pieces in plan:
        lengths = [used(p.length) for p in pieces]
        rows = np.zeros((len(pieces), max(lengths)), np.int16)
        for row, piece, length in zip(rows, pieces, lengths, strict=True):
            if piece.utterance != last:
                last, samples = piece.utterance, samples_of(reader.read(f"{piece.utterance}.wav"), piece.utterance)
            row[:length] = samples[piece.start : piece.start + length]
        waves = torch.from_numpy(rows).pin_memory() if pinned else torch.from_numpy(as_float(rows))
        yield Batch(pieces, waves, lengths)
