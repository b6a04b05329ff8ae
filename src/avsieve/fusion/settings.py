"""The settings of fusion. Snakemake reads them: nothing heavy is imported."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, WithJsonSchema, field_validator

from avsieve.errors import ConfigError
from avsieve.fusion.registry import MODELS
from avsieve.fusion.twin_settings import TwinSettings
from avsieve.settings import Block, Positive, Share, filled, key

TRAINED = tuple(name for name in MODELS if MODELS[name].trained)
HEADS = tuple(name for name in TRAINED if not MODELS[name].joint)
"""Those that are trained on embeddings; the others have encoders of their own."""

if TYPE_CHECKING:
    ModelName = str
else:
    ModelName = Literal[TRAINED]


def _checked(entry: Any) -> Any:
    """Refuse an entry of `Fusion.models` that names no model that is trained, or no setting of it."""
    values = dict(entry) if isinstance(entry, dict) else {"name": entry}
    name = values.pop("name", None)
    if name not in TRAINED:
        raise ValueError(f"no fusion model that is trained; expected one of {', '.join(TRAINED)}, or one with settings")
    try:
        filled(MODELS[name].settings, values, name)
    except ConfigError as error:
        raise ValueError(str(error)) from None
    return entry


def _schema() -> dict[str, Any]:
    """Return the JSON schema of an entry."""
    with_settings = [
        {
            "type": "object",
            "properties": {"name": {"const": name}, **MODELS[name].settings.model_json_schema().get("properties", {})},
            "required": ["name"],
            "additionalProperties": False,
        }
        for name in TRAINED
    ]
    return {"anyOf": [{"enum": list(TRAINED), "type": "string"}, *with_settings]}


class FusionValidation(Block):
    """Speakers of the list that networks are not trained on, to watch their training."""

    RERUNS = "train_fusion"

    speakers: Share = key(0.0, "Share of the speakers held out for validation; 0 for none.")
    every: int = key(1, "Epochs between validations; the last epoch is always measured.", ge=1)
    keep: Literal["last", "best"] = key(
        "last", "Weights to keep: those of the last epoch, or those with the lowest validation EER."
    )


class Fusion(Block):
    """Fusion of both modalities.

    Each modality alone, the mean of both scores and the concatenation need no training and are always evaluated; the
    models named here are trained on the full and on the cleansed list.
    """

    PLUG_INS: ClassVar[dict[str, Any]] = {"models": {name: MODELS[name] for name in TRAINED}}

    models: list[
        Annotated[ModelName | dict[str, Any], BeforeValidator(_checked), WithJsonSchema(_schema())]
    ] = key(
        lambda: ["gated", "linear"],
        "Models to train, by name or with settings of their own, such as `{name: gated, hidden: 64}`; a model "
        "removed from the list is removed from the results. The report starts with the first.",
        "train_fusion",
    )  # fmt: skip
    seeds: list[int] = key(
        lambda: [0, 1, 2],
        "Each model is trained once per seed; gains are means over the seeds.",
        "train_fusion",
        min_length=1,
    )
    dim: int = key(128, "Length of the fused embedding.", "train_fusion", ge=2)
    epochs: int = key(40, "Number of epochs.", "train_fusion", ge=1)
    batch_size: int = key(64, "Utterances per batch.", "train_fusion", ge=2)
    learning_rate: Positive = key(
        1e-3, "Initial learning rate of Adam; it falls to zero along a cosine.", "train_fusion"
    )  # fmt: skip
    l2_sp: float = key(
        10.0,
        "Weight of L2-SP, the squared distance to the initial weights, which keeps models near the encoders when "
        "data are few; 0 for large sets.",
        "train_fusion",
        ge=0,
    )
    margin: float = key(
        0.2, "Margin of the AAM-softmax, in radians; it grows from 0 over the first fifth of the epochs.",
        "train_fusion", ge=0, lt=1.5,
    )  # fmt: skip
    scale: Positive = key(15.0, "Scale of the AAM-softmax.", "train_fusion")
    drop_modality: Share = key(0.2, "Share of the training rows that lose one modality.", "train_fusion")

    precision: Literal["fp32", "bf16", "fp16"] = key(
        "fp32",
        "Numerical precision of the training; `bf16` and `fp16` are mixed precision, the loss stays in `fp32`.",
        "train_fusion",
    )
    validation: FusionValidation = key(FusionValidation, "", "train_fusion")
    twins: TwinSettings = key(TwinSettings, "", "make_twins")

    @field_validator("models")
    @classmethod
    def _each_once(cls, models: list[Any]) -> list[Any]:
        names = [_name(entry) for entry in models]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"{twice[0]} is named {names.count(twice[0])} times; expected each model once")
        return models

    @property
    def names(self) -> list[str]:
        """The models to train."""
        return [_name(entry) for entry in self.models]

    @property
    def heads(self) -> list[str]:
        """Those of the models that are trained on embeddings."""
        return [name for name in self.names if not MODELS[name].joint]

    @property
    def joint(self) -> list[str]:
        """Those that are trained on signals, encoders and all (`avsieve.joint`)."""
        return [name for name in self.names if MODELS[name].joint]

    @property
    def sequences(self) -> tuple[str, ...]:
        """All sequences that one of the models reads."""
        return tuple(dict.fromkeys(sequence for name in self.names for sequence in self.reads(name)))

    def reads(self, name: str) -> tuple[str, ...]:
        """Return the sequences that a model of the list reads."""
        return MODELS[name].reads(self.own(name))

    def own(self, name: str) -> Block:
        """Return the settings that a model of the list has of its own."""
        entry = self.models[self.names.index(name)]
        given = {k: v for k, v in entry.items() if k != "name"} if isinstance(entry, dict) else {}
        return filled(MODELS[name].settings, given, name)


def _name(entry: str | dict[str, Any]) -> str:
    return entry if isinstance(entry, str) else str(entry["name"])
