"""Face encoders of any kind, ready to embed: the one place where a network or an ONNX file is chosen."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np

from avsieve.encoders.registry import VISUAL


class Encoder(Protocol):
    """Whatever turns faces into embeddings."""

    dim: int

    def embed(self, faces: np.ndarray) -> np.ndarray:
        """Return embeddings (B, dim) float32 of faces (B, 112, 112, 3) uint8 BGR."""
        ...


@runtime_checkable
class StagedEncoder(Encoder, Protocol):
    """An encoder that splits its work: what the CPU prepares, and what the network does with it."""

    def prepare(self, faces: np.ndarray) -> Any:
        """Return what `run` takes, of faces (B, 112, 112, 3) uint8 BGR; called in another thread."""
        ...

    def run(self, prepared: Any) -> np.ndarray:
        """Return embeddings (B, dim) float32."""
        ...


class FaceEncoder(StagedEncoder, Protocol):
    """An encoder that says what it is."""

    @property
    def facts(self) -> dict[str, Any]:
        """What a shard's provenance should say about this encoder."""
        ...


def load_face_encoder(
    arch: str, model: str | Path, *, channels: str, precision: str, device: str, threads: int
) -> FaceEncoder:
    """Return a trained face encoder; only what it needs is imported.

    Parameters
    ----------
    arch
        A name of `avsieve.encoders.registry.VISUAL`.
    model
        ``builtin``, or a file of weights as the architecture takes it: for ``onnx`` a path, a folder or the name of an
        InsightFace pack; otherwise see `avsieve.encoders.visual.load_visual_encoder`.
    channels
        Order of the channels that a torch network was trained with: ``auto``, ``rgb`` or ``bgr``. ONNX files take RGB.
    precision
        ``fp32``, ``bf16`` or ``fp16``: of a torch network's arithmetic.
    device, threads
        ``cpu``, ``cuda``, ``cuda:N`` or ``auto``; threads of the network on the CPU.

    Raises
    ------
    ConfigError
        If there is no such architecture, or the precision has no effect on it.
    ModelError
        If the file does not fit, or cannot run on ``device``.
    """
    architecture = VISUAL[arch]
    architecture.check_precision("visual.precision", precision)
    encoder: FaceEncoder = architecture.load(
        arch, model, channels=channels, precision=precision, device=device, threads=threads
    )
    return encoder
