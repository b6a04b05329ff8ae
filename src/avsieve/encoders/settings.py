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
    """The encoder of voices."""

    arch: AudioName = key("ecapa_small", f"Architecture: {listed(AUDIO)}.", "embed_audio")
    checkpoint: str = key(
        "builtin",
        "`builtin` (small, for the embedded corpus), or a file of weights of this architecture.",
        "embed_audio",
    )
    features: Literal["auto", "wave", "wespeaker", "3dspeaker"] = key(
        "auto",
        "What an ONNX file is fed with: waveforms, or Kaldi filter banks as WeSpeaker or 3D-Speaker compute them; "
        "`auto` takes it from the file's inputs and metadata.",
        "embed_audio",
    )
    precision: Precision = key("fp32", "Of the network's arithmetic.", "embed_audio")
    batch_s: Positive = key(60.0, "Sound in a batch, in seconds; on the CPU at most 16.", "embed_audio")
    segment_s: float = key(
        2.0, "Length of the segments that have embeddings of their own, in seconds; 0 for none.", "embed_audio", ge=0
    )
    segment_hop_s: Positive = key(2.0, "Greatest distance of their beginnings, in seconds.", "embed_audio")


class Visual(Block):
    """The encoder of faces."""

    arch: VisualName = key("onnx", f"Architecture: {listed(VISUAL)}.", "embed_visual")
    model: str = key(
        "builtin",
        "`builtin` (small, for the embedded corpus), an `.onnx` file or InsightFace pack, or weights of the "
        "architecture.",
        "embed_visual",
    )
    channels: Literal["auto", "rgb", "bgr"] = key(
        "auto",
        "Order of the channels that a torch network was trained with; `auto` takes it from the weights' own metadata, "
        "or from the project that names its keys so (AVCleanse: BGR; arcface_torch, facenet-pytorch: RGB).",
        "embed_visual",
    )
    precision: Precision = key("fp32", "Of a torch network's arithmetic.", "embed_visual")
    pooling: Literal["mean", "quality"] = key("quality", "Weight of the faces of an utterance.", "embed_visual")
    batch: int = key(64, "Faces in a batch; on the CPU a torch network takes 8 at a time.", "embed_visual", ge=1)
