"""What every encoder says of itself: how its network is made, loaded and looked at, and what it needs for that.

Runs inside Snakemake: nothing heavy is imported before a network is made.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from avsieve.encoders.layers import Layer
from avsieve.errors import ConfigError, ModelError

if TYPE_CHECKING:
    from torch import nn


class Problem(NamedTuple):
    """What stands against using a file of weights."""

    key: str
    """The key of the configuration that it is about, such as ``channels``; empty for that of the file."""
    text: str
    remedy: str = ""


class Examined(NamedTuple):
    """What the doctor is told of a file of weights."""

    path: Path | None
    problem: Problem | None = None


@dataclass(frozen=True)
class Architecture:
    """An encoder of one modality.

    Attributes
    ----------
    label
        What it is, in a few words, for the reference of the configuration.
    loads
        ``"module:function"`` that makes the encoder ready: a speaker encoder as `avsieve.encoders.audio.load_network`
        does, a face encoder as `avsieve.encoders.torch_face.load` does.
    examines
        ``"module:function"`` that looks at a file of weights for the doctor and returns `Examined`; it takes the block
        of the configuration that names the file.
    origin
        Where weights of it are to be had, for the doctor; empty for the packs of InsightFace.
    network
        ``"module:factory"`` of the torch network; empty for what cannot be trained, such as an ONNX file.
    environment
        Family of the conda environment that embeds with it (``workflow/envs``).
    extra
        Extra of the package that it needs: ``pip install 'avsieve[extra]'``.
    packages
        Packages whose versions belong to the provenance of its embeddings.
    has_precision
        Whether its arithmetic can be of another precision.
    states
        The inner states that its network offers (`avsieve.encoders.layers`), as the network itself says them in
        ``offers``; empty where there are none.
    crop
        Of a face encoder: the kind of crop that its weights were trained on (`avsieve.storage.crops.CROPS`).
    """

    label: str
    loads: str
    examines: str
    origin: str
    network: str = ""
    environment: str = "torch"
    extra: str = ""
    packages: tuple[str, ...] = ("torch",)
    has_precision: bool = True
    states: tuple[Layer, ...] = ()
    crop: str = "arcface112"

    @property
    def modules(self) -> list[str]:
        """The modules of the library that it runs on: the rules hash their code."""
        return [entry.partition(":")[0] for entry in (self.network, self.loads) if entry]

    def build(self, **options: object) -> nn.Module:
        """Return a new network with untrained weights.

        Raises
        ------
        ModelError
            If it has none, being a file of a format of its own.
        """
        if not self.network:
            raise ModelError(f"{self.label}: has no network of its own to train or to fill with weights")
        network: nn.Module = _found(self.network)(**options)
        return network

    def load(self, arch: str, weights: str | Path, **options: Any) -> Any:
        """Return the encoder with its weights; ``options`` are those of its `loads`."""
        return _found(self.loads)(arch, weights, **options)

    def examine(self, settings: Any) -> Examined:
        """Look at the weights that the block ``settings`` of the configuration names."""
        examined: Examined = _found(self.examines)(settings)
        return examined

    def check_precision(self, key: str, precision: str) -> None:
        """Refuse a precision that would have no effect (`ConfigError`)."""
        if precision != "fp32" and not self.has_precision:
            raise ConfigError(f"{key} is {precision!r}, which has no effect on {self.label}: set it to fp32")


def listed(table: Mapping[str, Architecture]) -> str:
    """Return the names of encoders, each with what it is, for the reference of the configuration."""
    words = []
    for name, architecture in table.items():
        extra = f"; needs the extra `{architecture.extra}`" if architecture.extra else ""
        words.append(f"`{name}` ({architecture.label}{extra})")
    return ", ".join(words)


def _found(entry: str) -> Callable[..., Any]:
    module, _, name = entry.partition(":")
    found: Callable[..., Any] = getattr(import_module(module), name)
    return found
