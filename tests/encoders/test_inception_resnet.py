from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from avsieve.encoders import load_visual_encoder
from avsieve.encoders.inception_resnet import (
    InceptionResnetV1,
    inception_resnet_v1_112,
    inception_resnet_v1_whitened,
)
from avsieve.encoders.torch_face import TorchFaceEncoder
from avsieve.errors import ModelError


def pictures(count: int, side: int = 160) -> Tensor:
    """Return blotches of colour (count, 3, side, side) in 0..255, which differ as faces do and noise does not."""
    blotches = torch.rand(count, 3, 6, 6, generator=torch.Generator().manual_seed(count)) * 255
    return F.interpolate(blotches, (side, side), mode="bicubic").clamp(0, 255).round()


@pytest.fixture(scope="module")
def network() -> InceptionResnetV1:
    """Return the network with statistics and scales such as training gives."""
    torch.manual_seed(0)
    made = InceptionResnetV1()
    for module in made.modules():
        if isinstance(module, nn.BatchNorm2d | nn.BatchNorm1d):
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.normal_(module.bias, 0, 0.1)
            module.momentum = 1.0
    with torch.no_grad():
        made.train()((pictures(8, 112) - 127.5) / 127.5)
    return made.eval()


class ByDefinition:
    """The network written out over its weights in double precision, for faces that are prepared already."""

    def __init__(self, network: nn.Module) -> None:
        self.w = {k: v.double() for k, v in network.state_dict().items()}

    def conv(self, name: str, x: Tensor, stride: int = 1, pad: tuple[int, int] = (0, 0)) -> Tensor:
        y = F.conv2d(x, self.w[f"{name}.conv.weight"], stride=stride, padding=pad)
        mean, var, weight, bias = (
            self.w[f"{name}.bn.{k}"][:, None, None] for k in ("running_mean", "running_var", "weight", "bias")
        )
        return ((y - mean) / (var + 0.001).sqrt() * weight + bias).clamp_min(0)

    def joined(self, name: str, x: Tensor, branches: list[Tensor], scale: float) -> Tensor:
        y = F.conv2d(torch.cat(branches, 1), self.w[f"{name}.conv2d.weight"], self.w[f"{name}.conv2d.bias"])
        return x + scale * y

    def block35(self, name: str, x: Tensor) -> Tensor:
        b0 = self.conv(f"{name}.branch0", x)
        b1 = self.conv(f"{name}.branch1.1", self.conv(f"{name}.branch1.0", x), pad=(1, 1))
        b2 = self.conv(f"{name}.branch2.1", self.conv(f"{name}.branch2.0", x), pad=(1, 1))
        b2 = self.conv(f"{name}.branch2.2", b2, pad=(1, 1))
        return self.joined(name, x, [b0, b1, b2], 0.17).clamp_min(0)

    def two(self, name: str, x: Tensor, reach: int, scale: float) -> Tensor:
        b0 = self.conv(f"{name}.branch0", x)
        b1 = self.conv(f"{name}.branch1.1", self.conv(f"{name}.branch1.0", x), pad=(0, reach))
        b1 = self.conv(f"{name}.branch1.2", b1, pad=(reach, 0))
        return self.joined(name, x, [b0, b1], scale)

    def __call__(self, x: Tensor) -> Tensor:
        x = self.conv("conv2d_2a", self.conv("conv2d_1a", x, 2))
        x = F.max_pool2d(self.conv("conv2d_2b", x, pad=(1, 1)), 3, 2)
        x = self.conv("conv2d_4b", self.conv("conv2d_4a", self.conv("conv2d_3b", x)), 2)
        for i in range(5):
            x = self.block35(f"repeat_1.{i}", x)
        long = self.conv("mixed_6a.branch1.1", self.conv("mixed_6a.branch1.0", x), pad=(1, 1))
        parts = [self.conv("mixed_6a.branch0", x, 2), self.conv("mixed_6a.branch1.2", long, 2), F.max_pool2d(x, 3, 2)]
        x = torch.cat(parts, 1)
        for i in range(10):
            x = self.two(f"repeat_2.{i}", x, 3, 0.10).clamp_min(0)
        parts = [self.conv(f"mixed_7a.branch{b}.1", self.conv(f"mixed_7a.branch{b}.0", x), 2) for b in (0, 1)]
        long = self.conv("mixed_7a.branch2.1", self.conv("mixed_7a.branch2.0", x), pad=(1, 1))
        x = torch.cat([*parts, self.conv("mixed_7a.branch2.2", long, 2), F.max_pool2d(x, 3, 2)], 1)
        for i in range(5):
            x = self.two(f"repeat_3.{i}", x, 1, 0.20).clamp_min(0)
        x = self.two("block8", x, 1, 1.0).mean((2, 3)) @ self.w["last_linear.weight"].T
        w = {k: self.w[f"last_bn.{k}"] for k in ("running_mean", "running_var", "weight", "bias")}
        x = (x - w["running_mean"]) / (w["running_var"] + 0.001).sqrt() * w["weight"] + w["bias"]
        return x / x.norm(dim=1, keepdim=True)


