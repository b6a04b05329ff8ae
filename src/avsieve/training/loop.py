"""Train an encoder with AAM-softmax: any modality, resumable to the bit, outputs whole or absent.

Everything random in a step follows from the seed and the step's number: the batches are a function of the step, and
torch's generator is set anew in each. A resumed training therefore ends with the weights of an unbroken one.
"""

from __future__ import annotations

import csv
import io
import logging
import pickle
import time
from collections.abc import Sized
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from avsieve.atomic import atomic_path, write_text
from avsieve.encoders.checkpoint import write_state
from avsieve.errors import ConfigError, ModelError
from avsieve.training.margin import AAMSoftmax
from avsieve.training.schedule import Schedule

logger = logging.getLogger(__name__)
COLUMNS = ("step", "loss", "accuracy", "lr", "margin")
_MIX = 1_000_003  # keeps the seeds of neighbouring trainings apart


class StepBatches(Protocol, Sized):
    """Batches by step: ``batches[step]`` gives inputs and labels (B,) int64, always the same for the same step."""

    def __getitem__(self, step: int) -> tuple[Tensor, Tensor]: ...


@dataclass(frozen=True)
class Optimiser:
    """Which optimiser, with what.

    Parameters
    ----------
    name
        ``adam`` (decay added to the gradient, as AVCleanse has it), ``adamw`` or ``sgd`` (momentum 0.9, Nesterov).
    weight_decay
        Decay of the weights.
    clip
        Largest norm of the gradient; 0 for none.
    """

    name: str = "adam"
    weight_decay: float = 2e-5
    clip: float = 5.0

    def build(self, parameters: list[nn.Parameter]) -> torch.optim.Optimizer:
        """Return the optimiser of ``parameters``; the schedule sets its learning rate before every step."""
        if self.name == "adam":
            return torch.optim.Adam(parameters, weight_decay=self.weight_decay)
        if self.name == "adamw":
            return torch.optim.AdamW(parameters, weight_decay=self.weight_decay)
        if self.name == "sgd":
            return torch.optim.SGD(parameters, lr=0.1, momentum=0.9, nesterov=True, weight_decay=self.weight_decay)
        raise ConfigError(f"optimiser: {self.name!r} is not known; expected adam, adamw or sgd")


class _Meter:
    """Mean loss and accuracy since the last row of the log."""

    def __init__(self) -> None:
        self._reset()

    def _reset(self) -> None:
        self.steps, self.losses, self.hits, self.seen, self.since = 0, 0.0, 0, 0, time.monotonic()

    def add(self, loss: Tensor, cosines: Tensor, labels: Tensor) -> None:
        self.steps += 1
        self.losses += loss.item()
        self.hits += int((cosines.detach().argmax(dim=1) == labels).sum())
        self.seen += len(labels)

    def close(self, step: int, steps: int) -> tuple[float, float]:
        """Return the means, tell them, and begin anew."""
        loss, accuracy = self.losses / self.steps, self.hits / self.seen
        rate = self.seen / max(time.monotonic() - self.since, 1e-9)
        logger.info(
            "step %d of %d: loss %.3f, accuracy %.1f %%, %.0f a second", step, steps, loss, 100 * accuracy, rate
        )
        self._reset()
        return loss, accuracy


@dataclass
class _State:
    step: int
    rows: list[list[float]]


