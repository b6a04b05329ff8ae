import argparse
import importlib.util
from dataclasses import asdict

import cv2
import numpy as np
import pytest
import torch

from avsieve.encoders import load_visual_encoder
from avsieve.errors import ConfigError, ListError
from avsieve.shards import ShardWriter
from avsieve.training.face_augment import FaceAugmentation
from avsieve.training.optimiser import Optimiser
from avsieve.training.schedule import Schedule
from avsieve.training.validation import Watch
from avsieve.training.visual import VisualRecipe, train_visual
from avsieve.training.visual_data import FaceBatches, Faces, Scaled

COLOURS = {"a": (200, 40, 40), "b": (40, 200, 40), "c": (40, 40, 200)}


@pytest.fixture
def data(tmp_path):
    rng = np.random.default_rng(0)
    lines = []
    with ShardWriter(tmp_path / "faces.tar") as out:
        for speaker, colour in COLOURS.items():
            for video in range(4):
                utterance = f"{speaker}/v{video}/1"
                lines.append(f"{speaker} {utterance}.wav 1.0\n")
                for frame in ("0010", "0020"):
                    image = np.clip(np.array(colour) + rng.normal(0, 20, (112, 112, 3)), 0, 255).astype(np.uint8)
                    out.add(utterance, f"{utterance}/{frame}.jpg", cv2.imencode(".jpg", image)[1].tobytes())
    (tmp_path / "list.txt").write_text("".join(lines))
    return tmp_path


def test_a_batch_is_a_function_of_its_step(data):
    batches = FaceBatches(
        Faces(data / "list.txt", [data / "faces.tar"]), steps=4, batch=6, augmentation=FaceAugmentation()
    )
    images, labels = batches[2]
    again, same = batches[2]
    assert images.shape == (6, 3, 112, 112)
    assert images.dtype == torch.uint8
    assert 0 < Scaled(torch.nn.Identity())(images).abs().max() <= 1
    assert torch.equal(images, again)
    assert torch.equal(labels, same)


def test_every_utterance_comes_once_an_epoch_in_rgb(data):
    batches = FaceBatches(Faces(data / "list.txt", [data / "faces.tar"]), steps=2, batch=6)
    images, labels = (torch.cat(part) for part in zip(batches[0], batches[1], strict=True))
    assert sorted(labels.tolist()) == [0] * 4 + [1] * 4 + [2] * 4
    # Speaker a is blue, and blue is the last channel of RGB.
    assert images[labels == 0].float().mean(dim=(0, 2, 3)).argmax() == 2


def test_shards_of_another_list_are_refused(data):
    (data / "other.txt").write_text("x x/v/1.wav 1.0\ny y/v/1.wav 1.0\n")
    with pytest.raises(ListError, match="2 of 2 utterances have no face"):
        Faces(data / "other.txt", [data / "faces.tar"])


def test_augmentation_of_no_strength_changes_nothing_and_grey_drops_colour():
    face = np.random.default_rng(1).integers(0, 255, (112, 112, 3), dtype=np.uint8)
    rng = np.random.default_rng(0)
    assert np.array_equal(FaceAugmentation(0, 0, 0, 0, 0, 0, 0)(face, rng), face)
    grey = FaceAugmentation(0, 1, 0, 0, 0, 0, 0)(face, rng)
    assert np.array_equal(grey[..., 0], grey[..., 2])


def test_the_smooth_blur_of_the_preset_removes_detail_and_is_off_by_default():
    face = np.random.default_rng(1).integers(0, 255, (112, 112, 3), dtype=np.uint8)
    smooth = FaceAugmentation(0, 0, 0, 0, 0, 0, 0, smooth=1.0)
    blurred = [smooth(face, np.random.default_rng(seed)).astype(float).std() for seed in range(20)]
    assert min(blurred) < 0.4 * face.std()
    assert max(blurred) <= face.std()
    assert FaceAugmentation().smooth == 0


def train(data, output, **extra):
    return train_visual(
        data / "list.txt",
        [data / "faces.tar"],
        output,
        recipe=VisualRecipe(batch=6, augment=False),
        schedule=Schedule(24, lr=2e-3, margin=0.0),
        optimiser=Optimiser(),
        device="cpu",
        log_every=6,
        checkpoint_every=6,
        **extra,
    )


def test_training_learns_and_writes_an_encoder_that_loads_by_name(data):
    rows = train(data, data / "m.safetensors", provenance=data / "m.json")
    assert rows[-1][1] < rows[0][1]
    encoder = load_visual_encoder("mobileface_small", data / "m.safetensors")
    assert encoder(torch.zeros(1, 3, 112, 112)).shape == (1, 128)
    train(data, data / "again.safetensors")
    assert (data / "m.safetensors").read_bytes() == (data / "again.safetensors").read_bytes()


def test_speakers_kept_out_must_leave_some_to_train_on(data):
    with pytest.raises(ConfigError, match="keeps 2 of 3 speakers out"):
        train(data, data / "m.safetensors", watch=Watch(0.2))


def test_the_script_has_the_recipe_s_defaults(repository):
    spec = importlib.util.spec_from_file_location("script", repository / "workflow" / "scripts" / "train_visual.py")
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    parser = argparse.ArgumentParser()
    script.add_recipe_options(parser)
    options = vars(parser.parse_args([]))
    options |= {"name": options["optimiser"], "kind": options["schedule"], "decay": options["lr_decay"]}
    for settings in (VisualRecipe(), FaceAugmentation(), Schedule(1000), Optimiser()):
        for name, value in asdict(settings).items():
            if name != "augmentation":
                assert options[name] == value, name
