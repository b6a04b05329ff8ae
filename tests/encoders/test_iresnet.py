import pytest
import torch

from avsieve.encoders import load_visual_encoder
from avsieve.encoders.iresnet import IResNet, iresnet18, iresnet50, iresnet100
from avsieve.errors import ModelError


@pytest.mark.parametrize(
    ("factory", "weights"), [(iresnet18, 24_025_600), (iresnet50, 43_590_848), (iresnet100, 65_156_160)]
)
def test_the_number_of_weights_is_the_published_one(factory, weights):
    with torch.device("meta"):
        assert sum(p.numel() for p in factory().parameters()) == weights


def test_the_keys_are_those_of_arcface_torch():
    with torch.device("meta"):
        keys = set(iresnet18().state_dict())
    assert {"conv1.weight", "prelu.weight", "layer1.0.bn1.running_mean", "layer2.0.downsample.1.bias"} <= keys
    assert {"layer4.1.bn3.weight", "bn2.weight", "fc.weight", "fc.bias", "features.running_var"} <= keys
    assert "layer1.1.downsample.0.weight" not in keys


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
    with pytest.raises(ModelError, match=r"'iresnet7': not known; expected one of .*iresnet100"):
        load_visual_encoder("iresnet7", tmp_path / "x.pt")


@pytest.mark.parametrize(("prefix", "order"), [("", "rgb"), ("module.", "rgb"), ("module.face_encoder.", "bgr")])
def test_the_layout_of_the_keys_tells_the_order_of_the_channels(tmp_path, prefix, order):
    torch.save({prefix + k: v for k, v in iresnet18().state_dict().items()}, tmp_path / "backbone.pth")
    assert load_visual_encoder("iresnet18", tmp_path / "backbone.pth").channels == order