def fit(
    encoder: nn.Module,
    criterion: AAMSoftmax,
    batches: StepBatches,
    *,
    schedule: Schedule,
    optimiser: Optimiser,
    seed: int,
    device: torch.device,
    precision: str = "fp32",
    workers: int = 0,
    log: Path | None = None,
    log_every: int = 50,
    checkpoint: Path | None = None,
    checkpoint_every: int = 500,
    recipe: dict[str, Any] | None = None,
) -> list[list[float]]:
    """Train ``encoder`` and the class centres of ``criterion`` in place.

    Parameters
    ----------
    encoder
        Maps the inputs of a batch to embeddings (B, dim).
    criterion
        The loss, with its class centres.
    batches
        Batches by step; at least ``schedule.steps`` of them.
    schedule, optimiser
        What each step does.
    seed
        Decides dropout and masks; the batches have their own.
    device
        Where it runs.
    precision
        ``fp32``, or ``bf16`` for autocast; the front end and the loss stay in float32.
    workers
        Processes that prepare batches; the result does not depend on their number.
    log
        CSV of the means of loss and accuracy over every ``log_every`` steps, written anew each time.
    checkpoint
        Where to leave, and to find, the state of an unfinished training; removed by the caller when all is done.
    recipe
        What else decides the result. A checkpoint of another recipe is refused.

    Returns
    -------
    list
        The rows of the log: step, loss, accuracy, learning rate, margin.

    Raises
    ------
    ModelError
        If the loss is no longer finite, or the checkpoint is of another training.
    """
    if precision not in ("fp32", "bf16"):
        raise ConfigError(f"precision: {precision!r} is not known; expected fp32 or bf16")
    encoder.to(device).train()
    criterion.to(device).train()
    parameters = [p for p in (*encoder.parameters(), *criterion.parameters()) if p.requires_grad]
    stepper = optimiser.build(parameters)
    identity = repr(sorted({**asdict(schedule), **asdict(optimiser), **(recipe or {}), "seed": seed}.items()))
    state = _State(0, [])
    if checkpoint is not None and checkpoint.is_file():
        state = _resume(checkpoint, encoder, criterion, stepper, identity)
        logger.info("resuming %s at step %d", checkpoint, state.step)
    loader = _loader(batches, state.step, schedule.steps, workers, device)
    meter = _Meter()
    for step, (inputs, labels) in enumerate(loader, start=state.step):
        torch.manual_seed(seed * _MIX + step)
        for group in stepper.param_groups:
            group["lr"] = schedule.lr_at(step)
        criterion.set_margin(schedule.margin_at(step), schedule.risen_at(step))
        labels = labels.to(device, non_blocking=True)
        with torch.autocast(device.type, torch.bfloat16, enabled=precision == "bf16"):
            embeddings = encoder(inputs.to(device, non_blocking=True))
        cosines = criterion.cosines(embeddings)
        loss = criterion.loss(cosines, labels)
        if not torch.isfinite(loss):
            raise ModelError(
                f"step {step}: the loss is {loss.item()}; lower the learning rate {schedule.lr_at(step):g}"
            )
        stepper.zero_grad(set_to_none=True)
        loss.backward()
        if optimiser.clip:
            nn.utils.clip_grad_norm_(parameters, optimiser.clip)
        stepper.step()
        meter.add(loss, cosines, labels)
        done = step + 1
        if done % log_every and done != schedule.steps:
            continue
        state.rows.append([done, *meter.close(done, schedule.steps), schedule.lr_at(step), schedule.margin_at(step)])
        if log is not None:
            write_log(log, state.rows)
        # Only where a row of the log ends, so that a resumed log has the same rows.
        if checkpoint is not None and done // log_every % max(1, checkpoint_every // log_every) == 0:
            _save(checkpoint, encoder, criterion, stepper, identity, _State(done, state.rows))
    return state.rows


def _loader(batches: StepBatches, first: int, last: int, workers: int, device: torch.device) -> DataLoader:
    assert isinstance(batches, Dataset)
    return DataLoader(
        batches,
        batch_size=None,
        sampler=range(first, last),
        num_workers=workers,
        pin_memory=device.type == "cuda",
        persistent_workers=False,
    )


def _save(
    path: Path,
    encoder: nn.Module,
    criterion: nn.Module,
    stepper: torch.optim.Optimizer,
    identity: str,
    state: _State,
) -> None:
    content = {
        "identity": identity,
        "step": state.step,
        "rows": state.rows,
        "encoder": encoder.state_dict(),
        "criterion": criterion.state_dict(),
        "optimiser": stepper.state_dict(),
    }
    with atomic_path(path) as partial:
        torch.save(content, partial)


def _resume(
    path: Path, encoder: nn.Module, criterion: nn.Module, stepper: torch.optim.Optimizer, identity: str
) -> _State:
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError, ValueError) as error:
        raise ModelError(f"{path}: not readable ({error}); remove it to train from the beginning") from error
    if content["identity"] != identity:
        raise ModelError(f"{path}: was left by a training with another recipe; remove it to train from the beginning")
    encoder.load_state_dict(content["encoder"])
    criterion.load_state_dict(content["criterion"])
    stepper.load_state_dict(content["optimiser"])
    return _State(int(content["step"]), content["rows"])


def write_log(path: Path, rows: list[list[float]]) -> None:
    """Write the rows of a training as CSV."""
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(COLUMNS)
    table.writerows([int(r[0]), *(f"{x:.6g}" for x in r[1:])] for r in rows)
    write_text(path, text.getvalue())


def save_encoder(path: Path, encoder: nn.Module, metadata: dict[str, str], *, half: bool = False) -> None:
    """Write the weights of ``encoder`` as safetensors, atomically; ``half`` stores them as float16."""
    state = encoder.state_dict()
    if half:
        state = {k: v.half() if v.is_floating_point() else v for k, v in state.items()}
    write_state(path, state, metadata)
