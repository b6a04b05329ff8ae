"""Another workflow imports this one: with a prefix, a nested configuration, and rules of its own beside it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from avsieve.lists.train_list import read_train_list

from .conftest import TINY

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("module")]

IMPORTER = """\
configfile: "own.yaml"


rule all:
    input:
        "own/told.txt",
        "runs/a/results/lists/train_clean.txt",


rule score:
    '''A rule of the importer's, with a name that the module has too.'''
    output:
        "own/told.txt",
    resources:
        gpu=4,
    shell:
        "echo ${{AVSIEVE_SCRIPTS-none}} ${{PYTHONPATH-none}} {resources.gpu} > {output}"


module sieve:
    snakefile:
        SNAKEFILE
    config:
        config["sieve"]
    prefix:
        "runs/a"


use rule * from sieve as sieve_*
"""


class Importer:
    """A workflow that imports this one."""

    def __init__(self, folder: Path, snakefile: str, home: Path | None = None) -> None:
        self.folder = folder
        self.home = home or folder / "home"
        folder.mkdir(exist_ok=True)
        (folder / "Snakefile").write_text(IMPORTER.replace("SNAKEFILE", snakefile))
        (folder / "own.yaml").write_text(yaml.safe_dump({"mine": 3, "sieve": yaml.safe_load(TINY)}))

    def snakemake(self, *arguments: str, check: bool = True) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "snakemake", "--cores", "2", *arguments],
            capture_output=True, text=True, check=False, cwd=self.folder,
            env={k: v for k, v in os.environ.items() if k != "PYTHONPATH"} | {"XDG_CACHE_HOME": str(self.home)},
        )  # fmt: skip
        shown = done.stdout + done.stderr
        assert not check or done.returncode == 0, shown[-4000:]
        return shown


def git(folder: Path, *arguments: str) -> str:
    command = ["git", "-c", "user.name=t", "-c", "user.email=t@example.org", "-C", str(folder), *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture(scope="module")
def hosted(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A git repository with this workflow in a folder of it, at the tag v1, and something else after that."""
    folder = tmp_path_factory.mktemp("hosted")
    for name in ("workflow", "src", "config"):
        shutil.copytree(
            repository / name, folder / "tools/sieve" / name, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info")
        )
    git(folder, "init", "-q", "-b", "main")
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", "One")
    git(folder, "tag", "v1")
    (folder / "tools/sieve/workflow/scripts/plan_shards.py").write_text("raise SystemExit('not of v1')\n")
    git(folder, "commit", "-q", "-a", "-m", "Two")
    return folder


@pytest.fixture(scope="module")
def imported(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Importer, str]:
    """An importer whose default target has run, and what was shown."""
    importer = Importer(tmp_path_factory.mktemp("importer"), repr(str(repository / "workflow" / "Snakefile")))
    return importer, importer.snakemake()


def test_a_module_runs_below_its_prefix_and_writes_nowhere_else(imported: tuple[Importer, str]) -> None:
    folder = imported[0].folder
    assert len(read_train_list(folder / "runs/a/results/lists/train_clean.txt")) > 0
    assert (folder / "runs/a/results/logs/clean_list.log").is_file()
    assert (folder / "runs/a/results/benchmarks/clean_list.tsv").is_file()
    assert sorted(p.name for p in folder.iterdir() if not p.name.startswith(".")) == [
        "Snakefile", "home", "own", "own.yaml", "runs",
    ]  # fmt: skip
    assert imported[0].snakemake("-n").count("Nothing to be done") == 1


def test_the_importers_rules_keep_their_shell_their_names_and_their_resources(imported: tuple[Importer, str]) -> None:
    importer, _ = imported
    assert (importer.folder / "own/told.txt").read_text() == "none none 4\n"
    # Its rule `score` is no local one because the module has a target of that name.
    rule = re.search(r"^(local)?rule score:", importer.snakemake("-n", "--force", "score"), re.MULTILINE)
    assert rule
    assert rule.group(1) is None


