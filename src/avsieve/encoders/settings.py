"""The settings of the embeddings. Snakemake reads them: nothing heavy is imported."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from avsieve.encoders.contract import listed
from avsieve.encoders.registry import AUDIO, VISUAL
from avsieve.settings import Block, Positive, key

if TYPE_CHECKING:
    AudioName = str
    VisualName = str
else:
    AudioName = Literal[AUDIO.names]
    VisualName = Literal[VISUAL.names]

Precision = Literal["fp32", "fp16", "bf16"]


class Audio(Block):
    """The voice encoder."""

    arch: AudioName = key("ecapa_small", f"Architecture: {listed(AUDIO)}.", "embed_audio")
    checkpoint: str = key(
        "builtin",
        "`builtin` (small, for the embedded corpus), or a file of weights of this architecture.",
        "embed_audio",
    )
    features: Literal["auto", "wave", "wespeaker", "3dspeaker"] = key(
        "auto",
        "Input of an ONNX file: waveforms, or Kaldi filter banks as computed by WeSpeaker or 3D-Speaker; `auto` "
        "reads it from the file's inputs and metadata.",
        "embed_audio",
    )
    precision: Precision = key("fp32", "Numerical precision of the network.", "embed_audio")
    batch_s: Positive = key(60.0, "Length of a batch, in seconds of sound; at most 16 on the CPU.", "embed_audio")
    segment_s: float = key(
        2.0, "Length of the segments that are embedded separately, in seconds; 0 for none.", "embed_audio", ge=0
    )
    segment_hop_s: Positive = key(2.0, "Maximum distance between segment starts, in seconds.", "embed_audio")


class Visual(Block):
    """The face encoder."""

    arch: VisualName = key("onnx", f"Architecture: {listed(VISUAL)}.", "embed_visual")
    model: str = key(
        "builtin",
        "`builtin` (small, for the embedded corpus), an `.onnx` file or InsightFace pack, or weights of the "
        "architecture.",
        "embed_visual",
    )
    channels: Literal["auto", "rgb", "bgr"] = key(
        "auto",
        "Channel order that a torch network was trained with; `auto` reads it from the metadata, or recognises the "
        "project from the names of the keys (AVCleanse: BGR; arcface_torch, facenet-pytorch: RGB).",
        "embed_visual",
    )
    precision: Precision = key("fp32", "Numerical precision of a torch network.", "embed_visual")
    pooling: Literal["mean", "quality"] = key("quality", "How the faces of an utterance are weighted.", "embed_visual")
    batch: int = key(64, "Faces per batch; a torch network on the CPU uses 8.", "embed_visual", ge=1)
