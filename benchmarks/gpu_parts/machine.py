"""What is measured on: the GPU, the processor, the versions."""

from __future__ import annotations

import platform
import subprocess
from pathlib import Path

import torch

from avsieve.encoders.device import pick_device
from avsieve.storage.provenance import versions
from gpu_parts.part import Part, cores

PACKAGES = ("torch", "lightning-fabric", "transformers", "numpy", "pandas", "pyarrow", "onnxruntime")


def measure(part: Part) -> None:
    """Note the machine; raises a `ModelError` where the device is absent."""
    device = pick_device(part.device)
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    models = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    part.note(
        device=device.type, processor=models[0] if models else platform.machine(), cores=cores(),
        python=platform.python_version(), versions=versions(*PACKAGES), gpu=None,
    )  # fmt: skip
    if device.type == "cuda":
        own = torch.cuda.get_device_properties(device)
        part.note(
            gpu=own.name, gpu_memory_gib=round(own.total_memory / 2**30, 1), capability=f"{own.major}.{own.minor}",
            cuda=torch.version.cuda, cudnn=torch.backends.cudnn.version(), driver=_driver(),
        )  # fmt: skip


def _driver() -> str | None:
    try:
        asked = ["nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader"]
        return subprocess.run(asked, capture_output=True, text=True, check=True).stdout.splitlines()[0]
    except (OSError, subprocess.CalledProcessError):
        return None  # some containers come without nvidia-smi
