"""Visual encoders by architecture name: (B, 3, 112, 112) float32 in [-1, 1] -> (B, dim) float32.

Every network has a `face_input`, which brings such faces to what it was trained on.
"""

from __future__ import annotations

from pathlib import Path

from torch import nn

from avsieve.encoders.checkpoint import load_into, read_metadata, read_state, resolve
from avsieve.encoders.face_input import FaceInput
from avsieve.encoders.registry import VISUAL, build
from avsieve.errors import ModelError

BUILTIN_FILE = "faces_mobileface_small.safetensors"
# How AVCleanse and VUT nest the names, and what lies beside the face encoder.
PREFIXES = ("module.", "face_encoder.", "audio_vis_model.", "vit_face_model.")
BESIDE = (
    "weight", "face_loss.", "speaker_encoder.", "speaker_loss.",
    "logits.", "speaker_extractor_model.", "fusion.", "loss_fc.",
)  # fmt: skip


def load_visual_encoder(arch: str, checkpoint: str | Path) -> nn.Module:
    """Return a trained visual encoder in evaluation mode, on the CPU.

    Parameters
    ----------
    arch
        A name of `VISUAL`, such as ``"iresnet50"``.
    checkpoint
        A safetensors file, a torch state dict (the keys of arcface_torch, AVCleanse, facenet-pytorch and VUT are
        understood), or ``"builtin"`` for the small model that ships with the package.

    Returns
    -------
    torch.nn.Module
        Maps (B, 3, 112, 112) float32 in [-1, 1], ``.channels`` being the order of their channels, to (B, dim) float32,
        not normalised (except FaceNet's, which are of length 1); ``.dim`` is the length. ``.channels`` is ``rgb``,
        ``bgr``, or None where neither the file nor the layout of its keys tells.

    Raises
    ------
    ModelError
        If the architecture is not known, or the file does not fit it; missing, unexpected and misshapen keys are
        listed.
    """
    return load_weights(build(VISUAL, arch), arch, checkpoint)


def load_weights(network: nn.Module, arch: str, checkpoint: str | Path) -> nn.Module:
    """Return ``network``, a new one of architecture ``arch``, with the weights of ``checkpoint``, in evaluation mode.

    Its ``.channels`` is then the order that they were trained on, as `load_visual_encoder` has it.

    Raises
    ------
    ModelError
        If the file does not fit it.
    """
    path = resolve(checkpoint, BUILTIN_FILE)
    metadata = read_metadata(path)
    trained_as = metadata.get("arch", arch)
    if trained_as != arch:
        raise ModelError(f"{path}: holds an encoder of architecture {trained_as!r}, asked for {arch!r}; name that one")
    state = read_state(path)
    face_input = network.face_input
    assert isinstance(face_input, FaceInput)
    network.channels = metadata.get("channels") or face_input.channels_of(state)  # type: ignore[assignment]
    return load_into(network, state, source=path, prefixes=PREFIXES, beside=BESIDE)
