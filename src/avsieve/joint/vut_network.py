"""Networks of the VUT thesis with their encoders inside, and learning rates that rise from layer to layer."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from torch import nn

from avsieve.errors import ModelError
from avsieve.fusion.neural import NeuralFusion
from avsieve.joint.heads import HeadNetwork
from avsieve.joint.network import JointNetwork
from avsieve.training.rates import Part

FIRST_RATE, AUDIO_RISE, VISUAL_RISE, POOLING_RATE, HEAD_RATE = 1e-5, 1.45, 1.4, 1e-3, 0.005


class ByLayers(JointNetwork):
    """A joint network of the thesis, whose encoders learn at rates that rise from layer to layer.

    Attributes
    ----------
    by_layers
        Whether they do.
    """

    by_layers: bool

    def rates(self) -> Sequence[tuple[Part, float]]:
        """Return the learning rates: by layer, as multiples of the head's."""
        if not (self.by_layers and self.encoders_learn):
            return super().rates()
        inside = {id(p) for encoder in self.encoders for p in encoder.parameters()}
        rest = [p for p in self.parameters() if p.requires_grad and id(p) not in inside]
        return [(rest, 1.0), *layer_rates(self.audio, AUDIO_RISE), *layer_rates(self.visual, VISUAL_RISE)]


class VutHead(ByLayers, HeadNetwork):
    """A head of the thesis over both encoders; parameters as `HeadNetwork` has them.

    Parameters
    ----------
    by_layers
        Whether the encoders' learning rates rise from layer to layer.
    """

    def __init__(
        self,
        audio: nn.Module,
        visual: nn.Module,
        head: NeuralFusion,
        *,
        trained: bool,
        encoder_rate: float = 1.0,
        by_layers: bool = True,
    ) -> None:
        super().__init__(audio, visual, head, trained=trained, encoder_rate=encoder_rate)
        self.by_layers = by_layers
        freeze_front(audio)


def freeze_front(audio: nn.Module) -> None:
    """Keep the convolutions of WavLM, which the thesis never trains."""
    front = getattr(getattr(audio, "model", None), "feature_extractor", None)
    if isinstance(front, nn.Module):
        front.requires_grad_(requires_grad=False)


def layer_rates(encoder: nn.Module, rise: float) -> list[tuple[Part, float]]:
    """Return the layers of an encoder, the first ones first, each with its rate as a multiple of the head's.

    Layer l, from 1 on, has 1e-5 x ``rise``^l; what is no layer has the rate of the first one, and the pooling of WavLM
    1e-3.
    """
    layers = layers_of(encoder)
    groups = [(list(layer.parameters()), FIRST_RATE * rise ** (k + 1)) for k, layer in enumerate(layers)]
    pooling = getattr(encoder, "backend", None)
    if isinstance(pooling, nn.Module):
        groups.append((list(pooling.parameters()), POOLING_RATE))
    seen = {id(p) for parameters, _ in groups for p in parameters}
    groups.insert(0, ([p for p in encoder.parameters() if id(p) not in seen], FIRST_RATE * rise))
    return [(kept, rate / HEAD_RATE) for parameters, rate in groups if (kept := _learning(parameters))]


def layers_of(encoder: nn.Module) -> list[nn.Module]:
    """Return the layers of an encoder: the blocks of a transformer, or else its own parts in their order.

    Raises
    ------
    ModelError
        If it has fewer than two.
    """
    blocks = getattr(getattr(getattr(encoder, "model", None), "encoder", None), "layers", None)
    found = list(blocks) if isinstance(blocks, nn.ModuleList) else [*encoder.children()]
    found = [layer for layer in found if any(True for _ in layer.parameters())]
    if len(found) < 2:
        raise ModelError(f"{type(encoder).__name__} has {len(found)} layers; expected several to give rates to")
    return found


def _learning(parameters: Iterable[nn.Parameter]) -> list[nn.Parameter]:
    return [p for p in parameters if p.requires_grad]
