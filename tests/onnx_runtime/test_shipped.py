from __future__ import annotations

import pytest

from avsieve.errors import ModelError
from avsieve.onnx_runtime.shipped import read_onnx, resolve_model
from tests.faces.face_fakes import recognition_file, scrfd_file


def test_a_folder_gives_the_model_of_the_task(tmp_path):
    detector = scrfd_file(tmp_path / "det_500m.onnx")
    recognition = recognition_file(tmp_path / "w600k_mbf.onnx")
    assert resolve_model(tmp_path, "detector") == detector
    assert resolve_model(tmp_path, "recognition") == recognition


def test_a_folder_with_two_detectors_is_ambiguous(tmp_path):
    scrfd_file(tmp_path / "a.onnx")
    scrfd_file(tmp_path / "b.onnx")
    with pytest.raises(ModelError, match=r"a\.onnx, b\.onnx; give the path"):
        resolve_model(tmp_path, "detector")


def test_missing_and_damaged_models_are_named(tmp_path):
    with pytest.raises(ModelError, match=r"absent\.onnx: no such detector model"):
        resolve_model(tmp_path / "absent.onnx", "detector")
    with pytest.raises(ModelError, match="no_such_pack"):
        resolve_model("no_such_pack", "detector")
    (tmp_path / "text.onnx").write_text("this is text, no protobuf")
    with pytest.raises(ModelError, match=r"not an ONNX file|without inputs"):
        read_onnx(tmp_path / "text.onnx")


@pytest.mark.parametrize(("task", "outputs"), [("detector", 9), ("recognition", 1)])
def test_the_shipped_models_are_those_of_their_task(task: str, outputs: int) -> None:
    assert len(read_onnx(resolve_model("builtin", task)).graph.output) == outputs


def test_no_landmarks_are_shipped() -> None:
    with pytest.raises(ModelError, match=r"no landmarks model is shipped; give an \.onnx file"):
        resolve_model("builtin", "landmarks")
