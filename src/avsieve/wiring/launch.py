"""How the training of an encoder is started: on one machine, or on several of a cluster. Runs inside Snakemake."""

from __future__ import annotations

from typing import Any

from avsieve.config.model import Config

# Torch takes two whatever the cores, since sums over another number are rounded differently.
TORCH_THREADS = 2


def training_threads(config: Config) -> int:
    """Return the cores of a training: on one machine of all its processes, on several of each."""
    training = config.training
    return TORCH_THREADS + training.workers * (1 if training.nodes > 1 else training.devices)


def training_resources(config: Config, gpu: int) -> dict[str, Any]:
    """Return the resources of a training.

    They are no params, since they change how fast the weights come and not which. ``launch`` stands before the command.
    On several machines the job is what Snakemake calls an MPI job: it gets the machines, and starts itself on them.

    Parameters
    ----------
    gpu
        1 where each process has a GPU.
    """
    training = config.training
    processes = training.devices * training.nodes
    found: dict[str, Any] = {
        "gpu": gpu * processes,
        "devices": training.devices,
        "workers": training.workers,
        "nodes": training.nodes,
        "launch": "",
    }
    if training.nodes > 1:
        words = ["srun", f"--nodes={training.nodes}", f"--ntasks-per-node={training.devices}"]
        words += [f"--cpus-per-task={training_threads(config)}"]
        words += [f"--gpus-per-node={training.devices}"] if gpu else []
        # By their sum alone Slurm puts three of four tasks on one of two machines; the plug-in takes one of both.
        tasks = {"tasks_per_node": training.devices} if training.devices > 1 else {"tasks": processes}
        found |= {"launch": " ".join(words), "mpi": "srun", **tasks}
    return found
