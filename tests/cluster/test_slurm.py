"""The workflow on a real Slurm cluster of one machine: what the profile promises, and what goes wrong on clusters."""

from __future__ import annotations

import subprocess
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from avsieve.storage.tables import read_table

from .conftest import end
from .one_machine import STUBS, Cluster

# One worker has the cluster: its configuration lies where only one can lie.
pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("slurm")]

CONFIG = """\
source:
  kind: embeddings
  embeddings: {train_list: sim/train_all.txt, audio: sim/audio.npz, visual: sim/visual.npz}
shards: 2
fusion: {models: []}
"""
# Jobs that say how often they were started, and with which devices: one with two GPUs, and one as trainings on two
# machines are started.
SNAKEFILE = """\
from avsieve.config.model import parse_config
from avsieve.wiring.launch import training_resources, training_threads

CONFIG = parse_config({"device": "cuda", "training": {"nodes": 2, "devices": 2}})

rule both:
    input: "two_gpus.txt", "two_machines.txt"
    localrule: True

rule two_machines:
    output: "two_machines.txt"
    threads: training_threads(CONFIG)
    resources: **training_resources(CONFIG, 1)
    shell:
        "{resources.launch} bash -c"
        " 'echo $SLURM_PROCID $SLURM_NODEID $SLURM_NTASKS $CUDA_VISIBLE_DEVICES' > {output}"

rule two_gpus:
    output: "two_gpus.txt"
    resources: gpu=2
    shell: "echo $SLURM_PROCID $CUDA_VISIBLE_DEVICES >> started.txt; sleep 1; cp started.txt {output}"
"""


def jobs_of(slurm: Cluster) -> dict[str, list[tuple[str, int]]]:
    """Return the state and the memory (MB) of all jobs, by the rule that Snakemake names in their comment."""
    found = defaultdict(list)
    asked = slurm.ask("squeue", "--states=all", "--noheader", "--sort=i", "--format=%k|%T|%m")
    for line in asked.splitlines():
        rule, state, memory = line.split("|")
        found[rule].append((state, int(memory.removesuffix("M"))))
    return found


@pytest.fixture(scope="module", autouse=True)
def on_gpus(
    start: Callable[..., subprocess.Popen[str]], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Path, subprocess.Popen[str]]]:
    """Start jobs with GPUs, beside the other tests; their tests wait for them."""
    folder = tmp_path_factory.mktemp("on_gpus")
    (folder / "Snakefile").write_text(SNAKEFILE)
    running = start(folder, ["both"])
    yield folder, running
    if running.poll() is None:
        running.terminate()
        running.wait()


def test_a_line_runs_through_slurm_and_a_cancelled_job_comes_back_with_more_memory(
    slurm: Cluster, start: Callable[..., subprocess.Popen[str]], repository: Path, tmp_path: Path
) -> None:
    simulate = ["simulate", "--out", "sim", "--speakers", "12", "--videos", "4", "--utterances", "2"]
    subprocess.run([sys.executable, "-m", "avsieve", *simulate], cwd=tmp_path, check=True)
    (tmp_path / "tiny.yaml").write_text(CONFIG)
    embeddings = "results/embed_audio/000.parquet"
    running = start(
        tmp_path, [embeddings],
        "--snakefile", str(repository / "workflow" / "Snakefile"), "--configfile", "tiny.yaml",
    )  # fmt: skip
    slurm.ask("scancel", slurm.job_of("split_embeddings", seconds=600))
    shown = end(running)
    assert "Trying to restart job" in shown
    jobs = jobs_of(slurm)
    assert [state for state, _ in jobs["rule_plan_shards"]] == ["COMPLETED"]
    (first, memory), (second, more) = jobs["rule_split_embeddings_wildcards_audio"]
    assert (first, second) == ("CANCELLED", "COMPLETED")
    assert more == 2 * memory > 0
    planned = read_table(tmp_path / "results/plan/shards/000.parquet")
    assert list(read_table(tmp_path / embeddings)["utterance"]) == list(planned["utterance"])


def test_a_job_with_two_gpus_is_one_process_and_one_on_two_machines_one_for_each_of_its_gpus(
    on_gpus: tuple[Path, subprocess.Popen[str]],
) -> None:
    folder, running = on_gpus
    end(running)
    devices = ",".join(map(str, range(len(STUBS))))
    assert (folder / "two_gpus.txt").read_text() == f"0 {devices}\n"
    started = sorted((folder / "two_machines.txt").read_text().splitlines())
    assert started == [f"{rank} {rank // 2} 4 {devices}" for rank in range(4)]
