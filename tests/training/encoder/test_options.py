from __future__ import annotations

import argparse
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from avsieve.runtime.options import settings_of
from avsieve.training.devices import Machine
from avsieve.training.encoder.encoder_run import Run
from avsieve.training.encoder.options import add_training_options, run_of
from avsieve.training.encoder.settings import EncoderTraining, TrainAudio, TrainVisual
from avsieve.training.loop import Keeping
from avsieve.wiring.flags import flags

RULE = [
    "--list", "l.txt", "--output", "out/a.safetensors", "--log", "a.csv", "--provenance", "a.json", "--device", "cpu",
    "--devices", "3", "--precision", "bf16", "--workers", "2", "--threads", "2",
]  # fmt: skip
GIVEN = [
    TrainAudio(),
    TrainAudio(preset="avcleanse", music="m", start_from="builtin", large_margin={"steps": 3, "augment": ["none"]}),
    TrainVisual(preset="avcleanse", augment=False),
]


def parse(settings: EncoderTraining, *options: str) -> argparse.Namespace:
    ap = argparse.ArgumentParser()
    add_training_options(ap, type(settings))
    return ap.parse_args([*RULE, *shlex.split(flags(settings)), *options])


@pytest.mark.parametrize("settings", GIVEN)
def test_the_settings_arrive_as_the_rule_gives_them(settings: EncoderTraining) -> None:
    assert settings_of(type(settings), parse(settings)) == settings


@pytest.mark.parametrize("flag", ["--steps", "--lr", "--large-margin", "--device", "--precision", "--threads"])
def test_what_the_rule_gives_has_no_default_here(flag: str, capsys: pytest.CaptureFixture[str]) -> None:
    ap = argparse.ArgumentParser()
    add_training_options(ap, TrainAudio)
    words = [*RULE, *shlex.split(flags(TrainAudio()))]
    at = words.index(flag)
    with pytest.raises(SystemExit):
        ap.parse_args(words[:at] + words[at + 2 :])
    assert f"the following arguments are required: {flag}" in capsys.readouterr().err


def test_a_job_leaves_the_rest_to_the_library() -> None:
    keeping = Keeping(Path("a.csv"), checkpoint=Path("out/a.safetensors.resume"))
    assert run_of(parse(TrainAudio())) == Run(Machine("cpu", 3, precision="bf16"), keeping, 2, Path("a.json"))


def test_every_option_of_the_run_arrives() -> None:
    options = "--nodes 4 --strategy ddp --log-every 7 --checkpoint b.resume --checkpoint-every 14 --half"
    run = run_of(parse(TrainVisual(), *options.split(), "--tensorboard", "tb"))
    keeping = Keeping(Path("a.csv"), 7, Path("b.resume"), 14, Path("tb"))
    assert run == Run(Machine("cpu", 3, 4, "ddp", "bf16"), keeping, 2, Path("a.json"), half=True)


def test_the_options_load_no_torch() -> None:
    code = "import sys, avsieve.training.encoder.options; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
