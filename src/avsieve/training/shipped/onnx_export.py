"""Write a torch network as ONNX, whole or not at all."""

from __future__ import annotations

import warnings
from pathlib import Path

import torch
from torch import nn

from avsieve.storage.atomic import atomic_path


def write_onnx(
    network: nn.Module, path: Path, example: torch.Tensor, outputs: list[str], *, free: dict[str, dict[int, str]]
) -> None:
    """Export ``network`` in evaluation mode, opset 13, from the CPU.

    torch's newer exporter needs onnxscript and names dimensions its own way; the older one does what InsightFace wants.

    Parameters
    ----------
    example
        An input; its shape is what stays fixed.
    outputs
        Names of the outputs; the input is called ``image``.
    free
        Name -> axis -> name of a dimension that stays free.
    """
    with warnings.catch_warnings(), atomic_path(path) as partial:
        warnings.simplefilter("ignore", DeprecationWarning)
        torch.onnx.export(
            network.cpu().eval(),
            (example,),
            str(partial),
            input_names=["image"],
            output_names=outputs,
            dynamic_axes=free,
            opset_version=13,
            dynamo=False,
        )


def export_face_encoder(encoder: nn.Module, path: Path) -> None:
    """Write a visual encoder as ONNX that InsightFace takes for a recognition model, with a free batch size.

    The input stays 3 x 112 x 112, since InsightFace tells models apart by it; it feeds RGB scaled to [-1, 1]. A network
    that was trained on BGR (its ``channels`` say so) turns the planes itself.
    """
    if getattr(encoder, "channels", None) == "bgr":
        encoder = _Turned(encoder)
    free = {"image": {0: "batch"}, "embedding": {0: "batch"}}
    write_onnx(encoder, path, torch.zeros(1, 3, 112, 112), ["embedding"], free=free)


class _Turned(nn.Module):
    """A network for BGR that takes RGB."""

    def __init__(self, encoder: nn.Module) -> None:
        super().__init__()
        self.encoder = encoder

    def forward(self, faces: torch.Tensor) -> torch.Tensor:
        """Map faces (B, 3, h, w) to what the network makes of them."""
        embeddings: torch.Tensor = self.encoder(faces.flip(1))
        return embeddings
