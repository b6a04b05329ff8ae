"""Audio encoders by architecture name: (B, samples) float32 at 16 kHz -> (B, dim) float32."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import torch
from torch import Tensor, nn

from avsieve.encoders.checkpoint import load_into, read_metadata, read_state, resolve
from avsieve.encoders.contract import Examined
from avsieve.encoders.device import pick_device
from avsieve.encoders.registry import AUDIO, build
from avsieve.errors import ModelError

BUILTIN_FILE = "audio_ecapa_small.safetensors"
# How AVCleanse and its ancestors nest the names, and what they store beside the encoder.
PREFIXES = ("module.", "model.", "speaker_encoder.", "encoder.")
BESIDE = ("weight", "speaker_loss.", "face_encoder.", "face_loss.", "loss.", "criterion.", "classifier.", "projection.")


@runtime_checkable
class Adapting(Protocol):
    """A network that knows published layouts of its checkpoints beside its own."""

    def adapt_state(self, state: dict[str, Tensor]) -> dict[str, Tensor]:
        """Return the checkpoint under the network's own names."""
        ...


# The constants of the front end, which torchaudio stores with the weights; ours are computed.
FRONT_END = ("torchfbank.",)


def load_audio_encoder(
    arch: str, checkpoint: str | Path, *, device: str = "cpu", features: str = "auto", threads: int = 1
) -> nn.Module:
    """Return a trained audio encoder in evaluation mode.

    Parameters
    ----------
    arch
        A name of `AUDIO`, such as ``"ecapa1024"``, or ``"onnx"``.
    checkpoint
        A safetensors file, a torch state dict (read with ``weights_only=True``; the prefixes and loss weights of
        AVCleanse's files are understood), or ``"builtin"`` for the small model that ships with the package. For
        ``onnx``: the ONNX file.
    device
        Where the encoder runs: ``cpu``, ``cuda``, ``cuda:N`` or ``auto``. A torch network can be moved later, the
        session of an ONNX file cannot.
    features, threads
        Of an ONNX file: see `avsieve.encoders.onnx_audio.OnnxSpeaker`.

    Returns
    -------
    torch.nn.Module
        Maps (B, samples) float32 at 16 kHz to (B, dim) float32, not normalised; ``.dim`` is the length.

    Raises
    ------
    ModelError
        If the architecture is not known, or the file does not fit it; missing, unexpected and misshapen keys are
        listed.
    """
    speaker: nn.Module = AUDIO[arch].load(arch, checkpoint, device=device, features=features, threads=threads)
    return speaker.eval()


def load_network(arch: str, checkpoint: str | Path, *, device: str, features: str, threads: int) -> nn.Module:
    """Return a torch network with its weights: how `AUDIO` loads those that have one.

    Raises
    ------
    ModelError
        If the file does not fit the network, or features are asked for: a network computes its own.
    """
    if features != "auto":
        raise ModelError(f"audio.features is {features!r}, the architecture {arch!r} has features of its own: set auto")
    return load_weights(build(AUDIO, arch), arch, checkpoint).to(pick_device(device))


def examine(audio: Any) -> Examined:
    """Try the weights that the block ``audio`` of the configuration names, for the doctor.

    Raises
    ------
    AvsieveError
        If they do not fit the architecture.
    ImportError
        If a package is missing.
    """
    load_audio_encoder(audio.arch, audio.checkpoint, features=audio.features)
    return Examined(resolve(audio.checkpoint, BUILTIN_FILE))


def load_weights(network: nn.Module, arch: str, checkpoint: str | Path) -> nn.Module:
    """Return ``network``, a new one of architecture ``arch``, with the weights of ``checkpoint``, in evaluation mode.

    Raises
    ------
    ModelError
        If the file does not fit it.
    """
    path = resolve(checkpoint, BUILTIN_FILE)
    trained_as = read_metadata(path).get("arch", arch)
    if trained_as != arch:
        raise ModelError(f"{path}: holds an encoder of architecture {trained_as!r}, asked for {arch!r}; name that one")
    state = read_state(path)
    if isinstance(network, Adapting):
        state = network.adapt_state(state)
    _check_front_end(network, state, path)
    # An architecture may nest its own names as other projects nest whole networks.
    prefixes = getattr(network, "prefixes", PREFIXES)
    beside = (*BESIDE, *getattr(network, "beside", ()))
    return load_into(network, state, source=path, prefixes=prefixes, beside=beside, optional=FRONT_END)


def _check_front_end(network: nn.Module, state: dict[str, Tensor], path: Path) -> None:
    """Refuse a checkpoint whose stored window or mel filters are not those that the network computes."""
    for name, stored in state.items():
        for end, own in (("spectrogram.window", "fbank.window"), ("mel_scale.fb", "fbank.filters")):
            if not name.endswith(f"torchfbank.1.{end}"):
                continue
            computed = network.get_buffer(own)
            if stored.shape != computed.shape or not torch.allclose(stored, computed, atol=1e-3):
                raise ModelError(
                    f"{path}: {name} {tuple(stored.shape)} is not the front end of this architecture "
                    f"{tuple(computed.shape)}; it was trained on other features"
                )
