"""The settings of the embeddings. Snakemake reads them: nothing heavy is imported."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, WithJsonSchema, field_validator

from avsieve.encoders.contract import listed
from avsieve.encoders.registry import AUDIO, VISUAL
from avsieve.encoders.segmentation import KINDS, PRESETS, Segmentation, segmentation_of
from avsieve.errors import ConfigError
from avsieve.settings import Block, Positive, key
from avsieve.storage.crops import CROPS
from avsieve.storage.sequence_names import HOPS

if TYPE_CHECKING:
    AudioName = str
    VisualName = str
    PresetName = str
    CropChoice = str
else:
    AudioName = Literal[AUDIO.names]
    VisualName = Literal[VISUAL.names]
    PresetName = Literal[tuple(PRESETS)]
    CropChoice = Literal[("auto", *CROPS.names)]

Precision = Literal["fp32", "fp16", "bf16"]


def _checked(entry: Any) -> Any:
    """Refuse an entry of `Audio.segments` that is no segmentation."""
    try:
        segmentation_of(entry)
    except ConfigError as error:
        raise ValueError(str(error)) from None
    return entry


def _schema() -> dict[str, Any]:
    """Return the JSON schema of an entry."""
    with_settings = []
    for name, kind in KINDS.items():
        usual = [preset for preset, of in PRESETS.items() if of == name]
        own = kind.settings.model_json_schema().get("properties", {})
        named = {"name": {"type": "string"}, "kind": {"const": name}, **own}
        with_settings += [
            {"type": "object", "properties": named, "required": ["name", "kind"], "additionalProperties": False},
            {
                "type": "object",
                "properties": named | {"name": {"enum": usual}},
                "required": ["name"],
                "additionalProperties": False,
            },
        ]
    return {"anyOf": [{"enum": list(PRESETS), "type": "string"}, *with_settings]}


class Audio(Block):
    """The voice encoder."""

    PLUG_INS: ClassVar[dict[str, Any]] = {"segments": KINDS}

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
    segments: list[
        Annotated[PresetName | dict[str, Any], BeforeValidator(_checked), WithJsonSchema(_schema())]
    ] = key(
        lambda: [HOPS],
        "Segmentations: the segments of each utterance that are embedded separately, by the name of a preset or with "
        "settings of their own, such as `{name: hops, length_s: 1.5}` or `{name: fifths, kind: parts, count: 5}`; "
        "`[]` for none. `evaluation.protocol: both` needs `hops`; a fusion model that reads segments says which.",
        "embed_audio",
    )  # fmt: skip

    @field_validator("segments")
    @classmethod
    def _each_name_once(cls, segments: list[Any]) -> list[Any]:
        names = [segmentation_of(entry).name for entry in segments]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"{twice[0]} is named {names.count(twice[0])} times; expected each segmentation once")
        return segments

    @property
    def segmentations(self) -> list[Segmentation]:
        """The segmentations that `segments` names."""
        return [segmentation_of(entry) for entry in self.segments]


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
    crop: CropChoice = key(
        "auto",
        "Kind of crop that the encoder is fed with (`faces.crops`); `auto` takes the one that the architecture's "
        "published weights were trained on. Others are resized to the network's input.",
        "embed_visual",
    )
    pooling: Literal["mean", "quality"] = key("quality", "How the faces of an utterance are weighted.", "embed_visual")
    batch: int = key(64, "Faces per batch; a torch network on the CPU uses 8.", "embed_visual", ge=1)
