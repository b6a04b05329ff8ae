"""Visual encoders by architecture name: (B, 3, 112, 112) float32 in [-1, 1] -> (B, dim) float32."""

from __future__ import annotations

from pathlib import Path

from torch import nn

from avsieve.encoders.checkpoint import load_into, read_metadata, read_state, resolve
from avsieve.encoders.registry import build
from avsieve.errors import ModelError

VISUAL: dict[str, str] = {
    "mobileface_small": "avsieve.encoders.mobileface:mobileface_small",
    "iresnet18": "avsieve.encoders.iresnet:iresnet18",
    "iresnet34": "avsieve.encoders.iresnet:iresnet34",
    "iresnet50": "avsieve.encoders.iresnet:iresnet50",
    "iresnet100": "avsieve.encoders.iresnet:iresnet100",
}
BUILTIN_FILE = "faces_mobileface_small.safetensors"
PREFIXES = ("module.", "face_encoder.")
BESIDE = ("weight", "face_loss.", "speaker_encoder.", "speaker_loss.")


def load_visual_encoder(arch: str, checkpoint: str | Path) -> nn.Module:
    """Return a trained visual encoder in evaluation mode, on the CPU.

    Parameters
    ----------
    arch
        A name of `VISUAL`, such as ``"iresnet50"``.
    checkpoint
        A safetensors file, a torch state dict (arcface_torch's and AVCleanse's keys are understood), or ``"builtin"``
        for the small model that ships with the package.

    Returns
    -------
    torch.nn.Module
        Maps (B, 3, 112, 112) float32 in [-1, 1], in the channel order it was trained on, to (B, dim) float32, not
        normalised; ``.dim`` is the length.

    Raises
    ------
    ModelError
        If the architecture is not known, or the file does not fit it; missing, unexpected and misshapen keys are
        listed.
    """
    network = build(VISUAL, arch)
    path = resolve(checkpoint, BUILTIN_FILE)
    trained_as = read_metadata(path).get("arch", arch)
    if trained_as != arch:
        raise ModelError(f"{path}: holds an encoder of architecture {trained_as!r}, asked for {arch!r}; name that one")
    return load_into(network, read_state(path), source=path, prefixes=PREFIXES, beside=BESIDE)
