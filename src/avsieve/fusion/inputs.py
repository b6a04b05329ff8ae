"""What a fusion model is given: both modalities of a set of utterances, pooled and, if there are any, as sequences."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from avsieve.embedding_files.own_tables import read_embeddings, read_measures
from avsieve.errors import AvsieveError
from avsieve.fusion.sequences import Rows, Sequences
from avsieve.runtime.scratch import scratch_folder

HELD_BYTES = 1 << 30
"""Pooled embeddings that take no more are held in memory."""


@dataclass(frozen=True)
class Stream:
    """One modality of U utterances; absent rows are zero and marked.

    Attributes
    ----------
    pooled
        (U, D) float32, one embedding per utterance.
    present
        (U,) bool.
    sequences
        Name -> the segments or faces of each utterance (`avsieve.fusion.sequences`), those that a run has.
    measures
        Name -> (U,) float32, what is known of an utterance's quality, such as its duration; NaN where it is not known.
    made_of
        (U,) object, the signal that each row is an embedding of: the id of an utterance or of a damaged version, empty
        where the modality was taken away. None where a row stands for no signal, such as one that damage was only
        simulated in.
    """

    pooled: np.ndarray
    present: np.ndarray
    sequences: Mapping[str, Sequences] = field(default_factory=dict)
    measures: Mapping[str, np.ndarray] = field(default_factory=dict)
    made_of: np.ndarray | None = None

    def __post_init__(self) -> None:
        n = len(self.present)
        if self.pooled.ndim != 2 or len(self.pooled) != n:
            raise AvsieveError(f"pooled embeddings of shape {self.pooled.shape} for {n} utterances; expected ({n}, D)")
        for name, sequences in self.sequences.items():
            if len(sequences.counts) != n:
                raise AvsieveError(f"{name}: sequences of {len(sequences.counts)} utterances for {n}")

    @property
    def dim(self) -> int:
        """Length of an embedding."""
        return int(self.pooled.shape[1])

    def without(self, missing: np.ndarray) -> Stream:
        """Take the modality away from the utterances where ``missing`` (U,) is set."""
        pooled = np.where(missing[:, None], np.float32(0), self.pooled)
        sequences = {name: own.without(missing) for name, own in self.sequences.items()}
        measures = {name: np.where(missing, np.float32(np.nan), x) for name, x in self.measures.items()}
        made_of = None if self.made_of is None else np.where(missing, "", self.made_of)
        return Stream(pooled, self.present & ~missing, sequences, measures, made_of)

    def of(self, rows: np.ndarray) -> Stream:
        """Return ``rows`` of it, in that order."""
        sequences = {name: own.of(rows) for name, own in self.sequences.items()}
        measures = {name: x[rows] for name, x in self.measures.items()}
        made_of = None if self.made_of is None else self.made_of[rows]
        return Stream(self.pooled[rows], self.present[rows], sequences, measures, made_of)


def join(streams: Sequence[Stream]) -> Stream:
    """Put streams of one modality one behind the other; what one does not have is NaN, or not there, in its rows.

    A stream without embeddings may have any length of them.

    Raises
    ------
    AvsieveError
        If the lengths of the embeddings differ.
    """
    widths = sorted({s.dim for s in streams if s.present.any()} or {max(s.dim for s in streams)})
    if len(widths) > 1:
        raise AvsieveError(f"embeddings of lengths {widths[0]} and {widths[1]}; embed all with one model")
    n = [len(s.present) for s in streams]
    pooled = [
        s.pooled if s.dim == widths[0] else np.zeros((count, widths[0]), np.float32)
        for s, count in zip(streams, n, strict=True)
    ]
    nan = np.float32(np.nan)
    measures = {
        name: np.concatenate([s.measures.get(name, np.full(k, nan)) for s, k in zip(streams, n, strict=True)])
        for name in dict.fromkeys(name for s in streams for name in s.measures)
    }
    sequences = {}
    for name in dict.fromkeys(name for s in streams for name in s.sequences):
        own = [s.sequences.get(name) for s in streams]
        rows = [np.full(k, -1) if s is None else np.arange(k) for s, k in zip(own, n, strict=True)]
        numbers = np.cumsum([s is not None for s in own]) - 1
        found = [s for s in own if s is not None]
        sequences[name] = Rows(found, np.repeat(np.maximum(numbers, 0), n), np.concatenate(rows))
    sources = [s.made_of for s in streams if s.made_of is not None]
    made_of = np.concatenate(sources) if len(sources) == len(streams) else None
    return Stream(np.concatenate(pooled), np.concatenate([s.present for s in streams]), sequences, measures, made_of)


@dataclass(frozen=True)
class Inputs:
    """Both modalities of ``utterances``; either may be missing for an utterance, or for all (then ``dim`` may be 0)."""

    utterances: list[str]
    audio: Stream
    visual: Stream

    def __post_init__(self) -> None:
        if not len(self.utterances) == len(self.audio.present) == len(self.visual.present):
            raise AvsieveError(
                f"{len(self.utterances)} utterances, {len(self.audio.present)} audio and "
                f"{len(self.visual.present)} visual rows; expected equal numbers"
            )

    def __len__(self) -> int:
        return len(self.utterances)

    @property
    def streams(self) -> dict[str, Stream]:
        """Both streams by their modality."""
        return {"audio": self.audio, "visual": self.visual}

    def of(self, rows: np.ndarray) -> Inputs:
        """Return ``rows`` of them, in that order."""
        return Inputs([self.utterances[i] for i in rows.tolist()], self.audio.of(rows), self.visual.of(rows))


def read_stream(
    utterances: Sequence[str],
    paths: Sequence[str | Path],
    sequences: Mapping[str, Sequences] | None = None,
    *,
    scratch: Path | None = None,
) -> Stream:
    """Read one modality from the embedding tables of the shards, in the order of ``utterances``, with its measures.

    Parameters
    ----------
    utterances, paths
        What the rows stand for, and the tables.
    sequences
        What there is of them beside the pooled embeddings (`avsieve.fusion.sequence_files.read_sequences`).
    scratch
        A folder, not in memory: pooled embeddings of more than `HELD_BYTES` are then pages of a file there, which the
        system takes back where memory is short. Training reads them by the batch.

    Raises
    ------
    AvsieveError
        If the tables disagree about the length of an embedding, or an utterance is in two of them or listed twice.
    """
    index = pd.Index(utterances)
    if not index.is_unique:
        raise AvsieveError(f"utterance {index[index.duplicated()][0]} is listed twice; expected each once")
    pooled: np.ndarray | None = None
    present = np.zeros(len(utterances), dtype=bool)
    measures: dict[str, np.ndarray] = {}
    for path in paths:
        names, vectors = read_embeddings(path)
        if not names:
            continue
        if pooled is None:
            pooled = _zeros((len(utterances), vectors.shape[1]), scratch)
        elif pooled.shape[1] != vectors.shape[1]:
            raise AvsieveError(
                f"{path}: embeddings of length {vectors.shape[1]}, those before have {pooled.shape[1]}; "
                "embed all shards with one model"
            )
        rows = index.get_indexer(names)
        wanted = rows >= 0
        rows = rows[wanted]
        if present[rows].any():
            raise AvsieveError(
                f"{path}: utterance {utterances[rows[present[rows].argmax()]]} is in an earlier table too"
            )
        pooled[rows] = vectors[wanted]
        present[rows] = True
        for name, values in read_measures(path).items():
            measures.setdefault(name, np.full(len(utterances), np.nan, np.float32))[rows] = values[wanted]
    if pooled is None:
        pooled = np.zeros((len(utterances), 0), dtype=np.float32)
    return Stream(pooled, present, sequences or {}, measures, np.array(utterances, dtype=object))


def _zeros(shape: tuple[int, int], scratch: Path | None) -> np.ndarray:
    """Return an array float32 of zeros: in memory, or pages of a file without a name where it is large."""
    size = 4 * shape[0] * shape[1]
    if scratch is None or size <= HELD_BYTES:
        return np.zeros(shape, np.float32)
    scratch = scratch_folder(scratch, size)
    try:
        with tempfile.TemporaryFile(dir=scratch) as file:
            # Asked for now: a page that finds no room later would end the process without a word.
            os.posix_fallocate(file.fileno(), 0, size)
            return np.memmap(file, np.float32, "r+", shape=shape)
    except OSError as error:
        raise AvsieveError(
            f"{scratch}: {error.strerror} while making a scratch file of {size / 1e9:.1f} GB there; make room, "
            "or set TMPDIR to a folder with more"
        ) from error
