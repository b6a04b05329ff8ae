from __future__ import annotations

from pathlib import Path

import pytest

from avsieve.config.model import parse_config
from avsieve.doctor import device
from avsieve.doctor.device import check_device, gpus

SMI = "#!/bin/sh\necho 'NVIDIA H100 80GB HBM3, 81559, 80000'\n"


@pytest.fixture
def gpu(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "nvidia-smi").write_text(SMI)
    (tmp_path / "nvidia-smi").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")


def levels(wanted: str) -> dict[str, str]:
    return {f.subject: f.level for f in check_device(parse_config({"device": wanted}))[0]}


def test_memory_of_a_gpu_is_told(gpu: None) -> None:
    assert gpus() == ["NVIDIA H100 80GB HBM3, 78 of 80 GiB free"]


def test_a_gpu_that_auto_would_not_use_is_warned_of(gpu: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(device, "_torch", lambda: (True, "torch with CUDA"))
    monkeypatch.setattr(device, "_onnx", lambda: (False, "onnxruntime offers CPUExecutionProvider"))
    assert levels("auto") == {"GPU": "ok", "device, torch": "ok", "device, onnxruntime": "warning"}
    assert levels("cuda")["device, onnxruntime"] == "error"
    _, devices = check_device(parse_config({"device": "auto"}))
    assert (devices.torch, devices.onnx) == ("cuda", "cpu")


def test_a_gpu_beside_device_cpu_is_only_a_note(gpu: None) -> None:
    assert levels("cpu") == {"GPU": "ok", "device": "note"}
