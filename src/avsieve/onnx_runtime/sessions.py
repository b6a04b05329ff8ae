"""ONNX Runtime sessions as every face model gets them: named providers, one thread, no silent CPU."""

from __future__ import annotations

from typing import Any

import onnxruntime

from avsieve.errors import ModelError

CPU = "CPUExecutionProvider"
CUDA = "CUDAExecutionProvider"


def providers_for(device: str) -> list[str]:
    """Return the providers to ask for: ``cpu``, ``cuda`` (or ``cuda:0``), or ``auto`` for CUDA where it is offered.

    Raises
    ------
    ModelError
        If CUDA is asked for and this build of ONNX Runtime has none.
    """
    kind = device.split(":")[0]
    offered = onnxruntime.get_available_providers()
    if kind == "cpu" or (kind == "auto" and CUDA not in offered):
        return [CPU]
    if kind in ("cuda", "auto"):
        if CUDA not in offered:
            raise ModelError(
                f"device {device!r}: this onnxruntime offers {', '.join(offered)}; expected {CUDA}: "
                f"use the environment with onnxruntime-gpu (workflow/envs/faces-gpu.yaml), or ask for cpu"
            )
        return [CUDA, CPU]
    raise ModelError(f"device {device!r}: not known; expected auto, cpu or cuda")


def with_options(wanted: list[str], device: str = "cuda") -> list[Any]:
    """Return providers as a session takes them, with what CUDA needs to give the CPU's results at a steady speed.

    Without these options its convolutions round to TF32, ten bits, and every new shape of an input waits for a search
    over cuDNN's algorithms.

    Parameters
    ----------
    wanted
        As `providers_for` returns them.
    device
        What was asked for: the number in ``cuda:1`` is that of the GPU.
    """
    number = device.partition(":")[2] or "0"
    options = {"device_id": number, "use_tf32": "0", "cudnn_conv_algo_search": "HEURISTIC"}
    return [(name, options) if name == CUDA else name for name in wanted]


def session_options(threads: int = 1) -> Any:
    """Return session options with ``threads`` threads inside an operator.

    One thread a process and one process a core give more than twice the images of several threads a process.
    """
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    onnxruntime.set_default_logger_severity(3)
    return options


def check_provider(session: Any, wanted: list[str], model: str) -> str:
    """Return the provider that ``session`` runs on.

    Raises
    ------
    ModelError
        If it is not the first of ``wanted``: ONNX Runtime itself would go on, on the CPU.
    """
    found = session.get_providers()
    if found[0] != wanted[0]:
        raise ModelError(
            f"{model}: the session runs on {found[0]}, asked for {wanted[0]}; the driver, CUDA or cuDNN is missing or "
            f"does not fit this onnxruntime: fix that, or ask for cpu"
        )
    return str(found[0])
