"""Snakemake with a stand-in for conda."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from .conda_stand_in import install

TINY = """\
source:
  kind: synthetic
  synthetic: {speakers: 6, videos: 3, utterances: 3, test_speakers: 3, test_videos: 2, test_utterances: 1,
    duration_s: 1.6, noise: 0.2}
shards: 1
training: {audio: {steps: 4, batch: 4, crop_s: 0.5}, visual: {steps: 4, batch: 4}}
comparison: {seeds: [0]}
fusion: {models: [gated, calibrated], seeds: [0], epochs: 1, twins: {conditions: [vut]}}
evaluation: {bootstrap: 5, damage: {conditions: [vut]}, as_norm: {cohort: all, top: 4}}
audit: {rate: 0.3}
"""


@pytest.fixture
def bin_folder(tmp_path: Path) -> Path:
    """Return the folder of the stand-in, which stands first in PATH."""
    return install(tmp_path / "conda")


@pytest.fixture
def snakemake(repository: Path, tmp_path: Path, bin_folder: Path) -> Callable[..., str]:
    """Return what runs the workflow with environments of its own, and returns what it said."""
    work = tmp_path / "work"
    work.mkdir()
    (work / "tiny.yaml").write_text(TINY)
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    environment["PATH"] = f"{bin_folder}:{environment['PATH']}"

    def run(*arguments: str, snakefile: Path = repository / "workflow" / "Snakefile", **more: str) -> str:
        command = [sys.executable, "-m", "snakemake", "--use-conda", "--snakefile", str(snakefile), "--cores", "2"]
        command += ["--directory", str(work), "--configfile", str(work / "tiny.yaml"), "--quiet", "host", "reason"]
        done = subprocess.run(
            [*command, *arguments], capture_output=True, text=True, check=False, env=environment | more
        )
        shown = done.stdout + done.stderr
        logs = "".join(f"{p}:\n{p.read_text()}" for p in sorted((work / "results/logs").rglob("*.log")))
        assert done.returncode == 0, shown + (logs if done.returncode else "")
        return shown

    return run
