"""A small face network in the manner of MobileFaceNet: 112 x 112 faces to 128 numbers.

What makes MobileFaceNet (Chen et al., CCBR 2018, section 3.1) good at faces is kept: in place of average pooling a
depthwise convolution as large as the last map, so that each place of an aligned face counts with a weight of its own,
then a linear layer to 128. The trunk is narrow and of dense 3 x 3 convolutions: at this size a CPU trains them twice
as fast as depthwise ones with the same number of weights.
"""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn
from torch.nn.functional import relu

from avsieve.encoders.face_input import FaceInput
from avsieve.encoders.layers import mobileface_layers
from avsieve.encoders.states import InnerStates, Kept, State


def _conv(inputs: int, outputs: int, kernel: int, stride: int = 1, groups: int = 1) -> nn.Sequential:
    padding = kernel // 2 if kernel < 7 else 0
    conv = nn.Conv2d(inputs, outputs, kernel, stride, padding, groups=groups, bias=False)
    return nn.Sequential(conv, nn.BatchNorm2d(outputs))


class Residual(nn.Module):
    """Two 3 x 3 convolutions whose result is added to their input."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first, self.second = _conv(width, width, 3), _conv(width, width, 3)

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, width, h, w) to the same shape."""
        return relu(x + self.second(relu(self.first(x))))


class MobileFaceNet(InnerStates, nn.Module):
    """Map faces (B, 3, 112, 112) in [-1, 1] to embeddings (B, dim), not normalised.

    Parameters
    ----------
    stem
        Width of the first convolution, at 56 x 56.
    widths
        At 28, 14 and 7 pixels; each begins with a convolution of stride 2 and goes on with a residual block.
    last
        Width before the pooling.
    dim
        Length of the embedding.
    """

    def __init__(
        self, stem: int = 16, widths: tuple[int, int, int] = (32, 48, 64), last: int = 192, dim: int = 128
    ) -> None:
        super().__init__()
        self.dim = dim
        self.offers = mobileface_layers(stem, widths, last)
        self.face_input = FaceInput()  # our own checkpoints say in their metadata what they were trained on
        layers: list[nn.Module] = [_conv(3, stem, 3, 2), nn.ReLU(inplace=True)]
        inputs = stem
        for width in widths:
            layers += [_conv(inputs, width, 3, 2), nn.ReLU(inplace=True), Residual(width)]
            inputs = width
        self.trunk = nn.Sequential(*layers, _conv(inputs, last, 1), nn.ReLU(inplace=True))
        self.spread = _conv(last, last, 7, groups=last)
        self.head = nn.Sequential(nn.Flatten(), nn.Linear(last, dim, bias=False), nn.BatchNorm1d(dim))

    def forward(self, faces: Tensor) -> Tensor:
        """Return the embeddings (B, dim)."""
        return self.head(self.spread(self.trunk(faces)))

    def forward_states(
        self, inputs: Tensor, lengths: Tensor | None = None, *, only: Sequence[str] | None = None
    ) -> tuple[Tensor, list[State]]:
        """Return embeddings and feature maps of faces; see `InnerStates.forward_states`."""
        kept, x = Kept(self, only), inputs
        # A convolution and its rectifier; three times these and a residual block; the convolution to the last width.
        ends = dict(zip((1, 4, 7, 10, 12), (layer.name for layer in self.offers), strict=True))
        for place, module in enumerate(self.trunk):
            x = module(x)
            kept(ends.get(place, ""), x)
        return self.head(self.spread(x)), kept.maps(lengths)


def mobileface_small() -> MobileFaceNet:
    """Return the network that ships with the package, with untrained weights."""
    return MobileFaceNet()
