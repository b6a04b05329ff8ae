import numpy as np
import pytest
import torch

from avsieve.encoders.face_encoder import load_face_encoder
from avsieve.encoders.mobileface import mobileface_small
from avsieve.encoders.onnx_face import OnnxFaceEncoder
from avsieve.encoders.torch_face import TorchFaceEncoder
from avsieve.errors import ConfigError, ModelError
from avsieve.training.encoder.encoder_run import save_encoder
from avsieve.training.shipped.onnx_export import export_face_encoder

FACES = np.random.default_rng(0).integers(0, 255, (3, 112, 112, 3), dtype=np.uint8)


@pytest.fixture
def network():
    torch.manual_seed(0)
    made = mobileface_small().train()
    made(torch.rand(8, 3, 112, 112) * 2 - 1)  # batch norms that are not the identity
    return made.eval()


def test_it_is_small_and_gives_128_numbers(network):
    assert sum(p.numel() for p in network.parameters()) < 300_000
    assert network(torch.zeros(2, 3, 112, 112)).shape == (2, 128)


def test_torch_and_exported_onnx_agree_on_bgr_faces(network, tmp_path):
    save_encoder(tmp_path / "m.safetensors", network, {"arch": "mobileface_small", "channels": "rgb"})
    export_face_encoder(network, tmp_path / "m.onnx")
    ours = TorchFaceEncoder("mobileface_small", tmp_path / "m.safetensors")
    theirs = OnnxFaceEncoder(tmp_path / "m.onnx")
    assert ours.dim == theirs.dim == 128
    assert np.allclose(ours.embed(FACES), theirs.embed(FACES), atol=1e-3)


def test_the_order_of_channels_comes_from_the_checkpoint_or_must_be_given(network, tmp_path):
    save_encoder(tmp_path / "bgr.safetensors", network, {"channels": "bgr"})
    save_encoder(tmp_path / "silent.safetensors", network, {})
    said = TorchFaceEncoder("mobileface_small", tmp_path / "bgr.safetensors")
    given = TorchFaceEncoder("mobileface_small", tmp_path / "silent.safetensors", channels="bgr")
    other = TorchFaceEncoder("mobileface_small", tmp_path / "silent.safetensors", channels="rgb")
    assert np.array_equal(said.embed(FACES), given.embed(FACES))
    assert not np.allclose(said.embed(FACES), other.embed(FACES))
    with pytest.raises(ModelError, match="whether it was trained on RGB or BGR"):
        TorchFaceEncoder("mobileface_small", tmp_path / "silent.safetensors")


def test_half_precision_and_batches_hardly_change_an_embedding(network, tmp_path):
    save_encoder(tmp_path / "m.safetensors", network, {"arch": "mobileface_small", "channels": "rgb"})
    faces = np.repeat(FACES, 9, axis=0)[:9]  # more than the CPU takes at a time
    full = TorchFaceEncoder("mobileface_small", tmp_path / "m.safetensors")
    half = TorchFaceEncoder("mobileface_small", tmp_path / "m.safetensors", precision="bf16")
    exact = full.embed(faces)
    alone = np.concatenate([full.embed(face[None]) for face in faces])
    assert exact.shape == (9, 128)
    for found, least in ((alone, 0.999999), (half.embed(faces), 0.999)):
        cosines = (found * exact).sum(1) / np.linalg.norm(found, axis=1) / np.linalg.norm(exact, axis=1)
        assert cosines.min() > least
    assert not np.array_equal(half.embed(faces), exact)


def test_a_precision_that_an_onnx_file_cannot_have_is_refused():
    with pytest.raises(ConfigError, match="which has no effect on InsightFace's ONNX files"):
        load_face_encoder("onnx", "builtin", channels="auto", precision="fp16", device="cpu", threads=1)
