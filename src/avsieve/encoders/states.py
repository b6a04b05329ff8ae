"""Inner states of encoders: what the layers of a network return for a batch, beside its embedding.

Systems that fuse more than embeddings read them: sums of WavLM's layers, feature maps of a face network. They are
computed when they are asked for and never stored: 13 layers of WavLM take 2 MB for a second of speech.

A network that has them derives from `InnerStates` and says in `offers` what it has (`avsieve.encoders.layers`).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from avsieve.encoders.layers import Layer, chosen
from avsieve.errors import ModelError


@dataclass(frozen=True)
class State:
    """What a layer returned for a batch.

    Attributes
    ----------
    layer
        Where it comes from.
    values
        (B, T, C) of speech, (B, C, H, W) of faces; with the gradient of the pass. Frames that are padding are 0.
    mask
        (B, T) bool, true for the frames that exist; None of faces.
    """

    layer: Layer
    values: Tensor
    mask: Tensor | None = None

    @property
    def name(self) -> str:
        """Name of the layer."""
        return self.layer.name

    @property
    def step(self) -> int:
        """Samples between frames, or pixels of the network's input between places."""
        return self.layer.step


class InnerStates(ABC):
    """A network with inner states; to be mixed in before ``nn.Module``.

    Attributes
    ----------
    offers
        What it has, in the order in which it is computed.
    """

    offers: tuple[Layer, ...]

    def states(
        self, inputs: Tensor, lengths: Tensor | None = None, *, only: Sequence[str] | None = None
    ) -> list[State]:
        """Return the inner states of a batch; see `forward_states`."""
        return self.forward_states(inputs, lengths, only=only)[1]

    @abstractmethod
    def forward_states(
        self, inputs: Tensor, lengths: Tensor | None = None, *, only: Sequence[str] | None = None
    ) -> tuple[Tensor, list[State]]:
        """Return embeddings and inner states of one pass; the embeddings are those of ``forward`` to the bit.

        Parameters
        ----------
        inputs
            As ``forward`` takes them: (B, samples) float32 at 16 kHz, or faces (B, 3, h, w) in [-1, 1].
        lengths
            (B,) int64 valid samples of each row, the rest being padding without influence; None takes every row whole.
            Of speech alone.
        only
            Names of the states to return, in that order; None returns all in the order of `offers`.

        Raises
        ------
        ConfigError
            If ``only`` has a name that the network does not offer.
        ModelError
            If faces are given with ``lengths``, or of waveforms there are states for shorter ones only.
        """


Keep = Callable[[str, Tensor], Tensor]


def pass_on(_name: str, values: Tensor) -> Tensor:
    """Keep nothing: what a network's ``forward`` hands to its layers in place of `Kept`."""
    return values


class Kept:
    """What a network's layers return during one pass.

    Parameters
    ----------
    network
        Whose states they are.
    only
        Names of those to keep; None keeps all.

    Raises
    ------
    ConfigError
        If the network does not offer one of them.
    """

    def __init__(self, network: InnerStates, only: Sequence[str] | None) -> None:
        self.layers = chosen(network.offers, only, type(network).__name__)
        self._names = {layer.name for layer in self.layers}
        self._parts: dict[str, list[Tensor]] = {}

    def __call__(self, name: str, values: Tensor) -> Tensor:
        """Keep the output of a layer if it is wanted, and return it as it is; parts of a batch add up."""
        if name in self._names:
            self._parts.setdefault(name, []).append(values)
        return values

    def _values(self, layer: Layer) -> Tensor:
        first, *others = self._parts[layer.name]
        if not others:
            return first
        return torch.cat([first, *others])

    def maps(self, lengths: Tensor | None) -> list[State]:
        """Return the states of faces, which have no ``lengths``.

        Raises
        ------
        ModelError
            If there are any.
        """
        if lengths is not None:
            raise ModelError("faces are given with lengths, which waveforms alone have; leave them out")
        return [State(layer, self._values(layer)) for layer in self.layers]

    def frames(self, mask_of: Callable[[Layer, Tensor], Tensor], *, time: int = 1, padded: bool) -> list[State]:
        """Return the states of speech.

        Parameters
        ----------
        mask_of
            Gives the mask (B, T) of a layer with values (B, T, C).
        time
            Axis of the time in what was kept, 1 or 2.
        padded
            Whether frames can be missing; they are set to 0.
        """
        found = []
        for layer in self.layers:
            values = self._values(layer)
            values = values.transpose(1, 2) if time == 2 else values
            mask = mask_of(layer, values)
            found.append(State(layer, values.masked_fill(~mask[:, :, None], 0.0) if padded else values, mask))
        return found