def test_the_network_computes_what_its_definition_says(network: InceptionResnetV1) -> None:
    pixels = pictures(2).double()
    with torch.no_grad():
        found = network((pixels.float() - 127.5) / 127.5).double()
        expected = ByDefinition(network)((pixels - 127.5) / 128)
    assert (found - expected).norm(dim=1).max() < 1e-5
    assert (expected[0] - expected[1]).norm() > 0.1


def test_it_agrees_with_facenet_pytorch(network: InceptionResnetV1) -> None:
    theirs = pytest.importorskip("facenet_pytorch", exc_type=ImportError).InceptionResnetV1().eval()
    theirs.load_state_dict(network.state_dict())
    pixels = pictures(2)
    with torch.no_grad():
        assert torch.allclose(network((pixels - 127.5) / 127.5), theirs((pixels - 127.5) / 128), atol=1e-6)


def test_the_number_of_weights_and_the_keys_are_the_published_ones(network: InceptionResnetV1) -> None:
    # facenet-pytorch's InceptionResnetV1 without its classifier.
    assert sum(p.numel() for p in network.parameters()) == 23_482_624
    keys = set(network.state_dict())
    assert len(keys) == 714
    assert {"conv2d_1a.conv.weight", "repeat_1.4.branch2.2.bn.bias", "repeat_2.9.conv2d.bias"} <= keys
    assert {"mixed_6a.branch0.conv.weight", "mixed_7a.branch2.2.bn.running_var", "block8.branch1.2.conv.weight"} <= keys
    assert {"last_linear.weight", "last_bn.weight"} <= keys


@pytest.mark.parametrize("prefix", ["", "module.audio_vis_model.vit_face_model."])
def test_published_checkpoints_load_with_their_classifier(
    network: InceptionResnetV1, tmp_path: Path, prefix: str
) -> None:
    state = {prefix + k: v for k, v in network.state_dict().items()}
    beside = {f"{prefix}logits.weight": torch.zeros(8631, 512), f"{prefix}logits.bias": torch.zeros(8631)}
    beside |= {"audio_vis_model.fusion.gate.weight": torch.zeros(2), "loss_fc.weight": torch.zeros(2)} if prefix else {}
    torch.save({"epoch": 3, "model_state": state | beside}, tmp_path / "vggface2.pt")
    loaded = load_visual_encoder("inception_resnet_v1", tmp_path / "vggface2.pt")
    assert loaded.channels == "rgb"
    assert loaded.dim == 512
    faces = torch.rand(1, 3, 112, 112) * 2 - 1
    with torch.no_grad():
        assert torch.equal(loaded(faces), network(faces))
    with pytest.raises(ModelError, match="unexpected"):
        load_visual_encoder("iresnet18", tmp_path / "vggface2.pt")


def test_faces_of_112_pixels_are_resized_to_what_the_weights_were_trained_on(network: InceptionResnetV1) -> None:
    faces = pictures(1, 112) / 127.5 - 1
    larger = F.interpolate(faces, (160, 160), mode="bilinear", align_corners=False)
    as_vut = inception_resnet_v1_112().eval()
    as_vut.load_state_dict(network.state_dict())
    with torch.no_grad():
        assert torch.equal(network(faces), network(larger))
        assert (as_vut(faces) - network(faces)).norm() > 0.01
        at_112 = ByDefinition(network)(faces.double())  # (x - 127.5) / 127.5 as it comes, at its own size
        assert (as_vut(faces).double() - at_112).norm() < 1e-5


def test_whitened_faces_reach_the_network_whatever_their_light(network: InceptionResnetV1) -> None:
    whitened = inception_resnet_v1_whitened().eval()
    whitened.load_state_dict(network.state_dict())
    pixels = pictures(1).double()
    white = (pixels - pixels.mean()) / pixels.std(correction=0)
    with torch.no_grad():
        found = whitened((pixels.float() - 127.5) / 127.5)
        darker = whitened((pixels.float() * 0.5 + 20 - 127.5) / 127.5)
        assert (found.double() - ByDefinition(network)(white)).norm() < 1e-5
        assert (found - darker).norm() < 1e-4 < (found - network((pixels.float() - 127.5) / 127.5)).norm()


def test_bgr_faces_reach_the_network_as_rgb(network: InceptionResnetV1, tmp_path: Path) -> None:
    torch.save(network.state_dict(), tmp_path / "facenet.pt")
    faces = pictures(2, 112).permute(0, 2, 3, 1).numpy().astype(np.uint8)
    encoder = TorchFaceEncoder("inception_resnet_v1", tmp_path / "facenet.pt")
    rgb = torch.from_numpy(faces[..., ::-1].transpose(0, 3, 1, 2).astype(np.float32) / 127.5 - 1)
    with torch.no_grad():
        assert np.allclose(encoder.embed(faces), network(rgb).numpy(), atol=1e-5)
        assert not np.allclose(encoder.embed(faces), network(rgb.flip(1)).numpy(), atol=1e-2)
