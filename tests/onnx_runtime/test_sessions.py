from __future__ import annotations

import pytest

from avsieve.errors import ModelError
from avsieve.faces.detector import FaceDetector
from avsieve.onnx_runtime.sessions import CPU, CUDA, providers_for, session_options, with_options
from tests.faces.face_fakes import scrfd_file


def test_cuda_is_never_replaced_by_the_cpu(tmp_path, monkeypatch):
    monkeypatch.setattr("onnxruntime.get_available_providers", lambda: ["CPUExecutionProvider"])
    with pytest.raises(ModelError, match="onnxruntime-gpu"):
        FaceDetector(scrfd_file(tmp_path / "a.onnx"), size=224, min_score=0.5, device="cuda")


@pytest.mark.filterwarnings("ignore:Specified provider")
def test_a_session_that_came_up_on_the_cpu_is_refused_when_cuda_was_asked_for(tmp_path, monkeypatch):
    offered = ["CUDAExecutionProvider", "CPUExecutionProvider"]
    monkeypatch.setattr("onnxruntime.get_available_providers", lambda: offered)
    with pytest.raises(ModelError, match="runs on CPUExecutionProvider, asked for CUDAExecutionProvider"):
        FaceDetector(scrfd_file(tmp_path / "a.onnx"), size=224, min_score=0.5, device="cuda")


def test_auto_takes_cuda_where_it_is_offered(monkeypatch: pytest.MonkeyPatch) -> None:
    for offered, wanted in (([CPU], [CPU]), ([CUDA, CPU], [CUDA, CPU])):
        monkeypatch.setattr("onnxruntime.get_available_providers", lambda offered=offered: offered)
        assert providers_for("auto") == wanted
        assert providers_for("cpu") == [CPU]
    assert providers_for("cuda:1") == [CUDA, CPU]
    with pytest.raises(ModelError, match="device 'tpu': not known"):
        providers_for("tpu")


def test_cuda_gets_the_number_of_the_gpu_and_no_tf32() -> None:
    (name, options), cpu = with_options([CUDA, CPU], "cuda:3")
    assert (name, cpu) == (CUDA, CPU)
    assert (options["device_id"], options["use_tf32"]) == ("3", "0")
    assert with_options([CUDA])[0][1]["device_id"] == "0"
    assert with_options([CPU]) == [CPU]


def test_a_session_has_the_threads_that_it_is_given() -> None:
    options = session_options(3)
    assert (options.intra_op_num_threads, options.inter_op_num_threads) == (3, 1)
