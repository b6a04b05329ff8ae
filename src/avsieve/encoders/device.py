"""Choose the device that a network runs on; never another one than was asked for."""

from __future__ import annotations

import logging

import torch

from avsieve.errors import ModelError

logger = logging.getLogger(__name__)
DEVICES = ("auto", "cpu", "cuda")
# Of a network's arithmetic; None leaves it at float32.
PRECISIONS = {"fp32": None, "bf16": torch.bfloat16, "fp16": torch.float16}


def pick_device(name: str) -> torch.device:
    """Return the device called ``name``: ``cpu``, ``cuda``, ``cuda:1``, …, or ``auto`` for CUDA where there is one.

    Raises
    ------
    ModelError
        If CUDA is asked for and this torch or this machine has none.
    """
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
        logger.info("device auto: %s", name)
    if name != "cpu" and not (name.split(":")[0] == "cuda" and torch.cuda.is_available()):
        built = f"built for CUDA {torch.version.cuda}" if torch.version.cuda else "a CPU build"
        raise ModelError(
            f"device {name!r}: not available ({torch.cuda.device_count()} CUDA devices, torch {torch.__version__}, "
            f"{built}); expected one of {', '.join(DEVICES)}: install a CUDA build of torch, or ask for cpu"
        )
    return torch.device(name)
