"""Face encoders of any kind, ready to embed: the one place where a network or an ONNX file is chosen."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol

import numpy as np

from avsieve.encoders.contract import Examined, Problem
from avsieve.encoders.registry import VISUAL


class FaceEncoder(Protocol):
    """A `avsieve.encoders.embed_visual.StagedEncoder` that says what it is."""

    dim: int

    @property
    def facts(self) -> dict[str, Any]:
        """What a shard's provenance should say about this encoder."""
        ...

    def embed(self, faces: np.ndarray) -> np.ndarray:
        """Return embeddings (B, dim) float32, not normalised, of faces (B, 112, 112, 3) uint8 BGR."""
        ...

    def prepare(self, faces: np.ndarray) -> Any:
        """Return what `run` takes, of faces (B, 112, 112, 3) uint8 BGR; called in another thread."""
        ...

    def run(self, prepared: Any) -> np.ndarray:
        """Return embeddings (B, dim) float32."""
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


def examine_onnx(visual: Any) -> Examined:
    """Look at the ONNX file that the block ``visual`` of the configuration names, without running it.

    Raises
    ------
    AvsieveError
        If it cannot be found or read.
    """
    from avsieve.onnx_runtime.shipped import read_onnx, resolve_model

    path = resolve_model(visual.model, "recognition")
    graph = read_onnx(path).graph
    sides = [d.dim_value for d in graph.input[0].type.tensor_type.shape.dim[2:4]]
    if sides != [112, 112] or len(graph.output) != 1:
        text = f"{path}: input {sides}, {len(graph.output)} outputs; expected a recognition model of 112 x 112"
        return Examined(path, Problem("", text, "name w600k_r50, glintr100 or another ArcFace model"))
    return Examined(path)
