from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from avsieve.encoders.examination import examine_onnx
from avsieve.encoders.settings import Visual
from avsieve.errors import ModelError
from tests.faces.face_fakes import landmarks_file, recognition_file


def test_a_recognition_model_has_no_problem(tmp_path: Path) -> None:
    path = recognition_file(tmp_path / "m.onnx")
    found = examine_onnx(Visual(model=str(path)))
    assert (found.path, found.problem) == (path, None)


def test_another_network_is_a_problem_with_what_was_found_and_a_remedy(tmp_path: Path) -> None:
    path = landmarks_file(tmp_path / "m.onnx", np.zeros((106, 2)))
    found = examine_onnx(Visual(model=str(path)))
    assert found.problem is not None
    assert found.problem.text == (f"{path}: input [192, 192], 1 outputs; expected a recognition model of 112 x 112")
    assert "w600k_r50" in found.problem.remedy


def test_a_missing_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"absent\.onnx: no such recognition model"):
        examine_onnx(Visual(model=str(tmp_path / "absent.onnx")))
