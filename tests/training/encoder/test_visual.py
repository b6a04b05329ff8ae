import json
import shlex

import cv2
import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from avsieve.encoders import load_visual_encoder
from avsieve.encoders.iresnet import iresnet18
from avsieve.encoders.onnx_face import OnnxFaceEncoder
from avsieve.encoders.registry import build
from avsieve.encoders.torch_face import TorchFaceEncoder
from avsieve.encoders.visual import VISUAL
from avsieve.errors import ConfigError, ModelError
from avsieve.storage.indexed_tar import TarReader, TarWriter
from avsieve.training import loop, phase
from avsieve.training.encoder.settings import TrainVisual
from avsieve.training.encoder.visual import train_visual
from avsieve.training.shipped.onnx_export import export_face_encoder
from avsieve.wiring.flags import flags

from .conftest import COLOURS, run_script
from .recipes import run_of

LAYOUTS = {2: torch.contiguous_format, 4: torch.channels_last}


SMALL = {"batch": 6, "augment": False, "lr": 2e-3, "margin": 0.0, "steps": 24}


def train(data, output, run=None, **settings):
    return train_visual(
        data / "list.txt",
        [data / "faces.tar"],
        output,
        settings=TrainVisual(**{**SMALL, **settings}),
        run=run_of(**{"log_every": 6, "checkpoint_every": 6, **(run or {})}),
    )


def test_training_learns_and_writes_an_encoder_that_loads_by_name(data):
    rows = train(data, data / "m.safetensors", run={"provenance": data / "m.json"})
    assert rows[-1][1] < rows[0][1]
    encoder = load_visual_encoder("mobileface_small", data / "m.safetensors")
    assert encoder(torch.zeros(1, 3, 112, 112)).shape == (1, 128)
    train(data, data / "again.safetensors")
    assert (data / "m.safetensors").read_bytes() == (data / "again.safetensors").read_bytes()


def test_what_was_trained_on_bgr_says_so_and_is_fed_so(data):
    order = {}
    for channels in ("auto", "rgb", "bgr"):
        path = data / f"{channels}.safetensors"
        train(data, path, run={"provenance": data / "m.json"}, channels=channels)
        order[channels] = load_visual_encoder("mobileface_small", path).channels
        assert json.loads((data / "m.json").read_text())["channels"] == order[channels]
    assert order == {"auto": "rgb", "rgb": "rgb", "bgr": "bgr"}
    assert (data / "auto.safetensors").read_bytes() == (data / "rgb.safetensors").read_bytes()
    face = np.full((1, 112, 112, 3), COLOURS["a"], np.uint8)
    fed = {c: TorchFaceEncoder("mobileface_small", data / "bgr.safetensors", channels=c) for c in ("auto", "bgr")}
    assert np.array_equal(fed["auto"].embed(face), fed["bgr"].embed(face))


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    """Files of an IResNet-18 as AVCleanse's face trainer and as arcface_torch leave them."""
    torch.manual_seed(1)
    folder, state = tmp_path_factory.mktemp("published"), iresnet18().state_dict()
    torch.save(state | {"weight": torch.zeros(5994, 512)}, folder / "V-Vox2.model")
    torch.save(state, folder / "backbone.pth")
    return folder, state


def begun(data, published, name, channels):
    train(
        data, data / "v.safetensors", arch="iresnet18", batch=3, channels=channels, steps=1, lr=1e-12, lr_end=1e-12,
        start_from=str(published[0] / name),
    )  # fmt: skip
    return load_visual_encoder("iresnet18", data / "v.safetensors")


@pytest.mark.parametrize(("name", "order"), [("V-Vox2.model", "bgr"), ("backbone.pth", "rgb")])
def test_a_training_begins_with_a_published_file_and_keeps_its_order(data, published, name, order):
    network = begun(data, published, name, "auto")
    assert network.channels == order
    assert torch.allclose(network.state_dict()["fc.weight"], published[1]["fc.weight"], atol=1e-9)


def test_first_weights_of_the_other_order_or_architecture_are_refused(data, published):
    with pytest.raises(ConfigError, match=r"V-Vox2\.model: was trained on BGR faces, and channels is rgb; set"):
        begun(data, published, "V-Vox2.model", "rgb")
    with pytest.raises(ModelError, match=r"backbone\.pth: does not fit MobileFace.* another architecture\?") as told:
        train(data, data / "m.safetensors", start_from=str(published[0] / "backbone.pth"))
    assert "\n" not in str(told.value)


