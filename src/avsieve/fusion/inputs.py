"""What a fusion model is given: both modalities of a set of utterances, pooled and, where wanted, as sequences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from avsieve.embedding_files.own_tables import read_embeddings, read_measures
from avsieve.errors import AvsieveError


@dataclass(frozen=True)
class Stream:
    """One modality of U utterances; absent rows are zero and marked.

    Attributes
    ----------
    pooled
        (U, D) float32, one embedding per utterance.
    present
        (U,) bool.
    sequence, mask
        (U, T, D) float32 and (U, T) bool: segments or frames, and which of them exist. None where a run has none; a
        model that needs them says so.
    measures
        Name -> (U,) float32, what is known of an utterance's quality, such as its duration; NaN where it is not known.
    """

    pooled: np.ndarray
    present: np.ndarray
    sequence: np.ndarray | None = None
    mask: np.ndarray | None = None
    measures: Mapping[str, np.ndarray] = field(default_factory=dict)

    def __post_init__(self) -> None:
        n = len(self.present)
        if self.pooled.ndim != 2 or len(self.pooled) != n:
            raise AvsieveError(f"pooled embeddings of shape {self.pooled.shape} for {n} utterances; expected ({n}, D)")
        if (self.sequence is None) != (self.mask is None):
            raise AvsieveError("a sequence needs its mask and a mask its sequence; give both or neither")
        if self.sequence is not None and self.mask is not None and self.sequence.shape[:2] != self.mask.shape:
            raise AvsieveError(f"a sequence of shape {self.sequence.shape} with a mask of shape {self.mask.shape}")

    @property
    def dim(self) -> int:
        """Length of an embedding."""
        return int(self.pooled.shape[1])

    @classmethod
    def of_sequence(cls, sequence: np.ndarray, mask: np.ndarray) -> Stream:
        """Pool ``sequence`` (U, T, D) by the mean of its unit vectors where ``mask`` (U, T) is set."""
        lengths = np.linalg.norm(sequence, axis=2, keepdims=True)
        unit = np.divide(sequence, lengths, out=np.zeros_like(sequence), where=lengths > 0)
        count = mask.sum(axis=1)
        pooled = np.einsum("utd,ut->ud", unit, mask.astype(np.float32)) / np.maximum(count, 1)[:, None]
        return cls(pooled.astype(np.float32), count > 0, sequence, mask)

    def without(self, missing: np.ndarray) -> Stream:
        """Take the modality away from the utterances where ``missing`` (U,) is set."""
        pooled = np.where(missing[:, None], np.float32(0), self.pooled)
        mask = None if self.mask is None else self.mask & ~missing[:, None]
        measures = {name: np.where(missing, np.float32(np.nan), x) for name, x in self.measures.items()}
        return Stream(pooled, self.present & ~missing, self.sequence, mask, measures)


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


def read_stream(utterances: Sequence[str], paths: Sequence[str | Path]) -> Stream:
    """Read one modality from the embedding tables of the shards, in the order of ``utterances``, with its measures.

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
            pooled = np.zeros((len(utterances), vectors.shape[1]), dtype=np.float32)
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
        return Stream(np.zeros((len(utterances), 0), dtype=np.float32), present)
    return Stream(pooled, present, measures=measures)
