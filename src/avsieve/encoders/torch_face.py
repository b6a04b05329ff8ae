"""Face encoders as torch networks, by architecture and checkpoint, for the embedding stage."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import numpy as np
import torch

from avsieve.encoders.checkpoint import resolve
from avsieve.encoders.device import pick_device
from avsieve.encoders.face_input import CHANNELS
from avsieve.encoders.visual import BUILTIN_FILE, load_visual_encoder
from avsieve.errors import ModelError
from avsieve.provenance import sha256_of

logger = logging.getLogger(__name__)


class TorchFaceEncoder:
    """A network of `avsieve.encoders.visual.VISUAL`.

    Parameters
    ----------
    arch, checkpoint
        As `load_visual_encoder` takes them.
    channels
        ``rgb`` or ``bgr``: what the network was trained on. ``auto`` takes what the checkpoint says, or the project
        that lays out its keys so; see `avsieve.encoders.face_input.FaceInput`.

    Raises
    ------
    ModelError
        If the order of the channels is not known.
    """

    def __init__(
        self, arch: str, checkpoint: str | Path, *, channels: str = "auto", device: str = "cpu", threads: int = 1
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
        self.arch, self.channels = arch, known
        self._net = net.to(self._device)
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
        }

    @torch.inference_mode()
    def embed(self, faces: np.ndarray) -> np.ndarray:
        """Return embeddings (B, dim) float32, not normalised, of faces (B, 112, 112, 3) uint8 BGR."""
        ordered = faces[..., ::-1] if self.channels == "rgb" else faces
        batch = torch.from_numpy(np.ascontiguousarray(ordered.transpose(0, 3, 1, 2))).to(self._device)
        return self._net((batch.float() - 127.5) / 127.5).float().cpu().numpy()
