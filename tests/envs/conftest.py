"""Snakemake with a stand-in for conda."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.every_rule import BROUGHT, TINY

from .conda_stand_in import install


@pytest.fixture
def bin_folder(tmp_path: Path) -> Path:
    """Return the folder of the stand-in, which stands first in PATH."""
    return install(tmp_path / "conda")


@pytest.fixture
def snakemake(repository: Path, tmp_path: Path, bin_folder: Path) -> Callable[..., str]:
    """Return what runs the workflow with environments of its own, and returns what it said."""
    for name, text in {"tiny": TINY, "brought": BROUGHT}.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "config.yaml").write_text(text)
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    environment["PATH"] = f"{bin_folder}:{environment['PATH']}"

    def run(
        *arguments: str, config: str = "tiny", snakefile: Path = repository / "workflow" / "Snakefile", **more: str
    ) -> str:
        work = tmp_path / config
        command = [sys.executable, "-m", "snakemake", "--use-conda", "--snakefile", str(snakefile), "--cores", "2"]
        command += ["--directory", str(work), "--configfile", str(work / "config.yaml"), "--quiet", "host", "reason"]
        command += ["--conda-prefix", str(tmp_path / "envs")]
        done = subprocess.run(
            [*command, *arguments], capture_output=True, text=True, check=False, env=environment | more
        )
        shown = done.stdout + done.stderr
        logs = "".join(f"{p}:\n{p.read_text()}" for p in sorted((work / "results/logs").rglob("*.log")))
        assert done.returncode == 0, shown + (logs if done.returncode else "")
        return shown

    return run
