"""Where a training runs: devices, processes and precision, through Lightning Fabric.

Several processes share each batch; see `avsieve.training.loop` for what then holds. On one node Fabric starts
the other processes by running the same command again; under Slurm, with as many tasks as processes, Slurm has
started them.
"""

from __future__ import annotations

import logging
import os
import warnings
from dataclasses import dataclass
from typing import Any

import torch
from lightning_fabric import Fabric
from lightning_fabric.plugins.environments import LightningEnvironment, SLURMEnvironment
from lightning_fabric.plugins.precision.amp import MixedPrecision
from lightning_fabric.strategies import DDPStrategy
from torch import Tensor, distributed, nn

from avsieve.encoders.device import pick_device
from avsieve.errors import ConfigError, ModelError
from avsieve.training.batchnorm import shared_statistics

PRECISIONS = ("fp32", "bf16", "fp16")
STRATEGIES = ("auto", "ddp")


@dataclass(frozen=True)
class Machine:
    """What a training runs on.

    Parameters
    ----------
    device
        ``auto``, ``cpu``, ``cuda`` or ``cuda:N``.
    devices
        Processes on each node, each with a GPU of its own (or a share of the cores).
    nodes
        Machines.
    strategy
        ``ddp`` keeps a copy of the network in each process (PyTorch's DistributedDataParallel); ``auto`` does so where
        there is more than one process.
    precision
        ``fp32``; or ``bf16`` or ``fp16`` for Fabric's ``bf16-mixed`` and ``16-mixed``: weights, front end and loss stay
        in float32, and float16 scales its gradients.
    """

    device: str
    devices: int = 1
    nodes: int = 1
    strategy: str = "auto"
    precision: str = "fp32"

    def __post_init__(self) -> None:
        if self.precision not in PRECISIONS:
            raise ConfigError(f"precision: {self.precision!r} is not known; expected {', '.join(PRECISIONS)}")
        if self.strategy not in STRATEGIES:
            raise ConfigError(f"strategy: {self.strategy!r} is not known; expected {', '.join(STRATEGIES)}")
        if self.devices < 1 or self.nodes < 1:
            raise ConfigError(f"{self.devices} devices on {self.nodes} nodes; expected at least 1 of each")

    @property
    def processes(self) -> int:
        """Return the number of processes."""
        return self.devices * self.nodes


class _Autocast(MixedPrecision):
    """Mixed precision that leaves the inputs alone: a waveform rounded to 8 bits before its front end is noise."""

    def convert_input(self, data: Any) -> Any:
        """Return ``data`` as it is; autocast rounds where a layer gains by it."""
        return data


def start(machine: Machine, *, partial: bool = False) -> Fabric:
    """Return the running Fabric of this process, all others started; rounding, threads and logs are seen to.

    Parameters
    ----------
    machine
        What it runs on.
    partial
        Whether a step may leave parameters out, such as those of a modality that no row has: several processes then
        look for them in every step.

    Raises
    ------
    ModelError
        If the device is absent, or there are not so many.
    ConfigError
        If the settings contradict each other or Slurm's.
    """
    device = pick_device(machine.device)
    if device.index is not None and machine.processes > 1:
        raise ConfigError(
            f"device {machine.device!r} with {machine.processes} processes; expected cuda: each has its own"
        )
    if device.type == "cuda" and machine.devices > torch.cuda.device_count():
        raise ModelError(f"{machine.devices} GPUs wanted, {torch.cuda.device_count()} found; lower --devices")
    plugins: list[Any] = []
    if machine.precision != "fp32":
        # Made here, since Fabric turns float16 on a CPU into bfloat16.
        kind = "bf16-mixed" if machine.precision == "bf16" else "16-mixed"
        plugins.append(_Autocast(kind, device.type))  # type: ignore[arg-type]
    if SLURMEnvironment.detect() and _started_alone(machine):
        plugins.append(LightningEnvironment())
    # Where Slurm is installed Fabric advises `srun`, which one machine does not need.
    warnings.filterwarnings("ignore", message="The `srun` command is available on your system")
    shared = machine.strategy == "ddp" or machine.processes > 1
    threads = torch.get_num_threads()
    fabric = Fabric(
        accelerator=device.type,
        devices=machine.devices if device.index is None else [device.index],
        num_nodes=machine.nodes,
        strategy=_strategy(shared, partial),
        plugins=plugins,
    )
    fabric.launch()
    torch.set_num_threads(max(1, threads // machine.devices))
    if not fabric.is_global_zero:
        logging.getLogger().setLevel(logging.WARNING)
    return fabric


def _strategy(shared: bool, partial: bool) -> str | DDPStrategy:
    if not shared:
        return "auto"
    return DDPStrategy(find_unused_parameters=True) if partial else "ddp"


def _started_alone(machine: Machine) -> bool:
    """Tell whether Slurm started one process only, so that Fabric starts the others.

    Raises
    ------
    ConfigError
        If Slurm started another number.
    """
    tasks = int(os.environ.get("SLURM_NTASKS", "1"))
    if tasks == machine.processes:
        return tasks == 1
    if tasks == 1 and machine.nodes == 1:
        return True
    raise ConfigError(
        f"Slurm started {tasks} tasks for {machine.nodes} nodes of {machine.devices} devices; expected "
        f"{machine.processes}: srun --nodes={machine.nodes} --ntasks-per-node={machine.devices}"
    )


def layout_of(device: torch.device, dimensions: int) -> torch.memory_format:
    """Return how networks, and batches with so many dimensions, lie in memory.

    Convolutions over images are 1.7 to 2.2 times as fast on a GPU where the channels of a pixel lie side by side
    (`benchmarks/train.py`). A CPU gains nothing, and other layouts round differently.
    """
    images = device.type == "cuda" and dimensions == 4
    return torch.channels_last if images else torch.contiguous_format


def gathered(fabric: Fabric, mine: Tensor) -> Tensor:
    """Return the tensors of all processes, (processes, ...), in every one of them."""
    if fabric.world_size == 1:
        return mine[None]
    found = [torch.empty_like(mine) for _ in range(fabric.world_size)]
    distributed.all_gather(found, mine)
    return torch.stack(found)


def finish(fabric: Fabric) -> None:
    """Part from the other processes, once all have come here."""
    if distributed.is_available() and distributed.is_initialized():
        fabric.barrier()
        distributed.destroy_process_group()


def prepare(fabric: Fabric, network: nn.Module) -> None:
    """Let the batch normalisations of ``network`` see the whole batch, where several processes share it."""
    if fabric.world_size == 1:
        return
    if fabric.device.type == "cuda":
        nn.SyncBatchNorm.convert_sync_batchnorm(network)
    else:
        shared_statistics(network)
