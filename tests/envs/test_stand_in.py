"""`--use-conda` with a stand-in for conda and nothing installed: whose Python runs a rule, and what a list reruns."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from .conda_stand_in import LINKED, requirements


@pytest.fixture
def own(repository: Path, tmp_path: Path) -> Path:
    """Return a copy of the checkout, whose environments may be edited."""
    for name in ("workflow", "src", "config"):
        shutil.copytree(repository / name, tmp_path / "own" / name, ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path / "own" / "workflow"


@pytest.mark.slow
def test_a_rule_runs_in_an_environment_of_its_yaml_and_another_list_reruns_it(
    snakemake: Callable[..., str], own: Path, tmp_path: Path
) -> None:
    def environments() -> dict[str, Path]:
        """Return the environments by the yaml that each was made of."""
        return {path.read_text(): path.with_suffix("") for path in (tmp_path / "envs").glob("*.yaml")}

    snakefile, core = own / "Snakefile", own / "envs" / "core.yaml"
    target = "results/plan/utterances.parquet"
    snakemake("--", target, snakefile=snakefile, **{LINKED: "1"})
    [(text, prefix)] = environments().items()
    assert text == core.read_text()
    assert (prefix / "made_of.txt").read_text().splitlines() == requirements(core)
    assert "plan_shards.py synthetic" in (prefix / "called.txt").read_text()

    values = yaml.safe_load(core.read_text())
    values["dependencies"].append("tabulate >=0.9")
    core.write_text(yaml.safe_dump(values))
    (prefix / "called.txt").unlink()
    again = snakemake("--", target, snakefile=snakefile, **{LINKED: "1"})
    assert "Planning the embedded corpus" in again
    found = environments()
    assert len(found) == 2
    assert not (prefix / "called.txt").exists()
    new = found[core.read_text()]
    assert "tabulate>=0.9" in (new / "made_of.txt").read_text()
    assert "plan_shards.py synthetic" in (new / "called.txt").read_text()


def test_the_lists_are_ones_that_pip_reads(repository: Path) -> None:
    from packaging.requirements import Requirement

    for path in sorted((repository / "workflow" / "envs").glob("*.yaml")):
        named = [Requirement(line) for line in requirements(path)]
        assert len({each.name for each in named}) == len(named), path.name
        python = next(
            item for item in yaml.safe_load(path.read_text())["dependencies"] if str(item).startswith("python ")
        )
        supported = Requirement(f"python{python.removeprefix('python ')}").specifier
        assert ".".join(map(str, sys.version_info[:3])) in supported, path.name
