"""A small MobileFaceNet (Chen et al., "MobileFaceNets", CCBR 2018): 112 x 112 faces to 128 numbers.

Inverted residual blocks with depthwise convolutions, and, in place of average pooling, a depthwise convolution as large
as the last map (section 3.1 there): each place of an aligned face counts with a weight of its own. Against the
published table it is narrower (0.2 million weights against 1.0) and uses ReLU, for the sake of a CPU.
"""

from __future__ import annotations

from torch import Tensor, nn

# Expansion, width, number and first stride of each group of blocks.
_SMALL = ((2, 32, 2, 2), (2, 48, 3, 2), (3, 72, 2, 2))


def _conv(
    inputs: int, outputs: int, kernel: int = 1, stride: int = 1, groups: int = 1, *, act: bool = True
) -> nn.Sequential:
    layers: list[nn.Module] = [
        nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, groups=groups, bias=False),
        nn.BatchNorm2d(outputs),
    ]
    if act:
        layers.append(nn.ReLU(inplace=True))
    return nn.Sequential(*layers)


class InvertedResidual(nn.Module):
    """Widen, filter each channel, narrow; the input is added where the shape stays."""

    def __init__(self, inputs: int, outputs: int, stride: int, expansion: int) -> None:
        super().__init__()
        wide = inputs * expansion
        self.adds = stride == 1 and inputs == outputs
        self.body = nn.Sequential(
            _conv(inputs, wide), _conv(wide, wide, 3, stride, wide), _conv(wide, outputs, act=False)
        )

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, inputs, h, w) to (B, outputs, h / stride, w / stride)."""
        return x + self.body(x) if self.adds else self.body(x)


class MobileFaceNet(nn.Module):
    """Map faces (B, 3, 112, 112) in [-1, 1] to embeddings (B, dim), not normalised.

    Parameters
    ----------
    groups
        Expansion, width, number and first stride of each group of blocks; the strides multiply to 8.
    stem, last
        Width of the first convolution and of the last.
    dim
        Length of the embedding.
    """

    def __init__(
        self,
        groups: tuple[tuple[int, int, int, int], ...] = _SMALL,
        stem: int = 20,
        last: int = 256,
        dim: int = 128,
    ) -> None:
        super().__init__()
        self.dim = dim
        layers: list[nn.Module] = [_conv(3, stem, 3, 2), _conv(stem, stem, 3, 1, stem)]
        width = stem
        for expansion, outputs, number, stride in groups:
            for i in range(number):
                layers.append(InvertedResidual(width, outputs, stride if i == 0 else 1, expansion))
                width = outputs
        self.trunk = nn.Sequential(*layers, _conv(width, last))
        self.spread = nn.Sequential(nn.Conv2d(last, last, 7, groups=last, bias=False), nn.BatchNorm2d(last))
        self.head = nn.Sequential(nn.Flatten(), nn.Linear(last, dim, bias=False), nn.BatchNorm1d(dim))

    def forward(self, faces: Tensor) -> Tensor:
        """Return the embeddings (B, dim)."""
        return self.head(self.spread(self.trunk(faces)))


def mobileface_small() -> MobileFaceNet:
    """Return the network that ships with the package, with untrained weights."""
    return MobileFaceNet()
