"""One process through NCCL (gloo on a CPU) against one without: do the losses agree, and what does it cost."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import torch
from torch import distributed
from train import SPEAKERS, Ready, crops, fresh, make_up, rate

from avsieve.training.devices import Machine, finish, gathered, start
from avsieve.training.encoder.audio import train_audio
from avsieve.training.encoder.encoder_run import Run
from avsieve.training.encoder.settings import TrainAudio
from avsieve.training.loop import Keeping
from gpu_parts.part import Facts, Part

STEPS = 20


def measure(part: Part) -> None:
    """Compare both; the one without comes first, since a group of processes stays."""
    files = make_up(part.work)
    losses: dict[str, list[float]] = {}
    for strategy in ("auto", "ddp"):
        part.case(lambda s=strategy: _one(part, files, s, losses), strategy)
    part.case(lambda: _agreement(losses), "losses")


def _one(part: Part, files: tuple[Path, Path, Path], strategy: str, losses: dict[str, list[float]]) -> Facts:
    train_list, wavs, _ = files
    log = part.work / f"{strategy}.csv"
    steps, batch = part.size(10, 2), part.size(64, 4)
    machine = Machine(part.device, strategy=strategy)
    train_audio(
        train_list, [wavs], part.work / f"{strategy}.safetensors",
        settings=TrainAudio(arch="ecapa_small", batch=batch, steps=steps, lr=1e-3, warmup=0),
        run=Run(machine, Keeping(log, 1), workers=0, provenance=part.work / f"{strategy}.json"),
    )  # fmt: skip
    losses[strategy] = pd.read_csv(log)["loss"].tolist()
    facts: Facts = {"losses": losses[strategy]}
    # `train_audio` has left the group of processes.
    fabric = start(machine)
    if strategy == "ddp":
        ours = torch.arange(4.0, device=fabric.device)
        facts |= {
            "backend": distributed.get_backend(),
            "world_size": fabric.world_size,
            "sum_is_right": bool(torch.equal(fabric.all_reduce(ours.clone(), reduce_op="sum"), ours)),
            "gathered_is_right": bool(torch.equal(gathered(fabric, ours)[0], ours)),
        }
        if part.device == "cuda" and facts["backend"] != "nccl":
            facts["error"] = f"the backend is {facts['backend']}; expected nccl"
    arch = "ecapa_small" if part.dry else "ecapa1024"
    source = crops(train_list, wavs, batch, 1)
    ready: Any = Ready(source[0], source.dimensions)
    steps = part.size(STEPS, 1)
    facts |= {"arch": arch, "steps_per_s": round(rate(fabric, fresh(arch), SPEAKERS, ready, steps, 0), 2)}
    finish(fabric)
    return facts


def _agreement(losses: dict[str, list[float]]) -> Facts:
    pairs = list(zip(losses["auto"], losses["ddp"], strict=True))
    apart = max(abs(a - b) / abs(a) for a, b in pairs)
    facts: Facts = {"steps": len(pairs), "largest_relative_difference": apart}
    # The first step has seen no gradient: what differs there is no rounding that has grown.
    first = abs(pairs[0][0] - pairs[0][1]) / abs(pairs[0][0])
    return facts if first < 1e-3 else facts | {"error": f"the first losses are {first:.1e} apart; expected below 1e-3"}
