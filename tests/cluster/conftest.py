"""A Slurm cluster for the tests of this folder, and runs of Snakemake with the profile for clusters."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

from .one_machine import Cluster, cluster, missing


@pytest.fixture(scope="session")
def slurm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """Return a running cluster; the tests skip where there can be none."""
    if why := missing():
        pytest.skip(why)
    if find_spec("snakemake_executor_plugin_slurm") is None:
        pytest.skip("no snakemake-executor-plugin-slurm: pip install 'avsieve[slurm]'")
    with cluster(tmp_path_factory.mktemp("slurm") / "cluster") as running:
        yield running


@pytest.fixture(scope="session")
def start(slurm: Cluster, repository: Path) -> Callable[..., subprocess.Popen[str]]:
    """Return what starts Snakemake in a folder, as users do on a cluster, but in a hurry.

    A job takes as long as Snakemake takes to start twice on its node, so runs that wait for none go on side by side.
    """
    profile = repository / "workflow" / "profiles" / "slurm"
    # Not there: an accounting database, which `sacct` and accounts need. The rest saves the tests some waiting.
    hurried = ["--slurm-no-account", "--slurm-status-command", "squeue", "--slurm-init-seconds-before-status-checks"]
    hurried += ["1", "--seconds-between-status-checks", "1", "--latency-wait", "5", "--quiet", "host", "reason", "--"]

    def begin(folder: Path, targets: list[str], *options: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "snakemake", "--workflow-profile", str(profile), *options, *hurried, *targets],
            cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip

    return begin


def end(running: subprocess.Popen[str], seconds: float = 900.0) -> str:
    """Wait for a run to end well; return what it said."""
    try:
        shown, _ = running.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        running.terminate()
        shown, _ = running.communicate()
        raise AssertionError(f"not done after {seconds} s:\n{shown}") from None
    assert running.returncode == 0, shown
    return shown
