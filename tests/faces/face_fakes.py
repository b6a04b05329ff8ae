"""Small networks and a scripted detector for the tests of faces."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

import numpy as np
import onnx
from onnx import TensorProto, helper

from avsieve.faces.detector import Detections


def scrfd_file(path: Path, *, fixed: int | None = None, constant_reshape: bool = False, outputs: int = 9) -> Path:
    """Write a network in SCRFD's layout that finds a face wherever a cell's corner is bright red."""
    nodes, weights, results = [], [], []
    side: int | str = fixed or "size"
    for number, stride in enumerate((8, 16, 32)):
        widths = {"score": 1, "box": 4, "marks": 10}
        for what, width in widths.items():
            kernel = np.zeros((2 * width, 3, 1, 1), np.float32)
            bias = np.zeros(2 * width, np.float32)
            if what == "score":
                kernel[0, 0], bias[:] = 20.0, -10.0
            else:
                bias[:] = 1.0
            weights += [
                helper.make_tensor(f"{what}{stride}_w", TensorProto.FLOAT, kernel.shape, kernel.reshape(-1)),
                helper.make_tensor(f"{what}{stride}_b", TensorProto.FLOAT, bias.shape, bias),
            ]
            anchors = 2 * (fixed // stride) ** 2 if constant_reshape and fixed else -1
            shape = np.array([1, anchors, width], np.int64)
            weights.append(helper.make_tensor(f"{what}{stride}_s", TensorProto.INT64, (3,), shape))
            nodes += [
                helper.make_node(
                    "Conv",
                    ["image", f"{what}{stride}_w", f"{what}{stride}_b"],
                    [f"{what}{stride}_c"],
                    strides=[stride] * 2,
                ),
                helper.make_node("Transpose", [f"{what}{stride}_c"], [f"{what}{stride}_t"], perm=[0, 2, 3, 1]),
                helper.make_node("Reshape", [f"{what}{stride}_t", f"{what}{stride}_s"], [f"{what}{stride}_r"]),
                helper.make_node(
                    "Sigmoid" if what == "score" else "Identity", [f"{what}{stride}_r"], [f"{what}{stride}"]
                ),
            ]
        results += [
            (f"{what}{stride}", width, stride, ["score", "box", "marks"].index(what) * 3 + number)
            for what, width in widths.items()
        ]
    results.sort(key=lambda item: item[3])
    declared = [
        helper.make_tensor_value_info(n, TensorProto.FLOAT, [1, 2 * (fixed // s) ** 2 if fixed else f"anchors{s}", w])
        for n, w, s, _ in results[:outputs]
    ]
    image = helper.make_tensor_value_info("image", TensorProto.FLOAT, [1, 3, side, side])
    graph = helper.make_graph(nodes, "scrfd", [image], declared, weights)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8), str(path))
    return path


def recognition_file(path: Path, *, batch: int | str = "batch") -> Path:
    """Write a recognition model that returns the mean of each channel."""
    image = helper.make_tensor_value_info("input", TensorProto.FLOAT, [batch, 3, 112, 112])
    out = helper.make_tensor_value_info("output", TensorProto.FLOAT, [batch, 3])
    nodes = [
        helper.make_node("GlobalAveragePool", ["input"], ["mean"]),
        helper.make_node("Flatten", ["mean"], ["output"]),
    ]
    graph = helper.make_graph(nodes, "recognition", [image], [out])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8), str(path))
    return path


class ScriptedDetector:
    """A detector that returns what it was told to, image by image."""

    def __init__(self, answers: list[list[tuple[float, float, float, float]]]) -> None:
        self.answers = iter(answers)

    batch = 1
    facts: ClassVar[dict[str, str]] = {"detector": "scripted"}

    def detect_clips(self, clips: list[list[np.ndarray]]) -> list[list[Detections]]:
        return [[self.detect(image) for image in clip] for clip in clips]

    def detect(self, image: np.ndarray) -> Detections:
        """Faces are (x, y, size, score)."""
        faces = sorted(next(self.answers), key=lambda f: -f[3])
        shape = np.array([(0.3, 0.4), (0.7, 0.4), (0.5, 0.6), (0.35, 0.8), (0.65, 0.8)])
        boxes = np.array([(x, y, x + s, y + s) for x, y, s, _ in faces], np.float32).reshape(-1, 4)
        marks = np.array([(x, y) + s * shape for x, y, s, _ in faces], np.float32).reshape(-1, 5, 2)
        return Detections(boxes, np.array([f[3] for f in faces], np.float32), marks)


def landmarks_file(path: Path, points: np.ndarray, *, batch: int | str = 1) -> Path:
    """Write a network in the layout of ``2d106det`` that answers ``points`` (n, 2), whatever it sees."""
    n = points.size
    image = helper.make_tensor_value_info("data", TensorProto.FLOAT, [batch, 3, 192, 192])
    out = helper.make_tensor_value_info("fc1", TensorProto.FLOAT, [batch, n])
    weights = [
        helper.make_tensor("w", TensorProto.FLOAT, (3, n), np.zeros(3 * n, np.float32)),
        helper.make_tensor("b", TensorProto.FLOAT, (n,), points.reshape(-1).astype(np.float32)),
    ]
    nodes = [
        helper.make_node("GlobalAveragePool", ["data"], ["mean"]),
        helper.make_node("Flatten", ["mean"], ["flat"]),
        helper.make_node("Gemm", ["flat", "w", "b"], ["fc1"]),
    ]
    graph = helper.make_graph(nodes, "landmarks", [image], [out], weights)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8), str(path))
    return path
