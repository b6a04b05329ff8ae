"""How a network is trained: what `fusion` says of all, and what a model says of its own.

Models of papers have their published recipe as the defaults of their own settings, in a `RecipeSettings`. Snakemake
reads them: nothing heavy is imported.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field, ValidationInfo, field_validator

from avsieve.settings import Block, Positive, Share, key

if TYPE_CHECKING:
    from avsieve.fusion.settings import Fusion

LOSSES = ("ce", "am", "aam", "centre")
_TERM = re.compile(rf"\s*(?:(\d*\.?\d+)\s*)?({'|'.join(LOSSES)})\s*")

Optimiser = Literal["adam", "amsgrad", "sgd"]
Schedule = Literal["cosine", "exponential", "inverse"]
AtLeastOne = Annotated[int, Field(ge=1)]
AtLeastTwo = Annotated[int, Field(ge=2)]
NotNegative = Annotated[float, Field(ge=0)]
Margin = Annotated[float, Field(ge=0, lt=1.5)]

# The keys, with what they mean: a model repeats a key to give it another default.
Length = Annotated[AtLeastTwo | None, Field(description="Length of the fused embedding.")]
LossSum = Annotated[
    str | None,
    Field(
        description="Loss: `ce`, `am`, `aam`, `centre`, or a sum such as `ce + 0.2 centre`; by default that of "
        "`fusion`, `aam`."
    ),
]
OptimiserName = Annotated[
    Optimiser | None, Field(description="Optimiser; `sgd` has a momentum of 0.9. By default `adam`.")
]
LearningRate = Annotated[Positive | None, Field(description="Initial learning rate.")]
ScheduleName = Annotated[
    Schedule | None,
    Field(
        description="How the learning rate falls: to zero along a cosine, by the factor `decay` after each epoch, or "
        "as 1 / (1 + `decay` x step). By default `cosine`."
    ),
]
Decay = Annotated[Share | None, Field(description="See `schedule`; nothing for a constant rate.")]
Epochs = Annotated[AtLeastOne | None, Field(description="Number of epochs.")]
BatchSize = Annotated[AtLeastTwo | None, Field(description="Utterances per batch.")]
WeightDecay = Annotated[NotNegative | None, Field(description="Weight decay, added to the gradient. By default none.")]
L2SP = Annotated[NotNegative | None, Field(description="Weight of L2-SP.")]
MarginSize = Annotated[Margin | None, Field(description="Margin: radians for `aam`, of the cosine for `am`.")]
MarginRises = Annotated[
    bool | None,
    Field(description="Whether the margin grows from 0 over the first fifth of the epochs. By default yes."),
]
Scale = Annotated[Positive | None, Field(description="Scale of `am` and `aam`.")]
DropModality = Annotated[Share | None, Field(description="Share of the training rows that lose one modality.")]


class RecipeSettings(Block):
    """How a model is trained; where nothing is given, as `fusion` says of all models."""

    length: Length = None
    loss: LossSum = None
    optimiser: OptimiserName = None
    learning_rate: LearningRate = None
    schedule: ScheduleName = None
    decay: Decay = None
    epochs: Epochs = None
    batch_size: BatchSize = None
    weight_decay: WeightDecay = None
    l2_sp: L2SP = None
    margin: MarginSize = None
    margin_rises: MarginRises = None
    scale: Scale = None
    drop_modality: DropModality = None

    @field_validator("loss")
    @classmethod
    def _known(cls, loss: str | None) -> str | None:
        if loss is not None:
            parse_loss(loss)
        return loss


class StartSettings(RecipeSettings):
    """How a model is trained that may begin at weights of its authors (`avsieve.fusion.start`)."""

    weights: str | None = key(
        None,
        "File of published weights to begin with instead of random ones: safetensors, a state dict, or a module that "
        "was saved whole; nothing in it is run. Name its training speakers in `evaluation.trained_on`.",
    )
    train: bool = key(True, "Whether the model is trained on from `weights`; if not, it stays at them.")

    @field_validator("train")
    @classmethod
    def _trained_or_given(cls, train: bool, others: ValidationInfo) -> bool:
        if not train and others.data.get("weights") is None:
            raise ValueError("true, or weights as well: without them a model that is not trained knows nothing")
        return train


def parse_loss(text: str) -> dict[str, float]:
    """Return the weight of each loss of a sum such as ``0.6 ce + 0.4 centre``.

    Raises
    ------
    ValueError
        If it is none.
    """
    found: dict[str, float] = {}
    for term in text.split("+"):
        match = _TERM.fullmatch(term)
        if match is None or match[2] in found or not (weight := float(match[1] or 1)):
            raise ValueError(f"{', '.join(LOSSES)}, each at most once, or a sum such as ce + 0.2 centre")
        found[match[2]] = weight
    return found


@dataclass(frozen=True)
class Recipe:
    """How one network is trained; `RecipeSettings` and `avsieve.fusion.settings.Fusion` tell what the values mean.

    Attributes
    ----------
    pairs
        How many pairs of a voice and a face of one speaker are drawn to train on; 0 trains on the utterances.
    """

    learning_rate: float
    epochs: int
    batch_size: int
    l2_sp: float
    margin: float
    scale: float
    drop_modality: float
    loss: str = "aam"
    optimiser: Optimiser = "adam"
    schedule: Schedule = "cosine"
    decay: float | None = None
    weight_decay: float = 0.0
    margin_rises: bool = True
    pairs: int = 0

    @classmethod
    def of(cls, fusion: Fusion, own: Block) -> Recipe:
        """Return what a model says of its own, and for the rest what `fusion` says of all."""
        shared = {f.name: getattr(fusion, f.name) for f in fields(cls) if f.name in type(fusion).model_fields}
        return cls(**shared | own_recipe(own))

    @property
    def losses(self) -> dict[str, float]:
        """Loss -> weight."""
        return parse_loss(self.loss)


def own_recipe(own: Block) -> dict[str, Any]:
    """Return what a model's own settings say of its training."""
    values = {f.name: getattr(own, f.name, None) for f in fields(Recipe)}
    return {name: value for name, value in values.items() if value is not None}
