"""Train encoders from shards: steps a second, the network's own limit, peak memory, how busy the GPU is."""

from __future__ import annotations

import statistics
import threading
from typing import Any

import cv2
import torch
from train import SPEAKERS, WARM, Ready, crops, fresh, images, make_up, rate

from avsieve.encoders.visual import VISUAL
from avsieve.training.devices import Machine, start
from gpu_parts.part import Facts, Part, cores

# ecapa1024 with iresnet18 are AVCleanse's encoders.
BATCHES = {"ecapa1024": 128, "iresnet18": 128, "iresnet50": 128, "wavlm_mhfa": 32}
DRY_BATCHES = {"ecapa_small": 4, "mobileface_small": 4, "wavlm_mhfa": 1}
PRECISIONS = ("bf16", "fp32", "fp16")  # what matters most first
STEPS = 20


class Busy:
    """How busy the GPU is while something runs, in percent, asked for ten times a second."""

    def __init__(self, device: str) -> None:
        self.found: list[int] = []
        self.error: str | None = None if device == "cuda" else "no GPU"
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Busy:
        """Begin."""
        if self.error is None:
            self._thread.start()
        return self

    def _watch(self) -> None:
        while not self._over.wait(0.1):
            try:
                self.found.append(torch.cuda.utilization())
            except Exception as error:  # noqa: BLE001 - no nvidia-ml-py, or what NVML says: recorded as the reason
                self.error = str(error)
                return

    def __exit__(self, *_: object) -> None:
        """End."""
        self._over.set()
        if self._thread.is_alive():
            self._thread.join()

    def facts(self) -> Facts:
        """Return the median, or why there is none."""
        if not self.found:
            return {"gpu_busy_percent": None, "gpu_busy_unknown": self.error or "over too soon"}
        return {"gpu_busy_percent": statistics.median(self.found)}


def measure(part: Part) -> None:
    """Time every network in every precision."""
    cv2.setNumThreads(1)
    torch.set_num_threads(1)  # the workers need the cores
    files = make_up(part.work)
    workers = 0 if part.dry else max(1, min(12, cores() - 2))
    part.note(steps=part.size(STEPS, 1), workers=workers, crop_s=2.015)
    for precision in PRECISIONS[1:2] if part.dry else PRECISIONS:
        batches = DRY_BATCHES if part.dry else BATCHES
        for arch in part.chosen(batches):
            batch = batches[arch]
            part.case(lambda a=arch, b=batch, p=precision: trained(part, files, a, b, p, workers), arch, precision)


def trained(part: Part, files: Any, arch: str, batch: int, precision: str, workers: int) -> Facts:
    """Return the figures of a network."""
    train_list, wavs, faces = files
    steps = part.size(STEPS, 1)
    fabric = start(Machine(part.device, precision=precision))
    source = (images(train_list, faces, batch, steps + WARM) if arch in VISUAL else
              crops(train_list, wavs, batch, steps + WARM))  # fmt: skip
    cuda = part.device == "cuda"
    if cuda:
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()
    ready: Any = Ready(source[0], source.dimensions)
    alone = rate(fabric, fresh(arch), SPEAKERS, ready, steps, 0)
    with Busy(part.device) as busy:
        found = rate(fabric, fresh(arch), SPEAKERS, source, steps, workers)
    return {
        "batch": batch,
        "steps_per_s": round(found, 2),
        "batch_in_memory_steps_per_s": round(alone, 2),
        "share_of_batch_in_memory": round(found / alone, 3),
        "peak_memory_gib": round(torch.cuda.max_memory_allocated() / 2**30, 2) if cuda else None,
        **busy.facts(),
    }
