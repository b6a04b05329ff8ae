"""What Snakemake makes of the profiles: the one for a cluster holds as it is written."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from argparse import Namespace
from pathlib import Path

import pytest
import yaml

cli = pytest.importorskip("snakemake.cli")


@pytest.fixture
def settings(repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Return what Snakemake resolves from its command line, as in a folder of the user's."""
    monkeypatch.chdir(tmp_path)

    def resolve(*arguments: str) -> Namespace:
        _, found = cli.parse_args(["--snakefile", str(repository / "workflow" / "Snakefile"), *arguments])
        return found

    return resolve


def limits(found: Namespace) -> dict[str, object]:
    return {name: resource.value for name, resource in found.resources.items()}


def test_the_cluster_profile_holds_as_it_is_written(repository: Path, settings) -> None:
    folder = repository / "workflow/profiles/slurm"
    found = settings("--workflow-profile", str(folder), "--executor", "local")
    assert limits(found) == {"gpu": 8}
    assert found.jobs in (64, "64")
    assert found.retries == 2
    assert found.latency_wait == 60
    assert {"mem_mb", "runtime", "tasks_per_gpu"} <= set(found.default_resources)
    assert (found.max_jobs_per_timespan.max_jobs, found.max_jobs_per_timespan.timespan) == (10, 10)
    assert found.keep_going
    assert found.rerun_incomplete


def test_the_storage_profile_shares_no_disk_for_inputs_and_outputs(repository: Path, settings, monkeypatch) -> None:
    monkeypatch.setenv("TMPDIR", "/local/disk")
    folder = repository / "workflow/profiles/fs"
    found = settings("--workflow-profile", str(folder), "--default-storage-prefix", "/big")
    assert found.default_storage_provider == "fs"
    assert {str(usage) for usage in found.shared_fs_usage} == {
        "persistence", "software-deployment", "sources", "source-cache",
    }  # fmt: skip
    assert str(found.local_storage_prefix) == "/local/disk/avsieve-storage"


def test_on_kubernetes_every_rule_that_may_have_a_gpu_names_its_maker(repository: Path) -> None:
    asked = yaml.safe_load((repository / "workflow/profiles/kubernetes/config.yaml").read_text())["set-resources"]
    with_gpu = set()
    for path in (repository / "workflow" / "rules").glob("*.smk"):
        text = path.read_text()
        named = re.findall(r"^rule (\w+):\n((?:    .*\n|\n)+)", text, re.MULTILINE)
        with_gpu |= {name for name, body in named if "gpu=W.gpu" in body or "**W.training" in body}
        with_gpu |= {name for base, name in re.findall(r"^use rule (\w+) as (\w+)", text, re.MULTILINE)
                     if base in asked}  # fmt: skip
    assert set(asked) == with_gpu
    assert all(each["gpu_manufacturer"] == "nvidia" for each in asked.values())


def test_no_key_of_the_default_profile_takes_from_another(repository: Path) -> None:
    profiles = repository / "workflow" / "profiles"
    default = yaml.safe_load((profiles / "default/config.yaml").read_text())
    cluster = yaml.safe_load((profiles / "slurm/config.yaml").read_text())
    assert {key: cluster[key] for key in default} == default
    assert not set(default) & {"resources", "default-resources", "cores", "jobs", "set-resources"}


def test_the_command_line_wins(repository: Path, settings) -> None:
    assert limits(settings("--resources", "gpu=4", "network=2")) == {"gpu": 4, "network": 2}
    assert limits(settings()) == {}


@pytest.mark.slow
@pytest.mark.parametrize(("arguments", "gpus"), [(("gpu=8",), 2), ((), 2), (("gpu=1",), 1)])
def test_a_training_on_two_gpus_gets_them(
    repository: Path, tmp_path: Path, arguments: tuple[str, ...], gpus: int
) -> None:
    for name in ("workflow", "src", "config"):
        shutil.copytree(repository / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    rules = tmp_path / "workflow/rules/train.smk"
    # Snakemake shows the resources of a job that has no message.
    rules.write_text(re.sub(r"    message:\n.*\n", "", rules.read_text()))
    command = [sys.executable, "-m", "snakemake", "--snakefile", str(tmp_path / "workflow" / "Snakefile"), "-n"]
    # As for a cluster (--jobs), whose head needs no GPU.
    command += ["--directory", str(tmp_path), "--cores", "2", "--jobs", "8"]
    command += ["--config", "device=cuda", "training={devices: 2}"]
    command += ["--resources", *arguments] if arguments else []
    done = subprocess.run([*command, "--", "train_audio_encoders"], capture_output=True, text=True, check=True)
    shown = (done.stdout + done.stderr).partition("rule train_audio:")[2]
    assert f"gpu={gpus}, devices=2" in shown.partition("rule ")[0]


@pytest.mark.slow
def test_a_training_on_two_machines_is_started_by_srun(repository: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "snakemake", "--snakefile", str(repository / "workflow" / "Snakefile"), "-n", "-p"]
    command += ["--directory", str(tmp_path), "--cores", "2", "--jobs", "8"]
    command += ["--config", "device=cuda", "training={devices: 4, nodes: 2}", "--", "train_visual_encoders"]
    shown = subprocess.run(command, capture_output=True, text=True, check=True)
    commands = re.findall(r"srun .*", shown.stdout + shown.stderr)
    assert len(commands) == 2
    for words in commands:
        assert "srun --nodes=2 --ntasks-per-node=4 --cpus-per-task=2 --gpus-per-node=4 python" in words
        assert "--devices 4 --nodes 2" in words
