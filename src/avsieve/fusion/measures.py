"""Quality measures of utterances, as score calibration takes them: few, and each larger where more is known."""

from __future__ import annotations

import numpy as np

from avsieve.fusion.inputs import Inputs, Stream

# Of the tables of embeddings, by modality: name of the column -> whether its logarithm counts.
COLUMNS = {
    "audio": {"duration_s": True, "snr_db": False, "consistency": False},
    "visual": {"n_faces": True, "quality": False, "consistency": False},
}
# Beside these the length of the pooled embedding, which is short where its segments or faces are unlike each other.
COUNTS = {modality: len(columns) + 1 for modality, columns in COLUMNS.items()}
_BLOCK = 8192  # utterances at a time: pooled embeddings may lie in a file


def measures_of(stream: Stream, modality: str) -> np.ndarray:
    """Return the measures (U, Q) float64 of one modality; NaN where one is not known or the modality is missing."""
    columns = []
    for name, logarithm in COLUMNS[modality].items():
        x = np.asarray(stream.measures.get(name, np.full(len(stream.present), np.nan)), np.float64)
        columns.append(np.log(np.where(x > 0, x, np.nan)) if logarithm else x)
    length = np.empty(len(stream.present))
    for begin in range(0, len(length), _BLOCK):
        block = slice(begin, begin + _BLOCK)
        length[block] = np.linalg.norm(stream.pooled[block].astype(np.float64), axis=1)
    columns.append(np.log(np.where(length > 0, length, np.nan)))
    return np.where(stream.present[:, None], np.stack(columns, axis=1), np.nan)


def all_measures(inputs: Inputs) -> dict[str, np.ndarray]:
    """Return the measures of both modalities."""
    return {modality: measures_of(stream, modality) for modality, stream in inputs.streams.items()}
