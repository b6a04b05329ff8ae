"""Trainings in processes of their own: two that share a batch, and some that are killed."""

from __future__ import annotations

import csv
import os
import runpy
import shlex
import signal
import socket
import subprocess
import sys
from pathlib import Path
from unittest import mock

import numpy as np
import pytest
from safetensors.numpy import load_file

from avsieve.training.encoder.settings import TrainAudio
from avsieve.wiring.flags import flags

from .conftest import TinySpeech

STEPS = 6
SETTINGS = TrainAudio(
    steps=STEPS, batch=8, crop_s=0.5, augment=["none", "babble", "noise"], speeds=[1.0, 0.9], mask=0.2, lr=1e-3,
    # Adam would divide by the size of each gradient, and so make steps of the rounding where that is 0.
    optimiser="sgd", validation=0.65, validate_every=3,
)  # fmt: skip
# Runs the script it stands before; SIGKILL meets all processes at once when the state of step 3 has been left behind.
DEADLY = """
import os, runpy, signal
import avsieve.training.loop as loop
save = loop.save_state
def save_and_die(*arguments):
    save(*arguments)
    if arguments[-1].step == 3:
        os.killpg(0, signal.SIGKILL)
loop.save_state = save_and_die
runpy.run_path({script!r}, run_name="__main__")
"""


@pytest.fixture
def command(tiny_speech: TinySpeech, tmp_path: Path, repository: Path) -> list[str]:
    """Everything but the output and the number of processes: masks, speeds, babble and noise are all at work."""
    return [
        sys.executable, str(repository / "workflow/scripts/train_audio.py"), "--list", str(tiny_speech.train_list),
        "--wav", str(tiny_speech.tar), *shlex.split(flags(SETTINGS)), "--device", "cpu", "--precision", "fp32",
        "--workers", "0", "--threads", "1", "--log-every", "1", "--checkpoint-every", "1",
    ]  # fmt: skip


def files(out: Path) -> list[str]:
    out.mkdir(exist_ok=True)
    return ["--output", f"{out}/a.safetensors", "--log", f"{out}/a.csv", "--provenance", f"{out}/a.json"]


def begin(command: list[str], out: Path, *machines: str, **environment: str) -> subprocess.Popen[str]:
    """Start a training on two processes, in a process group of their own, or one machine's part of it."""
    return subprocess.Popen(
        [*command, *files(out), *(machines or ("--devices", "2"))], stderr=subprocess.PIPE, text=True,
        env=os.environ | {"OMP_NUM_THREADS": "1"} | environment, start_new_session=True,
    )  # fmt: skip


def begin_on_two_machines(command: list[str], out: Path) -> list[subprocess.Popen[str]]:
    """Start a training on two machines, both of them this one, as `srun` would: each meets the first at its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        place = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(free.getsockname()[1])}
    machines = ["--devices", "1", "--nodes", "2"]
    return [begin(command, out, *machines, NODE_RANK=str(rank), **place) for rank in range(2)]


def here(command: list[str], out: Path) -> None:
    """Run the same on one process, this one, which saves loading torch again."""
    with (
        mock.patch.object(sys, "argv", [*command[1:], *files(out), "--devices", "1"]),
        pytest.raises(SystemExit) as ended,
    ):
        runpy.run_path(command[1], run_name="__main__")
    assert ended.value.code == 0


def end(process: subprocess.Popen[str]) -> str:
    _, shown = process.communicate(timeout=120)
    assert process.returncode == 0, shown
    return shown


def curve(out: Path) -> list[dict[str, str]]:
    with (out / "a.csv").open() as handle:
        return list(csv.DictReader(handle))


def difference(one: Path, two: Path) -> float:
    """Return the largest difference of any weight of two encoders, whose weights are about 0.1."""
    first, second = (load_file(out / "a.safetensors") for out in (one, two))
    assert first.keys() == second.keys()
    return max(float(np.abs(first[name] - second[name]).max()) for name in first)


@pytest.mark.slow
def test_two_processes_on_one_or_two_machines_equal_one_and_resume_from_a_kill(
    command: list[str], tmp_path: Path
) -> None:
    one, two, killed = (tmp_path / name for name in ("one", "two", "killed"))
    running = begin(command, two)
    here(command, one)
    assert "2 processes of cpu" in end(running)
    rows, shared = curve(one), curve(two)
    assert len(rows) == STEPS
    for a, b in zip(rows, shared, strict=True):
        assert float(b["loss"]) == pytest.approx(float(a["loss"]), rel=5e-5)
        assert b["accuracy"] == a["accuracy"]
        assert b["validation_eer"] == a["validation_eer"]
    assert difference(one, two) < 1e-5

    apart = tmp_path / "apart"
    for process in begin_on_two_machines(command, apart):
        end(process)
    assert (apart / "a.safetensors").read_bytes() == (two / "a.safetensors").read_bytes()

    deadly = tmp_path / "deadly.py"
    deadly.write_text(DEADLY.format(script=command[1]))
    process = begin([command[0], str(deadly), *command[2:]], killed)
    process.communicate(timeout=120)
    assert process.returncode == -signal.SIGKILL
    assert sorted(p.name for p in killed.iterdir()) == ["a.csv", "a.safetensors.resume"]
    assert len(curve(killed)) == 3
    assert "resuming" in end(begin(command, killed))
    assert (killed / "a.csv").read_bytes() == (two / "a.csv").read_bytes()
    assert (killed / "a.safetensors").read_bytes() == (two / "a.safetensors").read_bytes()
    assert not (killed / "a.safetensors.resume").exists()
