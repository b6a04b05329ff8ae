"""A very small corpus and a copy of the checkout, so that tests may edit its code."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests import nursery

TINY = """\
source:
  kind: synthetic
  synthetic: {speakers: 5, videos: 3, utterances: 2, test_speakers: 3, test_videos: 2, test_utterances: 1,
    duration_s: 1.6, noise: 0.2}
shards: 2
fusion: {seeds: [0]}
"""


@dataclass
class Project:
    """A copy of the checkout with its own working directory."""

    root: Path
    work: Path

    def snakemake(self, *arguments: str, cores: int = 2, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run the workflow as a user does."""
        words = ["--snakefile", str(self.root / "workflow" / "Snakefile")]
        words += ["--quiet", "host", "reason", "--directory", str(self.work), "--cores", str(cores)]
        words += ["--configfile", str(self.work / "tiny.yaml"), *arguments]
        if "-n" in arguments and check:  # there are a hundred of them, and starting Snakemake takes most of their time
            done = nursery.run("snakemake", *words, loaded=["snakemake.cli"], env=self.environment())
            if done.returncode == 0:
                return done
        command = [sys.executable, "-m", "snakemake", *words]
        done = subprocess.run(command, capture_output=True, text=True, check=False, env=self.environment())
        if check and done.returncode:
            raise AssertionError(f"snakemake failed:\n{done.stdout}\n{done.stderr}")
        return done

    def environment(self) -> dict[str, str]:
        """Return an environment in which nothing points to the original checkout."""
        return {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}

    def planned(self, *arguments: str) -> Counter[str]:
        """Return how many jobs of each rule a dry run plans."""
        shown = self.snakemake("-n", *arguments)
        text = shown.stdout + shown.stderr
        table = re.search(r"^job +count\n-+ +-+\n((?:\S+ +\d+\n)+)", text, re.MULTILINE)
        if table is None:
            assert "Nothing to be done" in text, text
            return Counter()
        rows = (line.split() for line in table.group(1).splitlines())
        return Counter({name: int(n) for name, n in rows if name != "total"})

    def edit(self, path: str, old: str, new: str) -> None:
        """Replace text that must be there."""
        file = self.root / path
        text = file.read_text(encoding="utf-8")
        assert old in text, f"{path} has no {old!r}"
        file.write_text(text.replace(old, new, 1), encoding="utf-8")

    def outputs(self) -> dict[str, bytes]:
        """Return the content of every result, logs and timings aside."""
        results = self.work / "results"
        return {
            str(p.relative_to(results)): p.read_bytes()
            for p in sorted(results.rglob("*"))
            if p.is_file() and p.relative_to(results).parts[0] not in ("logs", "benchmarks")
        }


def copy_project(repository: Path, target: Path) -> Project:
    """Copy what a run needs of the checkout."""
    for name in ("workflow", "src", "config"):
        shutil.copytree(
            repository / name, target / "checkout" / name, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info")
        )
    (target / "work").mkdir()
    (target / "work" / "tiny.yaml").write_text(TINY)
    return Project(target / "checkout", target / "work")


@pytest.fixture(scope="session")
def finished(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project whose whole pipeline has run; tests must leave it as they found it."""
    project = copy_project(repository, tmp_path_factory.mktemp("finished"))
    project.snakemake()
    return project


@pytest.fixture(scope="session")
def planner(repository: Path) -> Iterator[subprocess.Popen[str]]:
    """A process that plans (`dry_runs.py`): Snakemake is started once, not for every plan."""
    command = [sys.executable, str(Path(__file__).with_name("dry_runs.py")), str(repository / "workflow" / "Snakefile")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield process


def answer(planner: subprocess.Popen[str], question: dict[str, Any]) -> dict[str, Any]:
    """Ask the process."""
    assert planner.stdin is not None
    assert planner.stdout is not None
    planner.stdin.write(f"{json.dumps(question)}\n")
    planner.stdin.flush()
    line = planner.stdout.readline()
    assert line, "Snakemake has stopped: write a question to tests/workflow/dry_runs.py by hand to see why"
    found: dict[str, Any] = json.loads(line)
    return found


@pytest.fixture
def project(finished: Project, tmp_path: Path) -> Project:
    """Return a copy of the finished project, to edit."""
    for name in ("checkout", "work"):
        shutil.copytree(finished.root.parent / name, tmp_path / name, symlinks=True)
    return Project(tmp_path / "checkout", tmp_path / "work")
