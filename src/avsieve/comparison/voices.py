"""Embed the voices of the utterances that a comparison needs, with one trained encoder."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from avsieve.comparison.selection import gather, held
from avsieve.encoders.audio import load_audio_encoder
from avsieve.encoders.embed_audio import embed_shard


def embed_voices(
    utterances: Sequence[str],
    tars: Sequence[Path],
    *,
    arch: str,
    checkpoint: Path,
    device: torch.device,
    batch_s: float,
    precision: str,
) -> tuple[list[str], np.ndarray]:
    """Embed voices from the shards' wavs.

    Returns
    -------
    The utterances that have an embedding, in the given order, and (N, dim) float32.

    Raises
    ------
    AvsieveError
        If none has one.
    """
    encoder, wanted = load_audio_encoder(arch, checkpoint), set(utterances)
    vectors: dict[str, np.ndarray] = {}
    for tar in tars:
        if own := held(tar, wanted):
            results, _ = embed_shard(tar, own, encoder, device=device, batch_s=batch_s, precision=precision)
            vectors |= dict(zip(results.utterances, results.vectors, strict=True))
    return gather(utterances, vectors, "voice")