def test_everything_else_is_planned_too(imported: tuple[Importer, str]) -> None:
    importer, _ = imported
    shown = importer.snakemake(
        "-n", "--", "sieve_all", "sieve_compare_lists", "sieve_export_tree", "sieve_train_encoders"
    )
    assert "runs/a/results/report/index.html" in shown
    assert "clean_list" not in shown.partition("Job stats")[2].partition("Reasons")[0].replace("sieve_clean_list", "x")
    again = importer.snakemake("-n", "--forcerun", "sieve_score", "--", "sieve_clean")
    assert re.search(r"^sieve_pool_speakers +1$", again, re.MULTILINE)


@pytest.mark.parametrize("reference", ["tag='v1'", "commit=COMMIT"])
def test_a_module_from_a_local_git_repository_runs_the_code_of_its_commit(
    hosted: Path, tmp_path: Path, reference: str
) -> None:
    words = reference.replace("COMMIT", repr(git(hosted, "rev-parse", "v1")))
    snakefile = f"gitfile({str(hosted)!r}, path='tools/sieve/workflow/Snakefile', {words})"
    importer = Importer(tmp_path / "importer", snakefile)
    assert "sieve_write_report" in importer.snakemake("-n", "--", "sieve_all")
    importer.snakemake("--", "sieve_plan_shards")
    assert (importer.folder / "runs/a/results/plan/utterances.parquet").is_file()
    trees = list(importer.home.rglob("avsieve/*/src/avsieve/wiring/rules.py"))
    assert len(trees) == 1  # unpacked once, for the dry run and for the run
    importer.snakemake("-n", "--", "sieve_plan_shards")


def test_a_module_from_github_runs_the_code_of_its_tag(hosted: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    # Where Snakemake keeps its clones: with this one in place nothing is asked of the network.
    clone = home / "snakemake/snakemake/source-cache/snakemake-git-cache/github.com/someone/tools"
    subprocess.run(["git", "clone", "-q", "--bare", str(hosted), str(clone)], check=True)
    snakefile = "github('someone/tools', path='tools/sieve/workflow/Snakefile', tag='v1')"
    importer = Importer(tmp_path / "importer", snakefile, home)
    importer.snakemake("--", "sieve_plan_shards")
    assert (importer.folder / "runs/a/results/plan/utterances.parquet").is_file()
    assert "sieve_write_report" in importer.snakemake("-n", "--", "sieve_all")


def test_two_versions_may_be_imported_beside_each_other(repository: Path, hosted: Path, tmp_path: Path) -> None:
    importer = Importer(tmp_path / "importer", repr(str(repository / "workflow" / "Snakefile")))
    other = f"gitfile({str(hosted)!r}, path='tools/sieve/workflow/Snakefile', tag='v1')"
    second = IMPORTER.partition("module sieve")[2].replace("SNAKEFILE", other)
    second = f"\n\nmodule other{second}".replace("runs/a", "runs/b").replace(
        "from sieve as sieve_*", "from other as other_*"
    )
    with (importer.folder / "Snakefile").open("a") as file:
        file.write(second)
    importer.snakemake("--", "sieve_plan_shards", "other_plan_shards")
    for name in ("a", "b"):
        assert (importer.folder / f"runs/{name}/results/plan/utterances.parquet").is_file()


def test_a_prefix_that_commands_would_not_take_is_refused(repository: Path, tmp_path: Path) -> None:
    importer = Importer(tmp_path / "importer", repr(str(repository / "workflow" / "Snakefile")))
    text = (importer.folder / "Snakefile").read_text()
    (importer.folder / "Snakefile").write_text(text.replace('"runs/a"', '"my runs"'))
    shown = importer.snakemake("-n", "sieve_all", check=False)
    assert "the prefix of the module gives 'my runs/results'; expected" in shown
    assert "Traceback" not in shown


def test_a_wrong_key_of_the_nested_configuration_is_named(repository: Path, tmp_path: Path) -> None:
    importer = Importer(tmp_path / "importer", repr(str(repository / "workflow" / "Snakefile")))
    (importer.folder / "own.yaml").write_text(yaml.safe_dump({"sieve": {"shard": 2}}))
    assert "unknown key shard; expected one of" in importer.snakemake("-n", "sieve_all", check=False)
