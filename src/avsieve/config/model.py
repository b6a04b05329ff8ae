"""The configuration: one model from which the schema, the reference and every check come.

Each key says what it means, its unit, and the first rule that runs again when it changes (``reruns``); what depends on
that rule follows.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ValidationError, model_validator

from avsieve.cleansing.options import check_options, check_policy
from avsieve.config.evaluation import Comparison, Evaluation
from avsieve.config.export import Export
from avsieve.config.source import Source
from avsieve.config.training import Training
from avsieve.encoders.settings import Audio, Visual
from avsieve.errors import ConfigError
from avsieve.faces.settings import Faces
from avsieve.media.settings import Media
from avsieve.settings import Block, Positive, Share, key


class Cleansing(Block):
    """The decision over the similarities."""

    method: Literal["posterior", "fixed_threshold", "two_step", "mixture", "confident"] = key(
        "posterior", "How similarities become a probability that a label is wrong.", "clean_list"
    )
    policy: Literal["either", "audio", "visual", "both"] = key(
        "either", "What must be wrong for an utterance to be flagged.", "clean_list"
    )
    threshold: Share = key(0.5, "Probability above which an utterance is flagged.", "clean_list")
    options: dict[str, Any] = key(dict, "Options of the method, such as `{thresholds: [0.4, 0.5]}`.", "clean_list")

    @model_validator(mode="after")
    def _has_the_methods_options(self) -> Cleansing:
        try:
            check_options(self.method, self.options)
        except ConfigError as error:
            raise ValueError(f"options: {error}") from None
        return self


class Audit(Block):
    """How far to trust the list: wrong labels are injected into it and looked for (`snakemake audit_noise`)."""

    rate: float = key(0.1, "Share of the utterances whose label is broken.", "audit_noise", gt=0, le=0.5)
    kinds: dict[Literal["video", "audio", "visual"], Share] = key(
        lambda: {"video": 0.5, "audio": 0.25, "visual": 0.25}, "Shares of the kinds.", "audit_noise"
    )
    outside: Share = key(0.3, "Share of the broken that show nobody of the list.", "audit_noise")
    seed: int = key(0, "Decides what is broken.", "audit_noise", ge=0)


class Fusion(Block):
    """Fusion of both modalities.

    Each modality alone, the mean of both scores and the concatenation need no training and are always evaluated; the
    models named here are trained on the full and on the cleansed list.
    """

    models: list[Literal["gated", "linear"]] = key(
        lambda: ["gated", "linear"],
        "Models to train; a model that leaves the list leaves the results. The report begins with the first.",
        "train_fusion",
    )
    seeds: list[int] = key(
        lambda: [0, 1, 2],
        "Each model is trained once a seed; gains are means over the seeds.",
        "train_fusion",
        min_length=1,
    )
    dim: int = key(128, "Length of the fused embedding.", "train_fusion", ge=2)
    hidden: int = key(32, "Width of the gate's bottleneck.", "train_fusion", ge=1)
    epochs: int = key(40, "Passes over the list.", "train_fusion", ge=1)
    batch_size: int = key(64, "Utterances in a batch.", "train_fusion", ge=2)
    learning_rate: Positive = key(1e-3, "First learning rate.", "train_fusion")
    pull: float = key(
        10.0,
        "Weight of the distance to the first weights: small sets stay near what the encoders know; 0 for large ones.",
        "train_fusion",
        ge=0,
    )
    margin: float = key(0.2, "Margin of the AAM-softmax, in radians.", "train_fusion", ge=0, lt=1.5)
    scale: Positive = key(15.0, "Scale of the AAM-softmax.", "train_fusion")
    drop_modality: Share = key(0.2, "Share of the rows that lose one modality while training.", "train_fusion")


class Report(Block):
    """The page at the end."""

    title: str = key("AVSieve", "Title of the page.", "write_report")
    flagged: int = key(24, "Flagged utterances on the contact sheet.", "write_report", ge=0)
    close_calls: int = key(6, "Utterances of nearly even evidence that are shown.", "write_report", ge=0)
    mistakes: int = key(12, "Mistakes that are shown, where the truth is known.", "write_report", ge=0)
    faces_per_row: int = key(5, "Faces in a row of a sheet.", "write_report", ge=1)
    players: int = key(4, "Rows of each sheet that can be listened to.", "write_report", ge=0)
    voice_s: Positive = key(3.0, "Length of what can be heard, in seconds.", "write_report")


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
        if self.source.kind == "embeddings" and self.evaluation.protocol == "both":
            raise ValueError(
                "evaluation.protocol is 'both', but source.kind embeddings has no embeddings of segments and single "
                "faces: set it to full"
            )
        tables = self.source.embeddings
        if self.source.kind == "embeddings" and self.fusion.models and not (tables.audio and tables.visual):
            raise ValueError(
                f"fusion.models is {self.fusion.models}, but only one of source.embeddings.audio and visual is given: "
                "set it to []"
            )
        given = ["audio"] if self.source.modalities == "audio" else ["audio", "visual"]
        if self.source.kind == "embeddings":
            given = [m for m in ("audio", "visual") if getattr(tables, m)]
        try:
            check_policy(self.cleansing.policy, given)
        except ConfigError as error:
            raise ValueError(f"cleansing.{error}") from None
        if self.source.kind == "embeddings" and self.comparison.in_report:
            raise ValueError(
                "comparison.in_report is true, but source.kind embeddings has no wavs and faces to train encoders on: "
                "set it to false"
            )
        return self


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


def parse_config(values: dict[str, Any], where: str = "config") -> Config:
    """Check ``values`` and fill in the defaults.

    Raises
    ------
    ConfigError
        Naming each unknown key and wrong value.
    """
    try:
        return Config.model_validate(values)
    except ValidationError as error:
        raise ConfigError(_message(error, where)) from None


def load_config(path: str | Path) -> Config:
    """Read and check a YAML file.

    Raises
    ------
    ConfigError
        If it is no YAML mapping or has an unknown key or a wrong value.
    """
    try:
        values = yaml.safe_load(Path(path).read_text(encoding="utf-8")) or {}
    except yaml.YAMLError as error:
        raise ConfigError(f"{path}: not YAML: {error}") from None
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}; name an existing file with --configfile") from None
    if not isinstance(values, dict):
        raise ConfigError(f"{path}: expected keys and values, found a {type(values).__name__}")
    return parse_config(values, str(path))
