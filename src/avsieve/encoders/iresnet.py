"""IResNet 18, 34, 50 and 100: the residual networks of InsightFace's arcface_torch, with its state-dict keys.

The blocks begin with batch normalisation and have the stride in their second convolution ("IR" blocks: Deng et al.,
"ArcFace", CVPR 2019, section 3.1; Duta et al., "Improved Residual Networks", ICPR 2020). Input 3 x 112 x 112 in
[-1, 1]; output 512 numbers after a last batch normalisation, not normalised.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from avsieve.encoders.face_input import FaceInput
from avsieve.encoders.layers import iresnet_layers
from avsieve.encoders.states import InnerStates, Keep, Kept, State, pass_on

_EPS = 1e-5
# AVCleanse reads faces with cv2.imread, which gives BGR, and never turns them; the files of its face trainer hold the
# network's own names and the `weight` of the loss beside them, states of its joint training have prefixes.
# arcface_torch trains on RGB (mx.image.imdecode, DALI's RGB) and stores its classifier elsewhere. InsightFace's Glint
# model, which AVCleanse uses as it is (`V-Glint.model`), therefore counts as what it was trained on, RGB, although
# AVCleanse's own loader feeds it BGR. A copy that AVCleanse's trainer has written anew has a `weight`, and is fed BGR.
LAYOUTS = (("face_encoder.", "bgr"), ("face_loss.", "bgr"), ("weight", "bgr"), ("", "rgb"))


class IRBlock(nn.Module):
    """Batch norm, 3 x 3, batch norm, PReLU, 3 x 3 with the stride, batch norm; added to the input."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.bn1 = nn.BatchNorm2d(inputs, eps=_EPS)
        self.conv1 = nn.Conv2d(inputs, outputs, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs, eps=_EPS)
        self.prelu = nn.PReLU(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, stride, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(outputs, eps=_EPS)
        self.downsample: nn.Sequential | None = None
        if stride != 1 or inputs != outputs:
            shortcut = nn.Conv2d(inputs, outputs, 1, stride, bias=False)
            self.downsample = nn.Sequential(shortcut, nn.BatchNorm2d(outputs, eps=_EPS))

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, inputs, h, w) to (B, outputs, h / stride, w / stride)."""
        y = self.prelu(self.bn2(self.conv1(self.bn1(x))))
        y = self.bn3(self.conv2(y))
        return y + (x if self.downsample is None else self.downsample(x))


class IResNet(InnerStates, nn.Module):
    """Map faces (B, 3, 112, 112) to embeddings (B, dim).

    Parameters
    ----------
    blocks
        Number of blocks at each of the four resolutions.
    dim
        Length of the embedding.
    dropout
        Before the last linear layer, in training only.
    """

    def __init__(self, blocks: tuple[int, int, int, int], dim: int = 512, dropout: float = 0.0) -> None:
        super().__init__()
        self.dim = dim
        self.face_input = FaceInput(layouts=LAYOUTS)
        self.offers = iresnet_layers(blocks)
        self.conv1 = nn.Conv2d(3, 64, 3, 1, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(64, eps=_EPS)
        self.prelu = nn.PReLU(64)
        inputs = 64
        for number, (count, width) in enumerate(zip(blocks, (64, 128, 256, 512), strict=True), start=1):
            stage = [IRBlock(inputs if i == 0 else width, width, 2 if i == 0 else 1) for i in range(count)]
            self.add_module(f"layer{number}", nn.Sequential(*stage))
            inputs = width
        self.bn2 = nn.BatchNorm2d(512, eps=_EPS)
        self.dropout = nn.Dropout(dropout)
        self.fc = nn.Linear(512 * 7 * 7, dim)
        self.features = nn.BatchNorm1d(dim, eps=_EPS)
        # The scale of the last normalisation stays 1: the loss sees directions only.
        nn.init.constant_(self.features.weight, 1.0)
        self.features.weight.requires_grad = False
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.normal_(module.weight, 0, 0.1)

    def forward(self, faces: Tensor) -> Tensor:
        """Return the embeddings (B, dim), not normalised."""
        return self._embed(faces, pass_on)

    def forward_states(
        self, inputs: Tensor, lengths: Tensor | None = None, *, only: Sequence[str] | None = None
    ) -> tuple[Tensor, list[State]]:
        """Return embeddings and feature maps of faces; see `InnerStates.forward_states`."""
        kept = Kept(self, only)
        return self._embed(inputs, kept), kept.maps(lengths)

    def _embed(self, faces: Tensor, keep: Keep) -> Tensor:
        x = keep("stem", self.prelu(self.bn1(self.conv1(faces))))
        for number in (1, 2, 3, 4):
            for place, block in self.get_submodule(f"layer{number}").named_children():
                x = keep(f"layer{number}.{place}", block(x))
            keep(f"layer{number}", x)
        return self.features(self.fc(torch.flatten(self.dropout(self.bn2(x)), 1)))


def iresnet18() -> IResNet:
    """Return IResNet-18 with untrained weights."""
    return IResNet((2, 2, 2, 2))


def iresnet34() -> IResNet:
    """Return IResNet-34 with untrained weights."""
    return IResNet((3, 4, 6, 3))


def iresnet50() -> IResNet:
    """Return IResNet-50 with untrained weights."""
    return IResNet((3, 4, 14, 3))


def iresnet100() -> IResNet:
    """Return IResNet-100 with untrained weights."""
    return IResNet((3, 13, 30, 3))
