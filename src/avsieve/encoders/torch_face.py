"""Face encoders as torch networks, by architecture and checkpoint, for the embedding stage."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from avsieve.encoders.checkpoint import resolve
from avsieve.encoders.contract import Examined, Problem
from avsieve.encoders.device import PRECISIONS, pick_device
from avsieve.encoders.face_input import CHANNELS
from avsieve.encoders.visual import BUILTIN_FILE, load_visual_encoder
from avsieve.errors import ModelError
from avsieve.storage.provenance import sha256_of

logger = logging.getLogger(__name__)
# A CPU is fastest with few faces at a time, whose activations stay in its caches, and with the channels last: 22 faces
# a second with iresnet18 in place of 16 with batches of 32 and channels first (benchmarks/embed.py --sizes).
CPU_BATCH = 8


class TorchFaceEncoder:
    """A network of `avsieve.encoders.registry.VISUAL`.

    Parameters
    ----------
    arch, checkpoint
        As `load_visual_encoder` takes them.
    channels
        ``rgb`` or ``bgr``: what the network was trained on. ``auto`` takes what the checkpoint says, or the project
        that lays out its keys so; see `avsieve.encoders.face_input.FaceInput`.
    precision
        ``fp32``, ``fp16`` or ``bf16``: of the network's arithmetic.

    Raises
    ------
    ModelError
        If the order of the channels is not known.
    """

    def __init__(
        self,
        arch: str,
        checkpoint: str | Path,
        *,
        channels: str = "auto",
        device: str = "cpu",
        precision: str = "fp32",
        threads: int = 1,
    ) -> None:
        torch.set_num_threads(threads)
        self._device = pick_device(device)
        self.path = resolve(checkpoint, BUILTIN_FILE)
        net = load_visual_encoder(arch, checkpoint)
        known = str(net.channels) if channels == "auto" else channels
        if known not in CHANNELS:
            raise ModelError(
                f"{self.path}: does not say whether it was trained on RGB or BGR faces; "
                f"set visual.channels (--channels) to rgb or bgr"
            )
        if channels == "auto":
            logger.info("%s: fed with %s, as its keys or its metadata say", self.path.name, known.upper())
        self.arch, self.channels, self.precision = arch, known, precision
        self._kind = PRECISIONS[precision]
        self._step = CPU_BATCH if self._device.type == "cpu" else None
        # On CUDA the units for half precision want the channels last as well; for float32 nothing is gained.
        last = self._step is not None or self._kind is not None
        self._layout = torch.channels_last if last else torch.contiguous_format
        self._net = net.to(self._device, memory_format=self._layout)  # type: ignore[call-overload]
        self.dim = self.embed(np.zeros((1, 112, 112, 3), np.uint8)).shape[1]

    @property
    def facts(self) -> dict[str, Any]:
        """What a shard's provenance should say about this encoder."""
        return {
            "encoder": self.path.name,
            "encoder_arch": self.arch,
            "encoder_sha256": sha256_of(self.path),
            "channels": self.channels,
            "device": str(self._device),
            "precision": self.precision,
        }

    def embed(self, faces: np.ndarray) -> np.ndarray:
        """Return embeddings (B, dim) float32, not normalised, of faces (B, 112, 112, 3) uint8 BGR."""
        return self.run(self.prepare(faces))

    def prepare(self, faces: np.ndarray) -> Tensor:
        """Return faces (B, 112, 112, 3) uint8 BGR as (B, 3, 112, 112) uint8 in the network's order of channels.

        For CUDA in pinned memory: bytes are copied, and made floats where they are used.
        """
        ordered = faces[..., ::-1] if self.channels == "rgb" else faces
        batch = torch.from_numpy(np.ascontiguousarray(ordered.transpose(0, 3, 1, 2)))
        return batch.pin_memory() if self._device.type == "cuda" else batch

    def run(self, prepared: Tensor) -> np.ndarray:
        """Return embeddings (B, dim) float32 of what `prepare` returned."""
        with torch.inference_mode(), torch.autocast(self._device.type, self._kind, enabled=self._kind is not None):
            parts = prepared.split(self._step or len(prepared))
            return torch.cat([self._net(self._scaled(part)).float() for part in parts]).cpu().numpy()

    def _scaled(self, faces: Tensor) -> Tensor:
        floats = faces.to(self._device, non_blocking=True).float()
        return ((floats - 127.5) / 127.5).contiguous(memory_format=self._layout)


def load(arch: str, model: str | Path, *, channels: str, precision: str, device: str, threads: int) -> TorchFaceEncoder:
    """Return a network with its weights: how `avsieve.encoders.registry.VISUAL` loads those that have one."""
    return TorchFaceEncoder(arch, model, channels=channels, precision=precision, device=device, threads=threads)


def examine(visual: Any) -> Examined:
    """Try the weights that the block ``visual`` of the configuration names, for the doctor (`AvsieveError`)."""
    network, path = load_visual_encoder(visual.arch, visual.model), resolve(visual.model, BUILTIN_FILE)
    if visual.channels == "auto" and not network.channels:
        text = f"{path} does not say whether it was trained on RGB or BGR faces"
        return Examined(path, Problem("channels", text, "set visual.channels to rgb or bgr"))
    return Examined(path)
