"""What a training of an encoder is made of: the modality, its recipe, its data, and where it runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import Field, dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Protocol, Required, TypedDict

from torch import nn

from avsieve.encoders.contract import Architecture
from avsieve.registry import Registry
from avsieve.training.encoder.examples import Listed
from avsieve.training.encoder.optimiser import Optimiser
from avsieve.training.encoder.phase import Phase
from avsieve.training.encoder.validation import Validation


class Run(TypedDict, total=False):
    """Where and how a training runs, as keyword arguments of `train_encoder`, which explains them."""

    optimiser: Required[Optimiser]
    device: str
    devices: int
    nodes: int
    strategy: str
    precision: str
    workers: int
    start_from: str | Path | None
    log: Path | None
    provenance: Path | None
    checkpoint: Path | None
    log_every: int
    checkpoint_every: int
    half: bool
    board: Path | None


class Recipe(Protocol):
    """What every recipe says; its other fields are the modality's own."""

    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]

    @property
    def arch(self) -> str:
        """Return the name of the architecture."""

    @property
    def batch(self) -> int:
        """Return the number of samples a step."""

    @property
    def scale(self) -> float:
        """Return the scale of the AAM-softmax."""

    @property
    def subcenters(self) -> int:
        """Return the centres per class."""

    @property
    def top_k(self) -> int:
        """Return how many other classes are penalised."""

    @property
    def top_penalty(self) -> float:
        """Return the penalty, radians."""

    @property
    def seed(self) -> int:
        """Return what decides all that is random."""


@dataclass(frozen=True)
class Modality:
    """What tells the training of one modality from that of another.

    Parameters
    ----------
    stage, packages
        Of the provenance.
    table, builtin
        Architecture name -> factory, and the file of the shipped weights.
    load
        ``load(network, arch, checkpoint)`` returns a new network with the weights of a file to begin with, ours or
        another project's.
    samples
        What a batch consists of.
    """

    stage: str
    packages: tuple[str, ...]
    table: Registry[Architecture]
    builtin: str
    load: Callable[[nn.Module, str, str | Path], nn.Module]
    samples: str


@dataclass(frozen=True)
class Data:
    """What a training reads.

    Parameters
    ----------
    listed
        The utterances.
    phases
        Batches of them by step, and their schedules.
    classes
        How many the labels of the first phase tell apart: the speakers, or more where one speaker makes several.
    validation
        Measures the encoder on the way, on speakers kept out of ``listed``.
    metadata
        What the file of weights says besides ``arch``, ``dim``, ``classes`` and ``seed``.
    """

    listed: Listed
    phases: Sequence[Phase]
    classes: int
    validation: Validation | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)
