"""The configuration: one model from which the schema, the reference and every check come.

Each key says what it means, its unit, and the first rule that runs again when it changes (``reruns``); what depends on
that rule follows.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, ValidationError, model_validator

from avsieve.cleansing.policy import check_policy
from avsieve.cleansing.settings import Audit, Cleansing
from avsieve.config.evaluation import Comparison, Evaluation
from avsieve.config.export import Export
from avsieve.config.source import Source
from avsieve.config.training import Training
from avsieve.errors import ConfigError
from avsieve.fusion.settings import Fusion
from avsieve.report.settings import Report
from avsieve.settings import Block, Positive, Share, key

MOVED: dict[str, str] = {
    "fusion.hidden": "a setting of its model: fusion.models: [{name: gated, hidden: 32}, linear]",
    "fusion.pull": "fusion.l2_sp",
    "evaluation.seed": "evaluation.holdout_seed (who is kept for testing), evaluation.trials_seed (which trials are "
    "made) and evaluation.bootstrap_seed (the intervals)",
}
"""Keys that there were once -> where their values go now, to complete the sentence "it is now ..."."""


class Media(Block):
    """Frames and sound."""

    interval_s: float = key(
        0.4,
        "A frame is taken at every multiple of this time, in seconds. From 0.04 on frames are named by 25ths of a "
        "second (`0010.jpg`), below by thousandths (`000033.jpg`); 0.001 is the least.",
        "extract_media",
        ge=0.001,
    )
    jpeg_quality: int = key(95, "Quality of the frames' JPEGs.", "extract_media", ge=1, le=100)
    min_audio_s: float = key(0.5, "Shorter sound is not used, in seconds.", "extract_media", ge=0)
    keep_frames: bool = key(
        True,
        "Keep the frames as JPEGs. With `false`, `extract_faces` takes the place of `extract_media` and `align_faces`: "
        "frames go to the detector in memory, which is faster and saves most of the disk, and another detector needs "
        "the clips decoded again.",
        "extract_media",
    )


class Faces(Block):
    """Faces in the frames."""

    detector: str = key(
        "builtin",
        "`builtin` (small, for the embedded corpus), an `.onnx` file, a folder of them, or the name of an InsightFace "
        "pack such as `buffalo_l`. InsightFace's own models are for non-commercial research only.",
        "align_faces",
    )
    detector_size: Annotated[int, Field(ge=32, le=2048)] | Literal["auto"] = key(
        "auto",
        "Side of the detector's square input, in pixels, a multiple of 32; `auto` takes the size of the frames, up to "
        "640 (VoxCeleb2's crops are 224).",
        "align_faces",
    )
    min_score: Share = key(0.5, "Faces with a lower detector score are recorded, and not used.", "align_faces")
    tracking: bool = key(
        False,
        "Look for a face where it was in the frame before, and over the whole frame when it is lost and at every "
        "fifth. Faster where faces are small in the frame; other faces may be missed meanwhile.",
        "align_faces",
    )
    landmarks: str = key(
        "none",
        "`none` aligns by the detector's five landmarks; an `.onnx` file or InsightFace pack with `2d106det` by five "
        "of its 106, as AVCleanse did.",
        "align_faces",
    )
    jpeg_quality: int = key(95, "Quality of the aligned faces' JPEGs.", "align_faces", ge=1, le=100)


class Audio(Block):
    """The encoder of voices."""

    arch: str = key(
        "ecapa_small",
        "Architecture: `ecapa_small`, `ecapa512`, `ecapa1024`, `rawnet2`, `wavlm_mhfa` (needs the extra `wavlm`), or "
        "`onnx` for any ONNX speaker encoder.",
        "embed_audio",
    )
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
    precision: Literal["fp32", "fp16", "bf16"] = key("fp32", "Of the network's arithmetic.", "embed_audio")
    batch_s: Positive = key(60.0, "Sound in a batch, in seconds; on the CPU at most 16.", "embed_audio")
    segment_s: float = key(
        2.0, "Length of the segments that have embeddings of their own, in seconds; 0 for none.", "embed_audio", ge=0
    )
    segment_hop_s: Positive = key(2.0, "Greatest distance of their beginnings, in seconds.", "embed_audio")


class Visual(Block):
    """The encoder of faces."""

    arch: str = key(
        "onnx",
        "`onnx` (InsightFace loads it), or an architecture: `iresnet18`, `iresnet34`, `iresnet50`, `iresnet100`, "
        "`inception_resnet_v1` (FaceNet, 160 pixels; faces are resized for it), `inception_resnet_v1_112`, "
        "`mobileface_small`.",
        "embed_visual",
    )
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
    precision: Literal["fp32", "fp16", "bf16"] = key("fp32", "Of a torch network's arithmetic.", "embed_visual")
    pooling: Literal["mean", "quality"] = key("quality", "Weight of the faces of an utterance.", "embed_visual")
    batch: int = key(64, "Faces in a batch; on the CPU a torch network takes 8 at a time.", "embed_visual", ge=1)


class Config(Block):
    """The whole configuration."""

    source: Source = key(Source, "", "plan_shards")
    shards: int = key(4, "Number of shards, hence of jobs a stage. 256 suits VoxCeleb2.", "plan_shards", ge=1, le=1000)
    max_failed: Share = key(
        0.2, "A stage stops when more than this share of a shard's utterances fails in it.", "fetch_media"
    )
    device: Literal["auto", "cpu", "cuda"] = key(
        "auto",
        "Where networks run. `cuda` stops when there is none; `auto` takes CUDA where there is one, and says so.",
        "align_faces",
    )
    media: Media = key(Media, "", "extract_media")
    faces: Faces = key(Faces, "", "align_faces")
    audio: Audio = key(Audio, "", "embed_audio")
    visual: Visual = key(Visual, "", "embed_visual")
    cleansing: Cleansing = key(Cleansing, "", "clean_list")
    audit: Audit = key(Audit, "", "audit_noise")
    training: Training = key(Training, "", "train_audio")
    fusion: Fusion = key(Fusion, "", "train_fusion")
    evaluation: Evaluation = key(Evaluation, "", "make_trials")
    comparison: Comparison = key(Comparison, "", "compare_lists")
    report: Report = key(Report, "", "write_report")
    export: Export = key(Export, "", "export_tree")

    @model_validator(mode="after")
    def _fits_its_source(self) -> Config:
        source = self.source.contract
        if not source.has_media:
            self._fits_embeddings(source.name, source.modalities)
        try:
            check_policy(self.cleansing.policy, source.modalities)
        except ConfigError as error:
            raise ValueError(f"cleansing.{error}") from None
        return self

    def _fits_embeddings(self, kind: str, given: list[str]) -> None:
        """Refuse what needs clips of a source that has none."""
        if self.evaluation.protocol == "both":
            raise ValueError(
                f"evaluation.protocol is 'both', but source.kind {kind} has no embeddings of segments and single "
                "faces: set it to full"
            )
        if self.fusion.models and len(given) < 2:
            raise ValueError(
                f"fusion.models is {self.fusion.names}, but only one of source.{kind}.audio and visual is given: "
                "set it to []"
            )
        if self.comparison.in_report:
            raise ValueError(
                f"comparison.in_report is true, but source.kind {kind} has no wavs and faces to train encoders on: "
                "set it to false"
            )


def _message(error: ValidationError, where: str) -> str:
    lines = []
    for item in error.errors():
        name = ".".join(str(part) for part in item["loc"]) or "the configuration"
        if item["type"] == "extra_forbidden":
            known = _known_keys(item["loc"][:-1])
            lines.append(f"{where}: unknown key {name}; expected one of {', '.join(known)}")
        else:
            message = item["msg"].removeprefix("Value error, ")
            found = "" if isinstance(item["input"], dict) else f" is {item['input']!r}"
            lines.append(f"{where}: {name}{found}: {message}")
    return "\n".join(lines)


def _known_keys(path: tuple[int | str, ...]) -> list[str]:
    model: type[BaseModel] = Config
    for part in path:
        inner = model.model_fields[str(part)].annotation
        if not (isinstance(inner, type) and issubclass(inner, BaseModel)):
            break
        model = inner
    return sorted(model.model_fields)


def _refuse_moved(values: dict[str, Any], where: str) -> None:
    """Refuse keys of `MOVED`, and say where each one went (`ConfigError`)."""
    lines = []
    for name, now in MOVED.items():
        inner: Any = values
        for part in name.split("."):
            inner = inner[part] if isinstance(inner, dict) and part in inner else None
        if inner is not None:
            lines.append(f"{where}: there is no key {name} any more; it is now {now}")
    if lines:
        raise ConfigError("\n".join(lines))


def parse_config(values: dict[str, Any], where: str = "config") -> Config:
    """Check ``values`` and fill in the defaults.

    Raises
    ------
    ConfigError
        Naming each unknown key and wrong value, and where a key went that has moved.
    """
    _refuse_moved(values, where)
    try:
        return Config.model_validate(values)
    except ValidationError as error:
        raise ConfigError(_message(error, where)) from None
