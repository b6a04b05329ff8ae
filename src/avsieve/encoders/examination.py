"""Look at face encoders in ONNX files without running them, for the doctor."""

from __future__ import annotations

from typing import Any

from avsieve.encoders.contract import Examined, Problem
from avsieve.onnx_runtime.shipped import read_onnx, resolve_model


def examine_onnx(visual: Any) -> Examined:
    """Look at the ONNX file that the block ``visual`` of the configuration names, without running it.

    Raises
    ------
    AvsieveError
        If it cannot be found or read.
    """
    path = resolve_model(visual.model, "recognition")
    graph = read_onnx(path).graph
    sides = [d.dim_value for d in graph.input[0].type.tensor_type.shape.dim[2:4]]
    if sides != [112, 112] or len(graph.output) != 1:
        text = f"{path}: input {sides}, {len(graph.output)} outputs; expected a recognition model of 112 x 112"
        return Examined(path, Problem("", text, "name w600k_r50, glintr100 or another ArcFace model"))
    return Examined(path)
