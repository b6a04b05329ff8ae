"""The configuration: one model from which the schema, the reference and every check come.

Each key says what it means, its unit, and the first rule that runs again when it changes (``reruns``); what depends on
that rule follows.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ValidationError, WithJsonSchema, model_validator

from avsieve.cleansing.policy import check_policy
from avsieve.cleansing.settings import Audit
from avsieve.config.cleansing import RunCleansing
from avsieve.config.evaluation import Comparison, Evaluation
from avsieve.config.export import Export
from avsieve.config.source import Source
from avsieve.config.training import Training
from avsieve.encoders.registry import VISUAL
from avsieve.encoders.settings import Audio, Visual
from avsieve.errors import ConfigError
from avsieve.faces.settings import Faces
from avsieve.fusion.settings import Fusion
from avsieve.joint.settings import JointSettings
from avsieve.media.settings import Media
from avsieve.report.settings import Report
from avsieve.settings import Block, Share, key
from avsieve.storage.crops import ALIGNED
from avsieve.storage.sequence_names import FRAMES, HOPS
from avsieve.training.encoder.settings import TrainVisual

DEVICE = "^(auto|cpu|cuda(:[0-9]+)?)$"


def _device(name: str) -> str:
    if re.match(DEVICE, name) is None:
        raise ValueError("expected 'auto', 'cpu', 'cuda' or a GPU by its number, such as 'cuda:1'")
    return name


Device = Annotated[str, AfterValidator(_device), WithJsonSchema({"type": "string", "pattern": DEVICE})]

MOVED: dict[str, str] = {
    "fusion.hidden": "a setting of its model: fusion.models: [{name: gated, hidden: 32}, linear]",
    "fusion.pull": "fusion.l2_sp",
    "audio.segment_s": "a setting of a segmentation: audio.segments: [{name: hops, length_s: 2.0}], or [] for none",
    "audio.segment_hop_s": "a setting of a segmentation: audio.segments: [{name: hops, hop_s: 2.0}]",
    "evaluation.seed": "evaluation.holdout_seed (who is kept for testing), evaluation.trials_seed (which trials are "
    "made) and evaluation.bootstrap_seed (the intervals)",
    "evaluation.damage_share": "a list of conditions: evaluation.damage.conditions: [standard], or one of your own, "
    "such as {name: no_voice, kind: missing, modality: audio, share: 0.5}",
}
"""Keys that there were once -> where their values go now, to complete the sentence "it is now ..."."""


class Config(Block):
    """The whole configuration."""

    source: Source = key(Source, "", "plan_shards")
    shards: int = key(
        4, "Number of shards, hence of jobs per stage. 256 suits VoxCeleb2.", "plan_shards", ge=1, le=1000
    )
    max_failed: Share = key(0.2, "A stage stops if more than this share of a shard's utterances fails.", "fetch_media")
    device: Device = key(
        "auto",
        "Device for the networks: `auto`, `cpu`, `cuda` or `cuda:N`. `cuda` stops if there is none, and gives each "
        "job a GPU of its own where there are several; `auto` uses CUDA if available, and says so; `cuda:1` is the "
        "second GPU.",
        "align_faces",
    )
    media: Media = key(Media, "", "extract_media")
    faces: Faces = key(Faces, "", "align_faces")
    audio: Audio = key(Audio, "", "embed_audio")
    visual: Visual = key(Visual, "", "embed_visual")
    cleansing: RunCleansing = key(RunCleansing, "", "clean_list")
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
        if source.has_media:
            self._has_segmentations()
            self._has_signals()
        else:
            self._fits_embeddings(source.name, source.modalities)
        try:
            check_policy(self.cleansing.policy, source.modalities)
        except ConfigError as error:
            raise ValueError(f"cleansing.{error}") from None
        if self.cleansing.rounds > 1:
            self._can_train_for_rounds(source.name, source.modalities, has_media=source.has_media)
        return self

    @model_validator(mode="after")
    def _has_the_crops(self) -> Config:
        """Refuse a face encoder that wants crops which are not written."""
        source = self.source.contract
        if not source.has_media or "visual" not in source.modalities:
            return self
        if source.aligned and self.faces.other_crops:
            raise ValueError(
                f"faces.crops has {self.faces.other_crops[0]}, but the source's images are faces that are cut out "
                "already: leave faces.crops out"
            )
        if lacking := self.lacking_crop("visual"):
            raise ValueError(lacking)
        return self

    @property
    def written_crops(self) -> list[str]:
        """The kinds of crops that there are of each face; the first lie in the tars of aligned faces."""
        source = self.source.contract
        return [source.aligned_as] if source.aligned else [ALIGNED, *self.faces.other_crops]

    def _encoder_of(self, block: str) -> Visual | TrainVisual:
        return self.visual if block == "visual" else self.training.visual

    def crop_of(self, block: str) -> str:
        """Return the kind of crop that the face encoder of ``visual`` or ``training.visual`` reads."""
        encoder = self._encoder_of(block)
        if encoder.crop != "auto":
            return encoder.crop
        # The name of an architecture to train is looked at by its training alone.
        return VISUAL[encoder.arch].crop if encoder.arch in VISUAL else ALIGNED

    def lacking_crop(self, block: str) -> str | None:
        """Return what to say if no such crop is written; None if it is."""
        wanted, written = self.crop_of(block), self.written_crops
        if wanted in written:
            return None
        own = self._encoder_of(block)
        whose = f"{block}.arch {own.arch} wants" if own.crop == "auto" else f"{block}.crop is"
        if self.source.contract.aligned:
            found, add = f"the source's images are {written[0]}", ""
        else:
            found = f"faces.crops has {', '.join(written)}"
            add = f"add {wanted} to faces.crops (faces are aligned anew), or "
        either = f"{add}set {block}.crop to {written[0]} to feed it these, resized"
        return f"{whose} the crop {wanted}, but {found}: {either}"

    @model_validator(mode="after")
    def _has_the_gpus(self) -> Config:
        """Refuse a training on several GPUs, or machines, where one GPU is named."""
        training = self.training
        if ":" in self.device and training.devices * training.nodes > 1:
            raise ValueError(
                f"device is {self.device!r}, one GPU, and training.devices is {training.devices} on {training.nodes} "
                "nodes: set device to cuda, or both to 1"
            )
        return self

    def _has_signals(self) -> None:
        """Refuse joint models whose trials would be damaged as embeddings, and those without encoders to train."""
        damage = self.evaluation.damage
        for name in self.fusion.joint:
            if damage.conditions and damage.level == "embedding":
                raise ValueError(
                    f"fusion.models has {name}, a model of signals, and evaluation.damage.level is 'embedding', which "
                    "damages none: set it to auto, or leave the model out"
                )
            if self.source.modalities != "both":
                raise ValueError(
                    f"fusion.models has {name}, which needs voices and faces, and source.modalities is "
                    f"{self.source.modalities!r}: leave the model out"
                )
            try:
                crop = self.joint_settings(name).crop
            except ConfigError as error:
                raise ValueError(f"fusion.models: {name}: {error}") from None
            if crop not in self.written_crops:
                raise ValueError(
                    f"fusion.models: {name}: its face encoder wants the crop {crop}, and written are "
                    f"{', '.join(self.written_crops)}: add it to faces.crops, or set crop of the model to one of these"
                )
            if crop != self.crop_of("visual") and "visual" in damage.damaged_signals():
                raise ValueError(
                    f"fusion.models: {name}: its face encoder wants the crop {crop}, and trials are damaged as "
                    f"{self.crop_of('visual')}, which visual.arch reads: set crop of the model to that, or visual.arch "
                    "to an encoder with the same crop"
                )

    def joint_settings(self, name: str) -> JointSettings:
        """Return the settings of a joint model, with what the embedding stages have in place of `same`.

        Raises
        ------
        ConfigError
            If one of its encoders cannot be trained.
        """
        own = self.fusion.own(name)
        assert isinstance(own, JointSettings)
        return own.resolved(
            audio=(self.audio.arch, self.audio.checkpoint),
            visual=(self.visual.arch, self.visual.model),
            channels=self.visual.channels,
        )

    def _can_train_for_rounds(self, kind: str, there: Sequence[str], *, has_media: bool) -> None:
        """Refuse further rounds where no encoder can be trained for them."""
        if not has_media:
            raise ValueError(
                f"cleansing.rounds is {self.cleansing.rounds}, but source.kind {kind} has no wavs and faces to train "
                "encoders on: set it to 1"
            )
        if not set(there) & set(self.cleansing.rounds_modalities):
            raise ValueError(
                f"cleansing.rounds_modalities is {self.cleansing.rounds_modalities}, but source.modalities has "
                f"{', '.join(there)} alone: name that, or set cleansing.rounds to 1"
            )

    def _has_segmentations(self) -> None:
        """Refuse what needs a segmentation of the voice that is not made."""
        there = [own.name for own in self.audio.segmentations]
        found = f"audio.segments has {', '.join(there) or 'none'}"
        if self.evaluation.protocol == "both" and HOPS not in there:
            raise ValueError(
                f"evaluation.protocol is 'both', which scores by the segmentation {HOPS}, but {found}: add {HOPS}, or "
                "set it to full"
            )
        for name in self.fusion.names:
            wanted = [own for own in self.fusion.reads(name) if own != FRAMES and own not in there]
            if wanted:
                raise ValueError(
                    f"fusion.models has {name}, which reads the segmentation {wanted[0]}, but {found}: add {wanted[0]} "
                    "to audio.segments, or leave the model out"
                )

    def _fits_embeddings(self, kind: str, given: list[str]) -> None:
        """Refuse what needs clips, segments or faces of a source that has none."""
        tables = self.source.contract.sequence_tables
        there = {*tables("audio"), *tables("visual")}

        def wanting(name: str) -> str:
            key = "visual_frames" if name == FRAMES else "audio_segments"
            found = "nothing" if name == FRAMES else ", ".join(tables("audio")) or "nothing"
            what = "" if name == FRAMES else f"{name}: "
            return f"source.{kind}.{key} has {found}: add {what}a table of its embeddings there, or "

        if self.evaluation.protocol == "both":
            for name, modality in ((HOPS, "audio"), (FRAMES, "visual")):
                if modality in given and name not in there:
                    raise ValueError(
                        f"evaluation.protocol is 'both', which scores by {name}, but {wanting(name)}set the protocol "
                        "to full"
                    )
        for model in self.fusion.names:
            missing = [name for name in self.fusion.reads(model) if name not in there]
            if missing:
                raise ValueError(
                    f"fusion.models has {model}, which reads {missing[0]}, but {wanting(missing[0])}leave the model out"
                )
        if self.fusion.joint:
            raise ValueError(
                f"fusion.models has {self.fusion.joint[0]}, which is trained on signals, and source.kind {kind} has "
                "embeddings alone: leave the model out"
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


_LONGEST, _DEEPEST, _MOST_VALUES = 200, 50, 1_000_000
"""Characters of a value in a message; levels and values of a configuration: lists of speakers may be long."""
_MOST_LINES, _MOST_KEYS = 12, 8
"""Mistakes that a message tells, and keys that one of them names."""


def _message(error: ValidationError, where: str) -> str:
    lines: list[str] = []
    unknown: dict[tuple[int | str, ...], list[str]] = {}
    for item in error.errors():
        name = ".".join(str(part) for part in item["loc"]) or "the configuration"
        if item["type"] == "extra_forbidden":
            unknown.setdefault(item["loc"][:-1], []).append(name)
        else:
            message = item["msg"].removeprefix("Value error, ")
            found = "" if isinstance(item["input"], dict) else f" is {_cut(repr(item['input']))}"
            lines.append(f"{where}: {_cut(name)}{found}: {message}")
    # A block that is indented wrongly is one mistake, and not as many as it has keys.
    for path, names in unknown.items():
        shown = ", ".join(map(_cut, names[:_MOST_KEYS])) + (
            f" and {len(names) - _MOST_KEYS} others" * (len(names) > _MOST_KEYS)
        )
        key = "key" if len(names) == 1 else "keys"
        lines.append(f"{where}: unknown {key} {shown}; expected one of {', '.join(_known_keys(path))}")
    more = len(lines) - _MOST_LINES
    return "\n".join([*lines[:_MOST_LINES], *[f"{where}: and {more} more"] * (more > 0)])


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def _known_keys(path: tuple[int | str, ...]) -> list[str]:
    model: type[BaseModel] = Config
    for part in path:
        inner = model.model_fields[str(part)].annotation
        if not (isinstance(inner, type) and issubclass(inner, BaseModel)):
            break
        model = inner
    return sorted(model.model_fields)


def _refuse_bombs(values: dict[str, Any], where: str) -> None:
    """Refuse values that are small in YAML and endless in memory: aliases of aliases, and of what they stand in."""
    sizes: dict[int, int] = {}
    under: set[int] = set()

    def size(value: Any, depth: int) -> int:
        if not isinstance(value, dict | list | tuple):
            return 1
        if id(value) in under or depth > _DEEPEST:
            raise ConfigError(f"{where}: holds itself, or nests more than {_DEEPEST} levels deep; write it out")
        if id(value) not in sizes:
            under.add(id(value))
            inner = value.values() if isinstance(value, dict) else value
            sizes[id(value)] = 1 + sum(size(item, depth + 1) for item in inner)
            under.discard(id(value))
        if sizes[id(value)] > _MOST_VALUES:
            raise ConfigError(f"{where}: its aliases make more than {_MOST_VALUES:,} values; write out what is meant")
        return sizes[id(value)]

    size(values, 0)


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
    _refuse_bombs(values, where)
    _refuse_moved(values, where)
    try:
        return Config.model_validate(values)
    except ValidationError as error:
        raise ConfigError(_message(error, where)) from None
