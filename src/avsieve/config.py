"""The configuration: one model from which the schema, the reference and every check come.

Each key says what it means, its unit, and the first rule that runs again when it changes (``reruns``); what depends on
that rule follows.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from avsieve.errors import ConfigError

Share = Annotated[float, Field(ge=0, le=1)]
Positive = Annotated[float, Field(gt=0)]


def key(default: Any, description: str, reruns: str, **limits: Any) -> Any:
    """Describe a key of the configuration."""
    extra: dict[str, Any] = {"reruns": reruns}
    if callable(default):
        return Field(default_factory=default, description=description, json_schema_extra=extra, **limits)
    return Field(default, description=description, json_schema_extra=extra, **limits)


class Block(BaseModel):
    """A block of keys; unknown keys are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True, protected_namespaces=())


class Synthetic(Block):
    """Made-up people who talk (`source.kind: synthetic`)."""

    speakers: int = key(28, "People in the training list.", "plan_shards", ge=4)
    videos: int = key(4, "Videos of each of them.", "plan_shards", ge=1)
    utterances: int = key(3, "Utterances in each video.", "plan_shards", ge=1)
    test_speakers: int = key(12, "Other people, for the trials.", "plan_shards", ge=0)
    test_videos: int = key(3, "Videos of each test person.", "plan_shards", ge=2)
    test_utterances: int = key(2, "Utterances in each video of a test person.", "plan_shards", ge=1)
    duration_s: float = key(3.0, "Mean length of an utterance, in seconds.", "plan_shards", ge=1, le=60)
    noise: float = key(
        0.15, "Share of the training utterances whose label is made wrong on purpose.", "plan_shards", ge=0, le=0.6
    )
    outside: Share = key(0.3, "Share of the wrong videos that show somebody outside the corpus.", "plan_shards")
    seed: int = key(1, "Another seed gives other people, videos and wrong labels.", "plan_shards", ge=0)


class Tree(Block):
    """A folder of clips in VoxCeleb2's layout, `speaker/video/utterance.mp4` (`source.kind: tree`)."""

    root: str | None = key(None, "Folder that holds the speakers' folders.", "plan_shards")
    train_list: str | None = key(
        None, "`train_all.txt` (`speaker wav seconds`); without it every clip under `root` is used.", "plan_shards"
    )
    test_root: str | None = key(
        None, "Folder of other people's clips for the trials, in the same layout.", "plan_shards"
    )


class Source(Block):
    """Where utterances come from."""

    kind: Literal["synthetic", "tree"] = key("synthetic", "Which of the sources below.", "plan_shards")
    synthetic: Synthetic = key(Synthetic, "", "plan_shards")
    tree: Tree = key(Tree, "", "plan_shards")
    modalities: Literal["both", "audio"] = key(
        "both", "`audio` for sound without pictures, such as a speech corpus to train an encoder on.", "extract_media"
    )
    truth: str | None = key(
        None,
        "`truth.csv` (`utterance,speaker,kind,face_of,voice_of`) where it is known; only the report compares with it. "
        "The synthetic source brings its own.",
        "write_report",
    )

    @model_validator(mode="after")
    def _tree_has_a_root(self) -> Source:
        if self.kind == "tree" and self.tree.root is None:
            raise ValueError("tree.root is missing: give the folder that holds the speakers' folders")
        return self


class Media(Block):
    """Frames and sound."""

    interval_s: Positive = key(0.4, "A frame is taken at every multiple of this time, in seconds.", "extract_media")
    jpeg_quality: int = key(95, "Quality of the frames' JPEGs.", "extract_media", ge=1, le=100)
    min_audio_s: float = key(0.5, "Shorter sound is not used, in seconds.", "extract_media", ge=0)


class Config(Block):
    """The whole configuration."""

    source: Source = key(Source, "", "plan_shards")
    shards: int = key(4, "Number of shards, hence of jobs a stage. 256 suits VoxCeleb2.", "plan_shards", ge=1, le=4096)
    max_failed: Share = key(
        0.2, "A stage stops when more than this share of a shard's utterances fails in it.", "fetch_media"
    )
    device: Literal["auto", "cpu", "cuda"] = key(
        "auto",
        "Where networks run. `cuda` stops when there is none; `auto` takes CUDA where there is one, and says so.",
        "align_faces",
    )
    media: Media = key(Media, "", "extract_media")


def _message(error: ValidationError, where: str) -> str:
    lines = []
    for item in error.errors():
        name = ".".join(str(part) for part in item["loc"]) or "the configuration"
        if item["type"] == "extra_forbidden":
            known = _known_keys(item["loc"][:-1])
            lines.append(f"{where}: unknown key {name}; expected one of {', '.join(known)}")
        else:
            message = item["msg"].removeprefix("Value error, ")
            lines.append(f"{where}: {name} is {item['input']!r}: {message}")
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
