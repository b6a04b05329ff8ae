import pytest
import torch
import torch.nn.functional as F
from torch import nn

from avsieve.encoders import load_visual_encoder
from avsieve.encoders.iresnet import IResNet, iresnet18, iresnet34, iresnet50, iresnet100
from avsieve.errors import ConfigError, ModelError


@pytest.mark.parametrize(
    ("factory", "weights"),
    [(iresnet18, 24_025_600), (iresnet34, 34_139_328), (iresnet50, 43_590_848), (iresnet100, 65_156_160)],
)
def test_the_number_of_weights_is_the_published_one(factory, weights):
    with torch.device("meta"):
        assert sum(p.numel() for p in factory().parameters()) == weights


class ByDefinition:
    """The network written out over its weights in double precision."""

    def __init__(self, network):
        self.w = {k: v.double() for k, v in network.state_dict().items()}

    def norm(self, name, x):
        mean, var, weight, bias = (self.w[f"{name}.{k}"] for k in ("running_mean", "running_var", "weight", "bias"))
        shape = (1, -1, *[1] * (x.ndim - 2))
        scale = (weight / (var + 1e-5).sqrt()).reshape(shape)
        return x * scale + (bias.reshape(shape) - mean.reshape(shape) * scale)

    def prelu(self, name, x):
        return torch.where(x > 0, x, x * self.w[f"{name}.weight"].reshape(1, -1, 1, 1))

    def block(self, name, x, stride):
        y = F.conv2d(self.norm(f"{name}.bn1", x), self.w[f"{name}.conv1.weight"], padding=1)
        y = self.prelu(f"{name}.prelu", self.norm(f"{name}.bn2", y))
        y = self.norm(f"{name}.bn3", F.conv2d(y, self.w[f"{name}.conv2.weight"], padding=1, stride=stride))
        if f"{name}.downsample.0.weight" in self.w:
            x = F.conv2d(x, self.w[f"{name}.downsample.0.weight"], stride=stride)
            x = self.norm(f"{name}.downsample.1", x)
        return x + y

    def __call__(self, faces, blocks):
        x = self.prelu("prelu", self.norm("bn1", F.conv2d(faces, self.w["conv1.weight"], padding=1)))
        for layer, count in enumerate(blocks, start=1):
            for i in range(count):
                x = self.block(f"layer{layer}.{i}", x, 2 if i == 0 else 1)
        x = self.norm("bn2", x).flatten(1) @ self.w["fc.weight"].T + self.w["fc.bias"]
        return self.norm("features", x)


@pytest.mark.parametrize("blocks", [(2, 2, 2, 2), (3, 4, 6, 3)])
def test_the_network_computes_what_its_definition_says(blocks):
    torch.manual_seed(0)
    network = IResNet(blocks)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d | nn.BatchNorm1d):
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.normal_(module.bias, 0, 0.2)
            module.momentum = 1.0
    faces = torch.rand(4, 3, 112, 112) * 2 - 1
    with torch.no_grad():
        network.train()(faces)  # statistics as after training
        found = network.eval()(faces[:1]).double()
        expected = ByDefinition(network)(faces[:1].double(), blocks)
    assert (found - expected).norm() < 1e-4 * expected.norm()


def test_the_keys_are_those_of_arcface_torch():
    with torch.device("meta"):
        keys = set(iresnet18().state_dict())
    assert {"conv1.weight", "prelu.weight", "layer1.0.bn1.running_mean", "layer2.0.downsample.1.bias"} <= keys
    assert {"layer4.1.bn3.weight", "bn2.weight", "fc.weight", "fc.bias", "features.running_var"} <= keys
    assert "layer1.1.downsample.0.weight" not in keys
    # Stem; a block: three normalisations, two convolutions, a rectifier; a shortcut in each of four layers; the end.
    assert len(keys) == 7 + 8 * (3 * 5 + 2 + 1) + 4 * 6 + 5 + 2 + 5


def test_a_checkpoint_with_the_prefixes_and_the_loss_of_avcleanse_loads(tmp_path):
    torch.manual_seed(0)
    network = iresnet18().eval()
    state = {f"face_encoder.{k}": v for k, v in network.state_dict().items()}
    torch.save(state | {"face_loss.weight": torch.zeros(10, 512)}, tmp_path / "V-Vox2.model")
    loaded = load_visual_encoder("iresnet18", tmp_path / "V-Vox2.model")
    faces = torch.rand(2, 3, 112, 112) * 2 - 1
    with torch.inference_mode():
        assert torch.equal(loaded(faces), network(faces))


def test_a_checkpoint_of_another_depth_is_refused(tmp_path):
    torch.save(IResNet((1, 1, 1, 1)).state_dict(), tmp_path / "small.pt")
    with pytest.raises(ModelError, match=r"missing: layer1\.1"):
        load_visual_encoder("iresnet18", tmp_path / "small.pt")


def test_an_unknown_architecture_is_named_with_the_known_ones(tmp_path):
    with pytest.raises(ConfigError, match=r"visual architecture 'iresnet7'; expected one of .*iresnet100"):
        load_visual_encoder("iresnet7", tmp_path / "x.pt")


@pytest.mark.parametrize(
    ("prefix", "beside", "order"),
    [
        # arcface_torch: the network alone, its classifier elsewhere. RGB.
        ("", [], "rgb"),
        ("module.", [], "rgb"),
        # AVCleanse's face trainer: the network's own names, and the loss's `weight`. BGR.
        ("", ["weight"], "bgr"),
        ("module.", ["module.weight"], "bgr"),
        # AVCleanse's joint trainer, with and without its losses. BGR.
        ("face_encoder.", [], "bgr"),
        ("module.face_encoder.", ["module.face_loss.weight", "module.speaker_loss.weight"], "bgr"),
    ],
)
def test_the_layout_of_a_file_tells_the_order_of_the_channels(tmp_path, prefix, beside, order):
    state = {prefix + k: v for k, v in iresnet18().state_dict().items()}
    torch.save(state | {name: torch.zeros(10, 512) for name in beside}, tmp_path / "backbone.pth")
    assert load_visual_encoder("iresnet18", tmp_path / "backbone.pth").channels == order


def test_a_whole_state_of_arcface_torch_is_its_backbone_and_rgb(tmp_path):
    state = iresnet18().state_dict()
    whole = {"epoch": 3, "state_dict_backbone": state, "state_dict_softmax_fc": {"weight": torch.zeros(10, 512)}}
    torch.save(
        whole | {"state_optimizer": {"state": {}, "param_groups": [{"lr": 0.1}]}}, tmp_path / "checkpoint_gpu_0.pt"
    )
    assert load_visual_encoder("iresnet18", tmp_path / "checkpoint_gpu_0.pt").channels == "rgb"
