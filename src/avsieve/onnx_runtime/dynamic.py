"""Make fixed-input detectors dynamic.

Some SCRFD files are exported for 640 x 640 alone. InsightFace then runs them at 640 whatever size is asked for, ten
times slower than 224 needs. The networks themselves are convolutions: once the fixed dimensions of inputs and outputs
are cleared in the graph, the same weights run at any multiple of 32 with equal results.
"""

from __future__ import annotations

from pathlib import Path

import onnx

from avsieve.onnx_runtime.shipped import read_onnx


def fixed_size(model: onnx.ModelProto) -> tuple[int, int] | None:
    """Return (height, width) of a model's input when both are fixed, else None."""
    dims = model.graph.input[0].type.tensor_type.shape.dim
    if len(dims) != 4 or not (dims[2].dim_value and dims[3].dim_value):
        return None
    return dims[2].dim_value, dims[3].dim_value


def make_dynamic(model: onnx.ModelProto) -> onnx.ModelProto:
    """Return a copy of a detector whose batch size, height and width are free.

    Channels and the width of each output (1, 4 or 10 numbers an anchor) stay as they are.
    """
    free = onnx.ModelProto()
    free.CopyFrom(model)
    names = {0: "batch", 2: "height", 3: "width"}
    # InsightFace takes the first input; others, if any, are initialisers in old exports.
    for axis, dim in enumerate(free.graph.input[0].type.tensor_type.shape.dim):
        if axis in names:
            dim.Clear()
            dim.dim_param = names[axis]
    for number, output in enumerate(free.graph.output):
        dims = output.type.tensor_type.shape.dim
        for axis, dim in enumerate(list(dims)[:-1]):
            dim.Clear()
            dim.dim_param = "batch" if axis == 0 and len(dims) == 3 else f"anchors_{number}"
    # Shapes inside the graph were inferred for the old size.
    del free.graph.value_info[:]
    return free


def write_dynamic(path: Path, folder: Path) -> Path:
    """Write a dynamic copy of the detector ``path`` into ``folder`` and return its path."""
    copy = folder / path.name
    onnx.save(make_dynamic(read_onnx(path)), str(copy))
    return copy
