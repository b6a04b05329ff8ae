"""Inception-ResNet-v1 (Szegedy et al., AAAI 2017, section 3.2), the network of FaceNet, as facenet-pytorch has it.

Names and shapes of the parameters are facenet-pytorch's, so its released weights load (`logits`, the classifier of
their training, lies beside the encoder and is left). The release differs from the paper in the places where FaceNet's
TensorFlow code did: scales of the residuals 0.17, 0.10 and 0.20, a last block of scale 1 without a rectifier, the mean
over whatever map is left, and a linear layer to 512 with batch normalisation. An embedding has length 1, as FaceNet
(Schroff et al., CVPR 2015, section 3.1) defines it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from avsieve.encoders.face_input import FaceInput
from avsieve.encoders.layers import inception_layers
from avsieve.encoders.states import InnerStates, Keep, Kept, State, pass_on

Size = int | tuple[int, int]


class Conv(nn.Module):
    """Convolution without bias, batch normalisation, rectifier; padded to keep the size, or not at all."""

    def __init__(self, inputs: int, outputs: int, kernel: Size, *, stride: int = 1, pad: bool = True) -> None:
        super().__init__()
        sides = (kernel, kernel) if isinstance(kernel, int) else kernel
        padding = (sides[0] // 2, sides[1] // 2) if pad else (0, 0)
        self.conv = nn.Conv2d(inputs, outputs, sides, stride, padding, bias=False)
        self.bn = nn.BatchNorm2d(outputs, eps=1e-3)

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, inputs, h, w) to (B, outputs, h', w')."""
        return torch.relu(self.bn(self.conv(x)))


