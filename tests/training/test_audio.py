from __future__ import annotations

import argparse
import json
import runpy
import sys
from dataclasses import asdict
from pathlib import Path
from unittest import mock

import pytest
import torch
from safetensors import safe_open

from avsieve.encoders.audio import load_audio_encoder
from avsieve.errors import ModelError
from avsieve.training.audio import AudioRecipe, train_audio
from avsieve.training.augment import KINDS
from avsieve.training.optimiser import Optimiser
from avsieve.training.schedule import Schedule

from .conftest import TinySpeech

RECIPE = AudioRecipe(batch=8, crop_s=0.5, augment=("none", "noise"))


def train(speech: TinySpeech, output: Path, steps: int = 12, **options: object) -> list[list[float]]:
    settings = {"recipe": RECIPE, "schedule": Schedule(steps, lr=3e-3), "optimiser": Optimiser(), "device": "cpu"}
    return train_audio(speech.train_list, [speech.tar], output, log_every=4, **{**settings, **options})


def test_training_writes_an_encoder_that_tells_the_people_apart(tiny_speech: TinySpeech, tmp_path: Path) -> None:
    rows = train(tiny_speech, tmp_path / "net.safetensors", provenance=tmp_path / "net.json")
    assert rows[-1][2] > rows[0][2]
    encoder = load_audio_encoder("ecapa_small", tmp_path / "net.safetensors")
    assert encoder(torch.randn(2, 16_000)).shape == (2, 128)
    with safe_open(tmp_path / "net.safetensors", "pt") as handle:
        assert handle.metadata() == {"arch": "ecapa_small", "dim": "128", "classes": "4", "seed": "0"}
    facts = json.loads((tmp_path / "net.json").read_text())
    assert facts["speakers"] == 4
    assert facts["recipe"]["augment"] == ["none", "noise"]


def test_equal_trainings_give_equal_bytes(tiny_speech: TinySpeech, tmp_path: Path) -> None:
    for name in ("one", "two"):
        train(tiny_speech, tmp_path / name, steps=3)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


def test_half_precision_halves_the_file_and_still_loads(tiny_speech: TinySpeech, tmp_path: Path) -> None:
    train(tiny_speech, tmp_path / "a.safetensors", steps=2)
    train(tiny_speech, tmp_path / "b.safetensors", steps=2, half=True)
    assert (tmp_path / "b.safetensors").stat().st_size < 0.55 * (tmp_path / "a.safetensors").stat().st_size
    whole, half = (load_audio_encoder("ecapa_small", tmp_path / f"{x}.safetensors") for x in "ab")
    waves = torch.randn(1, 16_000)
    assert torch.cosine_similarity(whole(waves), half(waves)).item() > 0.999


def test_fine_tuning_starts_from_given_weights(tiny_speech: TinySpeech, tmp_path: Path) -> None:
    train(tiny_speech, tmp_path / "a.safetensors", steps=2)
    train(
        tiny_speech, tmp_path / "b.safetensors", steps=1, schedule=Schedule(1, lr=1e-9),
        start_from=tmp_path / "a.safetensors",
    )  # fmt: skip
    a, b = (load_audio_encoder("ecapa_small", tmp_path / f"{x}.safetensors") for x in "ab")
    assert torch.allclose(a.get_parameter("fc6.weight"), b.get_parameter("fc6.weight"), atol=1e-6)


def test_cuda_is_never_replaced_by_the_cpu(tiny_speech: TinySpeech, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="not available"):
        train(tiny_speech, tmp_path / "a.safetensors", device="cuda:7")


def run_script(script: Path, *arguments: object) -> None:
    """Run a command line in this process, which saves loading torch again."""
    with mock.patch.object(sys, "argv", [str(script), *map(str, arguments)]), pytest.raises(SystemExit) as ended:
        runpy.run_path(str(script), run_name="__main__")
    assert ended.value.code == 0


def test_the_script_trains_from_a_list(tiny_speech: TinySpeech, tmp_path: Path, repository: Path) -> None:
    out = tmp_path / "out"
    run_script(
        repository / "workflow/scripts/train_audio.py", "--list", tiny_speech.train_list, "--wav", tiny_speech.tar,
        "--output", out / "a.safetensors", "--log", out / "a.csv", "--provenance", out / "a.json", "--steps", 2,
        "--batch", 4, "--crop-s", 0.5, "--augment", "none", "--speeds", 1.0, 0.9, "--device", "cpu",
    )  # fmt: skip
    assert sorted(p.name for p in out.iterdir()) == ["a.csv", "a.json", "a.safetensors"]
    assert json.loads((out / "a.json").read_text())["recipe"]["speeds"] == [1.0, 0.9]


def test_the_defaults_of_the_script_are_those_of_the_library(repository: Path) -> None:
    script = runpy.run_path(str(repository / "workflow/scripts/train_audio.py"))
    options = argparse.ArgumentParser()
    script["add_recipe_options"](options)
    given = vars(options.parse_args([]))
    recipe = asdict(AudioRecipe())
    schedule, optimiser = asdict(Schedule(given["steps"])), asdict(Optimiser())
    renamed = {"kind": "schedule", "decay": "lr_decay", "name": "optimiser"}
    for name, value in {**recipe, **schedule, **optimiser}.items():
        found = given[renamed.get(name, name)]
        assert (tuple(found) if isinstance(found, list) else found) == value, name
    assert set(script["KINDS"]) == set(KINDS)
