"""A model reads no file outside its own folder."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from avsieve.encoders.onnx_audio import OnnxSpeaker
from avsieve.errors import ModelError
from avsieve.onnx_runtime.shipped import check_external, read_onnx, resolve_model

VALUES = np.ones(4, np.float32)


def model_of(path: Path, location: str, *, within: str = "graph") -> Path:
    """Write a model whose weight lies in another file: of the graph itself, of a node, or of a graph in a node."""
    x, y = (helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 4]) for name in "xy")
    weight = TensorProto(name="w", data_type=TensorProto.FLOAT, dims=[1, 4], data_location=TensorProto.EXTERNAL)
    for key, value in (("location", location), ("offset", "0"), ("length", "16")):
        weight.external_data.add(key=key, value=value)
    constant = helper.make_node("Constant", [], ["w"], value=weight)
    add = helper.make_node("Add", ["x", "w"], ["y"])
    if within == "graph":
        graph = helper.make_graph([add], "g", [x], [y], [weight])
    elif within == "node":
        graph = helper.make_graph([constant, add], "g", [x], [y])
    else:
        z = helper.make_tensor_value_info("z", TensorProto.FLOAT, [1, 4])
        inner = helper.make_graph([constant, helper.make_node("Add", ["x", "w"], ["z"])], "i", [], [z])
        node = helper.make_node("If", ["c"], ["y"], then_branch=inner, else_branch=inner)
        graph = helper.make_graph([node], "g", [x, helper.make_tensor_value_info("c", TensorProto.BOOL, [])], [y])
    path.write_bytes(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)]).SerializeToString())
    return path


@pytest.mark.parametrize("within", ["graph", "node", "inner graph"])
@pytest.mark.parametrize("how", ["above", "whole path", "link"])
def test_weights_outside_the_folder_are_refused(tmp_path: Path, within: str, how: str) -> None:
    secret, folder = tmp_path / "secret.bin", tmp_path / "model"
    secret.write_bytes(VALUES.tobytes())
    folder.mkdir()
    (folder / "link.bin").symlink_to(secret)
    location = {"above": "../secret.bin", "whole path": str(secret), "link": "link.bin"}[how]
    path = model_of(folder / "m.onnx", location, within=within)
    for read in (check_external, read_onnx, lambda p: resolve_model(p, "recognition"), OnnxSpeaker):
        with pytest.raises(ModelError, match="outside its own folder"):
            read(path)


def test_weights_beside_the_model_are_read(tmp_path: Path) -> None:
    (tmp_path / "weights.bin").write_bytes(VALUES.tobytes())
    model = read_onnx(model_of(tmp_path / "m.onnx", "weights.bin"))
    np.testing.assert_array_equal(onnx.numpy_helper.to_array(model.graph.initializer[0]), VALUES[None])
