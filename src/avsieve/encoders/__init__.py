"""Encoders: networks that turn a waveform or a face into an embedding.

``load_audio_encoder`` and ``load_visual_encoder`` live in `avsieve.encoders.audio` and `avsieve.encoders.visual`, and
are looked up there when first used: a stage of one modality neither loads the other's code nor reruns for its edits.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from avsieve.encoders.audio import load_audio_encoder
    from avsieve.encoders.visual import load_visual_encoder

__all__ = ["load_audio_encoder", "load_visual_encoder"]

_HOMES = {"load_audio_encoder": "audio", "load_visual_encoder": "visual"}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
