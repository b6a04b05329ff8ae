from __future__ import annotations

import argparse
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

from avsieve.training.encoder.optimiser import Optimiser
from avsieve.training.encoder.options import (
    add_fit_options,
    add_output_options,
    add_run_options,
    add_validation_options,
    run_of,
    schedule_of,
    watch_of,
)
from avsieve.training.encoder.schedule import Schedule
from avsieve.training.encoder.validation import Watch

FILES = ["--output", "out/a.safetensors", "--log", "a.csv", "--provenance", "a.json"]


def parse(*options: str) -> argparse.Namespace:
    ap = argparse.ArgumentParser()
    ap.add_argument("--steps", type=int, default=1000)
    ap.add_argument("--start-from")
    for add in (add_output_options, add_fit_options, add_validation_options, add_run_options):
        add(ap)
    return ap.parse_args([*FILES, *options])


def test_without_options_schedule_and_optimiser_are_the_library_s() -> None:
    args = parse()
    assert schedule_of(args) == Schedule(1000)
    assert run_of(args)["optimiser"] == Optimiser()


def test_every_option_of_the_schedule_arrives() -> None:
    given = {
        "steps": 9, "epochs": 2, "kind": "exponential", "lr": 0.5, "lr_end": 0.25, "warmup": 0.125, "decay": 0.75,
        "epoch_steps": 3,
        "margin": 0.3, "margin_from": 0.2, "margin_until": 0.6,
    }  # fmt: skip
    names = {"kind": "--schedule", "decay": "--lr-decay"}
    options = [x for k, v in given.items() for x in (names.get(k, "--" + k.replace("_", "-")), str(v))]
    assert asdict(schedule_of(parse(*options))) == given


def test_every_option_of_the_run_arrives() -> None:
    run = run_of(
        parse(
            "--optimiser", "sgd", "--weight-decay", "0.5", "--clip", "0", "--device", "cpu", "--precision", "bf16",
            "--workers", "2", "--devices", "3", "--nodes", "4", "--strategy", "ddp",
            "--start-from", "builtin", "--log-every", "7", "--checkpoint-every", "14", "--half",
            "--tensorboard", "tb",
        )
    )  # fmt: skip
    assert run == {
        "optimiser": Optimiser("sgd", 0.5, 0.0), "device": "cpu", "precision": "bf16", "workers": 2,
        "devices": 3, "nodes": 4, "strategy": "ddp",
        "start_from": "builtin", "log": Path("a.csv"), "provenance": Path("a.json"),
        "checkpoint": Path("out/a.safetensors.resume"), "log_every": 7, "checkpoint_every": 14, "half": True,
        "board": Path("tb"),
    }  # fmt: skip


def test_the_options_of_the_validation_arrive() -> None:
    assert watch_of(parse()) == Watch()
    given = ("--validation", "0.25", "--validate-every", "9", "--keep", "best")
    assert watch_of(parse(*given)) == Watch(0.25, 9, "best")


def test_a_checkpoint_that_is_named_is_taken() -> None:
    assert run_of(parse("--checkpoint", "b.resume"))["checkpoint"] == Path("b.resume")


def test_the_options_load_no_torch() -> None:
    code = "import sys, avsieve.training.encoder.options; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
