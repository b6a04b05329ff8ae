"""Embed the faces of the utterances that a comparison needs, with one trained encoder."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from avsieve.comparison.selection import gather, held
from avsieve.encoders.embed_visual import embed_faces, pool
from avsieve.encoders.face_encoder import load_face_encoder
from avsieve.storage.tables import read_table


def embed_faces_of(
    utterances: Sequence[str],
    tars: Sequence[Path],
    detections: Sequence[Path],
    *,
    arch: str,
    checkpoint: Path,
    device: torch.device,
    pooling: str,
    batch: int,
) -> tuple[list[str], np.ndarray]:
    """Embed faces from the shards of aligned faces and pool them per utterance.

    Returns
    -------
    The utterances that have a face, in the given order, and (N, dim) float32 of length 1.

    Raises
    ------
    AvsieveError
        If none has a face.
    """
    encoder = load_face_encoder(
        arch, checkpoint, channels="auto", precision="fp32", device=device.type, threads=torch.get_num_threads()
    )
    wanted = set(utterances)
    vectors: dict[str, np.ndarray] = {}
    for tar, table in zip(tars, detections, strict=True):
        if own := held(tar, wanted):
            found = embed_faces(tar, read_table(table), own, encoder, batch=batch)
            for utterance, faces in found.items():
                if np.isfinite(faces.embeddings).all():
                    weights = faces.quality if pooling == "quality" else None
                    vectors[utterance] = pool(faces.embeddings, weights)
    return gather(utterances, vectors, "face")
