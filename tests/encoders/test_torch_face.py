from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from avsieve.encoders.embed_visual import pool
from avsieve.encoders.iresnet import iresnet18
from avsieve.encoders.torch_face import TorchFaceEncoder
from avsieve.errors import ModelError


@pytest.fixture(scope="module")
def weights() -> dict[str, Tensor]:
    """A made-up IResNet-18 whose normalisations have seen faces, so that colours matter to it."""
    torch.manual_seed(0)
    network = iresnet18()
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm1d | torch.nn.BatchNorm2d):
            module.momentum = 1.0
    with torch.no_grad():
        network.train()(torch.rand(8, 3, 112, 112) * 2 - 1)
    return network.state_dict()


@pytest.fixture(scope="module")
def faces() -> np.ndarray:
    """Two faces (2, 112, 112, 3) BGR of the colours of skin."""
    rng = np.random.default_rng(0)
    return np.clip(rng.normal((90, 120, 190), 40, (2, 112, 112, 3)), 0, 255).astype(np.uint8)


@pytest.mark.parametrize(
    ("extra", "prefix", "order"),
    [
        ({"weight": torch.zeros(5994, 512)}, "", "bgr"),  # AVCleanse's face trainer: V-Vox2.model
        ({}, "", "rgb"),  # arcface_torch: backbone.pth, and AVCleanse's V-Glint.model, which is InsightFace's
        ({"face_loss.weight": torch.zeros(5994, 512), "speaker_encoder.conv1.weight": torch.zeros(1)}, "face_encoder.",
         "bgr"),  # AVCleanse's joint training
    ],
)  # fmt: skip
def test_published_files_are_fed_the_order_that_their_trainer_loads(
    tmp_path: Path, weights: dict[str, Tensor], faces: np.ndarray, extra: dict[str, Tensor], prefix: str, order: str
) -> None:
    path = tmp_path / "V.model"
    torch.save({prefix + k: v for k, v in weights.items()} | extra, path)
    chosen = TorchFaceEncoder("iresnet18", path)
    both = {c: TorchFaceEncoder("iresnet18", path, channels=c).embed(faces) for c in ("rgb", "bgr")}
    assert (chosen.channels, chosen.facts["channels"]) == (order, order)
    assert np.array_equal(chosen.embed(faces), both[order])
    # What is at stake: the same file fed the other way gives other embeddings.
    assert float(pool(both["rgb"]) @ pool(both["bgr"])) < 0.95


def test_what_the_user_says_stands_against_what_the_file_tells(tmp_path: Path, weights: dict[str, Tensor]) -> None:
    torch.save(weights | {"weight": torch.zeros(10, 512)}, tmp_path / "V.model")
    assert TorchFaceEncoder("iresnet18", tmp_path / "V.model", channels="rgb").channels == "rgb"


def test_our_own_metadata_stand_against_the_layout_of_the_keys(tmp_path: Path, weights: dict[str, Tensor]) -> None:
    for order in ("rgb", "bgr"):
        save_file(weights, tmp_path / "own.safetensors", {"arch": "iresnet18", "channels": order})
        assert TorchFaceEncoder("iresnet18", tmp_path / "own.safetensors").channels == order


def test_an_order_that_nothing_tells_is_asked_for(tmp_path: Path) -> None:
    from avsieve.encoders.mobileface import mobileface_small

    torch.save(mobileface_small().state_dict(), tmp_path / "m.pt")
    with pytest.raises(ModelError, match=r"does not say whether .* set visual\.channels"):
        TorchFaceEncoder("mobileface_small", tmp_path / "m.pt")