class Residual(nn.Module):
    """Branches side by side, joined by a 1 x 1 convolution, scaled and added to the input."""

    def __init__(self, width: int, branches: list[list[Conv]], scale: float, *, rectify: bool = True) -> None:
        super().__init__()
        joined = 0
        for number, branch in enumerate(branches):
            self.add_module(f"branch{number}", branch[0] if len(branch) == 1 else nn.Sequential(*branch))
            joined += branch[-1].conv.out_channels
        self.conv2d = nn.Conv2d(joined, width, 1)
        self.count, self.scale, self.rectify = len(branches), scale, rectify

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, width, h, w) to the same shape."""
        parts = [self.get_submodule(f"branch{number}")(x) for number in range(self.count)]
        y = self.conv2d(torch.cat(parts, dim=1)) * self.scale + x
        return torch.relu(y) if self.rectify else y


class Reduction(nn.Module):
    """Branches of stride 2 and a maximum of stride 2, side by side."""

    def __init__(self, branches: list[list[Conv]]) -> None:
        super().__init__()
        for number, branch in enumerate(branches):
            self.add_module(f"branch{number}", branch[0] if len(branch) == 1 else nn.Sequential(*branch))
        self.count = len(branches)

    def forward(self, x: Tensor) -> Tensor:
        """Halve the size of (B, inputs, h, w); channels of the branches and of the input add up."""
        parts = [self.get_submodule(f"branch{number}")(x) for number in range(self.count)]
        return torch.cat([*parts, F.max_pool2d(x, 3, 2)], dim=1)


def _block35() -> Residual:
    branches = [
        [Conv(256, 32, 1)],
        [Conv(256, 32, 1), Conv(32, 32, 3)],
        [Conv(256, 32, 1), Conv(32, 32, 3), Conv(32, 32, 3)],
    ]
    return Residual(256, branches, 0.17)


def _block17() -> Residual:
    branches = [[Conv(896, 128, 1)], [Conv(896, 128, 1), Conv(128, 128, (1, 7)), Conv(128, 128, (7, 1))]]
    return Residual(896, branches, 0.10)


def _block8(scale: float = 0.20, *, rectify: bool = True) -> Residual:
    branches = [[Conv(1792, 192, 1)], [Conv(1792, 192, 1), Conv(192, 192, (1, 3)), Conv(192, 192, (3, 1))]]
    return Residual(1792, branches, scale, rectify=rectify)


def _halving(inputs: int, outputs: int) -> Conv:
    return Conv(inputs, outputs, 3, stride=2, pad=False)


class InceptionResnetV1(InnerStates, nn.Module):
    """Map faces (B, 3, h, w) in [-1, 1] to embeddings (B, 512) of length 1.

    Parameters
    ----------
    face_input
        How the weights were trained to see faces; given faces are brought to it.
    dropout
        Before the last linear layer, in training only.
    """

    dim = 512
    # The facenet-pytorch release: crops of 160 pixels, RGB, (x - 127.5) / 128.
    released: ClassVar[FaceInput] = FaceInput(160, 127.5, 128.0, layouts=(("", "rgb"),))

    def __init__(self, face_input: FaceInput | None = None, dropout: float = 0.6) -> None:
        super().__init__()
        self.face_input = face_input or self.released
        self.offers = inception_layers(self.face_input.size)
        self.conv2d_1a = _halving(3, 32)
        self.conv2d_2a = Conv(32, 32, 3, pad=False)
        self.conv2d_2b = Conv(32, 64, 3)
        self.conv2d_3b = Conv(64, 80, 1)
        self.conv2d_4a = Conv(80, 192, 3, pad=False)
        self.conv2d_4b = _halving(192, 256)
        self.repeat_1 = nn.Sequential(*(_block35() for _ in range(5)))
        self.mixed_6a = Reduction([[_halving(256, 384)], [Conv(256, 192, 1), Conv(192, 192, 3), _halving(192, 256)]])
        self.repeat_2 = nn.Sequential(*(_block17() for _ in range(10)))
        branches = [
            [Conv(896, 256, 1), _halving(256, 384)],
            [Conv(896, 256, 1), _halving(256, 256)],
            [Conv(896, 256, 1), Conv(256, 256, 3), _halving(256, 256)],
        ]
        self.mixed_7a = Reduction(branches)
        self.repeat_3 = nn.Sequential(*(_block8() for _ in range(5)))
        self.block8 = _block8(1.0, rectify=False)
        self.dropout = nn.Dropout(dropout)
        self.last_linear = nn.Linear(1792, self.dim, bias=False)
        self.last_bn = nn.BatchNorm1d(self.dim, eps=1e-3)

    def forward(self, faces: Tensor) -> Tensor:
        """Return the embeddings (B, 512)."""
        return self._embed(faces, pass_on)

    def forward_states(
        self, inputs: Tensor, lengths: Tensor | None = None, *, only: Sequence[str] | None = None
    ) -> tuple[Tensor, list[State]]:
        """Return embeddings and feature maps of faces; see `InnerStates.forward_states`."""
        kept = Kept(self, only)
        return self._embed(inputs, kept), kept.maps(lengths)

    def _embed(self, faces: Tensor, keep: Keep) -> Tensor:
        x = self.face_input.prepare(faces)
        for name in (layer.name for layer in self.offers):
            x = F.max_pool2d(x, 3, 2) if name == "conv2d_3b" else x
            x = keep(name, self.get_submodule(name)(x))
        x = self.last_bn(self.last_linear(self.dropout(x.mean(dim=(2, 3)))))
        return F.normalize(x)


def inception_resnet_v1() -> InceptionResnetV1:
    """Return Inception-ResNet-v1 as facenet-pytorch's weights want to see faces: 160 pixels, (x - 127.5) / 128."""
    return InceptionResnetV1()


def inception_resnet_v1_whitened() -> InceptionResnetV1:
    """Return the same network for faces of 160 pixels that are whitened one by one (`FaceInput.whitened`)."""
    return InceptionResnetV1(FaceInput(160, whitened=True, layouts=(("", "rgb"),)))


def inception_resnet_v1_112() -> InceptionResnetV1:
    """Return the same network for faces of 112 pixels, (x - 127.5) / 127.5, as VUT's audio-visual system feeds it."""
    return InceptionResnetV1(FaceInput(layouts=(("", "rgb"),)))
