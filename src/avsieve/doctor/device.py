"""Which device the networks would run on, and with how much memory."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import TYPE_CHECKING

from avsieve.sources.findings import Finding

if TYPE_CHECKING:
    from avsieve.config.model import Config

TORCH_REMEDY = "install a CUDA build of torch (workflow/envs/torch-gpu.yaml), or set device: cpu"
RUNTIME_REMEDY = "install onnxruntime-gpu in place of onnxruntime (workflow/envs/faces-gpu.yaml), or set device: cpu"


@dataclass
class Devices:
    """Where torch's networks and ONNX files would run: ``cpu`` or ``cuda``."""

    torch: str = "cpu"
    onnx: str = "cpu"
    gpus: list[str] = field(default_factory=list)
    """What nvidia-smi names: name and memory."""


def gpus() -> list[str]:
    """Return name and memory of the GPUs that nvidia-smi lists; none without it."""
    if not shutil.which("nvidia-smi"):
        return []
    query = ["nvidia-smi", "--query-gpu=name,memory.total,memory.free", "--format=csv,noheader,nounits"]
    try:
        told = subprocess.run(query, capture_output=True, text=True, timeout=10, check=True).stdout
    except (OSError, subprocess.SubprocessError):
        return []
    rows = [[part.strip() for part in line.split(",")] for line in told.splitlines() if line.count(",") == 2]
    return [f"{name}, {_gib(free)} of {_gib(total)} GiB free" for name, total, free in rows]


def _gib(mib: str) -> str:
    return f"{int(mib) / 1024:.0f}" if mib.isdigit() else "?"


def check_device(config: Config) -> tuple[list[Finding], Devices]:
    """Resolve ``device`` as torch and ONNX Runtime would."""
    wanted = config.device
    devices = Devices(gpus=gpus())
    findings = [Finding("ok", "GPU", gpu) for gpu in devices.gpus]
    if wanted == "cpu":
        text = "cpu, as device says" + ("; the GPU is not used" if devices.gpus else "")
        return [*findings, Finding("note" if devices.gpus else "ok", "device", text)], devices
    torch_cuda, torch_text = _torch()
    onnx_cuda, onnx_text = _onnx()
    devices.torch = "cuda" if torch_cuda else "cpu"
    devices.onnx = "cuda" if onnx_cuda else "cpu"
    for name, cuda, text, remedy in (
        ("torch", torch_cuda, torch_text, TORCH_REMEDY),
        ("onnxruntime", onnx_cuda, onnx_text, RUNTIME_REMEDY),
    ):
        if cuda:
            findings.append(Finding("ok", f"device, {name}", f"cuda ({text})"))
        elif wanted.startswith("cuda"):
            findings.append(Finding("error", f"device, {name}", f"device is {wanted}, but {text}", remedy))
        elif devices.gpus or (torch_cuda or onnx_cuda):
            findings.append(Finding("warning", f"device, {name}", f"auto takes the cpu: {text}", remedy))
        else:
            findings.append(Finding("ok", f"device, {name}", f"auto: cpu ({text})"))
    return findings, devices


def _torch() -> tuple[bool, str]:
    if find_spec("torch") is None:
        return False, "torch is not installed"
    try:
        import torch
    except (ImportError, OSError) as error:
        return False, f"torch cannot be imported: {str(error).splitlines()[0]}"
    if torch.cuda.is_available():
        return True, f"torch {torch.__version__}, {torch.cuda.device_count()} devices"
    built = f"built for CUDA {torch.version.cuda}, finds no device" if torch.version.cuda else "a CPU build"
    return False, f"torch {torch.__version__} is {built}"


def _onnx() -> tuple[bool, str]:
    if find_spec("onnxruntime") is None:
        return False, "onnxruntime is not installed"
    try:
        import onnxruntime
    except (ImportError, OSError) as error:
        return False, f"onnxruntime cannot be imported: {str(error).splitlines()[0]}"
    offered = onnxruntime.get_available_providers()
    text = f"onnxruntime {onnxruntime.__version__} offers {', '.join(offered)}"
    return "CUDAExecutionProvider" in offered, text
