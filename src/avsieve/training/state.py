"""The state of an unfinished training: left behind whole, taken up exactly.

Order, crops, augmentation, masks, learning rate and margin are functions of seed and step, and torch's generator is set
anew in every step; so the step's number stands for the sampler, the schedule and all random numbers.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from lightning_fabric import Fabric
from torch import Tensor, nn

from avsieve.encoders.checkpoint import DAMAGED
from avsieve.errors import ModelError
from avsieve.storage.atomic import atomic_path
from avsieve.storage.torch_files import load_torch
from avsieve.training.devices import gathered

Row = list[float | None]


@dataclass
class Best:
    """The step with the lowest equal error rate so far, and its weights where they are to be kept."""

    step: int
    eer: float
    weights: dict[str, Tensor] | None = None


@dataclass
class State:
    """How far a training is: steps done in all phases, the rows of its log, its best step, and seconds it took."""

    step: int = 0
    rows: list[Row] = field(default_factory=list)
    best: Best | None = None
    seconds: float = 0.0


@dataclass
class Parts:
    """What is trained, as it stands in a state: the modules themselves, not what Fabric puts around them."""

    network: nn.Module
    criterion: nn.Module
    stepper: torch.optim.Optimizer


def plain(state: Any) -> Any:
    """Return a state with its tensors on the CPU and in the usual layout, whatever device and layout trained them."""
    if isinstance(state, Tensor):
        return state.detach().cpu().contiguous()
    if isinstance(state, dict):
        return {name: plain(value) for name, value in state.items()}
    if isinstance(state, list | tuple):
        return type(state)(plain(value) for value in state)
    return state


def save_state(path: Path, fabric: Fabric, parts: Parts, identity: str, phase: int, state: State) -> None:
    """Write the state from the first process; in the others it is the same."""
    if not fabric.is_global_zero:
        return
    best = state.best
    content = {
        "identity": identity,
        "phase": phase,
        "step": state.step,
        "rows": state.rows,
        "seconds": state.seconds,
        "best": None if best is None else {"step": best.step, "eer": best.eer, "weights": best.weights},
        "encoder": plain(parts.network.state_dict()),
        "criterion": plain(parts.criterion.state_dict()),
        "optimiser": plain(parts.stepper.state_dict()),
        "scaler": fabric.strategy.precision.state_dict(),
    }
    write_state(path, content)


def write_state(path: Path, content: dict[str, Any]) -> None:
    """Write what a training goes on from.

    Raises
    ------
    OSError
        If there is no room for it, and the like.
    """
    # To a path torch writes its name, too, and leaves out what the system says of a full disk.
    with atomic_path(path) as partial, partial.open("wb") as file:
        torch.save(content, file)


def read_state(path: Path | None, identity: str) -> dict[str, Any] | None:
    """Return the state that was left at ``path``; None if there is none.

    Raises
    ------
    ModelError
        If it is not readable, or of another training.
    """
    if path is None or not path.is_file():
        return None
    try:
        content = load_torch(path)
    except DAMAGED as error:
        raise ModelError(f"{path}: not readable ({error}); remove it to train from the beginning") from error
    if not isinstance(content, dict) or content.get("identity") != identity:
        raise ModelError(f"{path}: was left by a training with another recipe; remove it to train from the beginning")
    return content


def check_agreement(fabric: Fabric, step: int, path: Path | None) -> None:
    """Refuse to go on if the processes do not see the same state.

    Raises
    ------
    ModelError
        If they would begin at different steps.
    """
    found = gathered(fabric, torch.tensor(step, device=fabric.device)).tolist()
    if len(set(found)) > 1:
        raise ModelError(
            f"{path}: the processes found states of steps {found}; expected the same: put it where all nodes see it"
        )


def apply_state(content: dict[str, Any], fabric: Fabric, parts: Parts) -> State:
    """Put a state into ``parts`` and return how far it is."""
    parts.network.load_state_dict(content["encoder"])
    parts.criterion.load_state_dict(content["criterion"])
    parts.stepper.load_state_dict(content["optimiser"])
    for parameter, kept in parts.stepper.state.items():
        for name, value in kept.items():  # as the weights lie: an optimiser is slow where the two differ
            if isinstance(value, Tensor) and value.shape == parameter.shape and value.stride() != parameter.stride():
                kept[name] = torch.empty_like(parameter, dtype=value.dtype).copy_(value)
    fabric.strategy.precision.load_state_dict(content["scaler"])
    best = None if content["best"] is None else Best(**content["best"])
    return State(int(content["step"]), content["rows"], best, float(content.get("seconds", 0.0)))