def test_an_onnx_file_of_a_network_for_bgr_turns_the_planes_itself(data):
    torch.manual_seed(0)
    network = build(VISUAL, "mobileface_small").eval()
    faces = np.random.default_rng(0).integers(0, 255, (2, 112, 112, 3), dtype=np.uint8)
    for channels in ("rgb", "bgr"):
        save_file(network.state_dict(), data / "m.safetensors", {"arch": "mobileface_small", "channels": channels})
        export_face_encoder(load_visual_encoder("mobileface_small", data / "m.safetensors"), data / "m.onnx")
        fed = TorchFaceEncoder("mobileface_small", data / "m.safetensors").embed(faces)
        assert np.allclose(OnnxFaceEncoder(data / "m.onnx").embed(faces), fed, atol=1e-4)


def test_speakers_kept_out_must_leave_some_to_train_on(data):
    with pytest.raises(ConfigError, match="holds out 2 of 3 speakers"):
        train(data, data / "m.safetensors", validation=0.2)


def test_the_script_takes_what_the_rule_passes_on(data, repository):
    settings = TrainVisual(steps=2, batch=4, noise=1.0)
    run_script(
        repository / "workflow/scripts/train_visual.py", "--list", data / "list.txt", "--faces", data / "faces.tar",
        "--output", data / "m.safetensors", "--log", data / "m.csv", "--provenance", data / "m.json",
        *shlex.split(flags(settings)), "--device", "cpu", "--devices", 1, "--precision", "fp32", "--workers", 0,
        "--threads", 1,
    )  # fmt: skip
    facts = json.loads((data / "m.json").read_text())
    assert facts["recipe"]["augmentation"]["noise"] == 1.0
    assert facts["recipe"]["batch"] == 4
    assert facts["schedule"][0]["steps"] == 2
    assert load_visual_encoder("mobileface_small", data / "m.safetensors").channels == "rgb"


def test_a_layout_for_gpus_trains_the_same_network_and_leaves_plain_weights(data, monkeypatch):
    monkeypatch.setattr(phase, "layout_of", lambda _device, dimensions: LAYOUTS[dimensions])
    whole = train(data, data / "whole.safetensors", optimiser="adam")
    save = loop.save_state

    def die(*arguments):
        network, moments = arguments[2].network, arguments[2].stepper.state.values()
        assert any(not p.is_contiguous() for p in network.parameters())
        save(*arguments)
        left = torch.load(arguments[0], weights_only=True)
        assert all(p.is_contiguous() for p in left["encoder"].values())
        assert all(m.is_contiguous() for kept in left["optimiser"]["state"].values() for m in kept.values())
        assert any(not kept["exp_avg"].is_contiguous() for kept in moments)
        raise KeyboardInterrupt

    state = {"checkpoint": data / "state"}
    monkeypatch.setattr(loop, "save_state", die)
    with pytest.raises(KeyboardInterrupt):
        train(data, data / "cut.safetensors", run=state)
    monkeypatch.setattr(loop, "save_state", save)
    assert train(data, data / "cut.safetensors", run=state) == whole
    assert (data / "cut.safetensors").read_bytes() == (data / "whole.safetensors").read_bytes()


def test_a_layout_for_gpus_computes_the_same(data, monkeypatch):
    # Faces with contrast: on nearly even ones the CPU's batch normalisation is inexact in this layout.
    rng = np.random.default_rng(1)
    with TarReader(data / "faces.tar") as reader:
        utterances = reader.utterances
    with TarWriter(data / "faces.tar") as out:
        for utterance in utterances:
            image = cv2.resize(rng.integers(0, 255, (9, 9, 3), dtype=np.uint8), (112, 112))
            out.add(utterance, f"{utterance}/0010.jpg", cv2.imencode(".jpg", image)[1].tobytes())
    how = {"optimiser": "sgd", "lr": 1e-3, "steps": 3, "run": {"log_every": 1}}
    plain = train(data, data / "plain.safetensors", **how)
    monkeypatch.setattr(phase, "layout_of", lambda _device, dimensions: LAYOUTS[dimensions])
    laid_out = train(data, data / "laid_out.safetensors", **how)
    assert [row[1] for row in laid_out] == pytest.approx([row[1] for row in plain], rel=1e-3)
    one, two = (load_file(data / f"{name}.safetensors") for name in ("plain", "laid_out"))
    assert {k: v.shape for k, v in one.items()} == {k: v.shape for k, v in two.items()}
