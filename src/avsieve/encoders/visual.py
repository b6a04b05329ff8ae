"""Visual encoders by architecture name: (B, 3, 112, 112) float32 in [-1, 1] -> (B, dim) float32."""

from __future__ import annotations

from pathlib import Path

from torch import nn

from avsieve.encoders.checkpoint import load_into, read_state, resolve
from avsieve.encoders.registry import build

VISUAL: dict[str, str] = {}
BUILTIN_FILE = "visual.safetensors"
PREFIXES = ("module.", "face_encoder.")
BESIDE = ("weight", "face_loss.", "speaker_encoder.", "speaker_loss.")


def load_visual_encoder(arch: str, checkpoint: str | Path) -> nn.Module:
    """Return a trained visual encoder in evaluation mode, on the CPU.

    Raises
    ------
    ModelError
        If the architecture is not known, or the file does not fit it; missing, unexpected and misshapen keys are
        listed.
    """
    network = build(VISUAL, arch)
    path = resolve(checkpoint, BUILTIN_FILE)
    return load_into(network, read_state(path), source=path, prefixes=PREFIXES, beside=BESIDE)
