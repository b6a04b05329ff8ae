"""Train a fusion model on a list to tell its speakers apart; encoders stay untouched."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from lightning_fabric import Fabric

from avsieve.fusion.base import FittedModel, NeuralModel, TrainedModel
from avsieve.fusion.checkpoint import Trained, save_fusion, save_left_out
from avsieve.fusion.inputs import Inputs
from avsieve.fusion.network_training import Course, train_network
from avsieve.fusion.pairs import TooFewError
from avsieve.fusion.recipe import own_recipe
from avsieve.fusion.sequence_files import read_inputs
from avsieve.fusion.settings import Fusion
from avsieve.fusion.twins import TwinFiles, Twins, read_twins
from avsieve.lists.train_list import read_train_list
from avsieve.settings import Block
from avsieve.storage.provenance import sha256_of, versions, write_provenance
from avsieve.storage.tables import read_table
from avsieve.training.devices import Machine, finish, start
from avsieve.training.history import write_log
from avsieve.training.loop import Keeping
from avsieve.training.state import Row

logger = logging.getLogger(__name__)

_PACKAGES = ("torch", "lightning-fabric", "numpy")
_ROW_STEPS = 1000  # of a row of the log, where an epoch is longer


def train_fusion(
    model: NeuralModel, inputs: Inputs, speakers: Sequence[str], settings: Fusion, *, seed: int, device: torch.device
) -> list[float]:
    """Train ``model`` in place, in this process, and leave nothing on the way; return the mean loss of each epoch.

    See `avsieve.fusion.network_training.train_network`.
    """
    fabric = start(Machine(str(device), precision=settings.precision))
    return train_network(model, inputs, speakers, settings, seed=seed, fabric=fabric).losses


def train(
    model: TrainedModel, inputs: Inputs, speakers: Sequence[str], settings: Fusion, *, seed: int, device: torch.device
) -> list[float]:
    """Train or fit any model in place; see `train_fusion` and `avsieve.fusion.base.FittedModel.fit`."""
    if isinstance(model, FittedModel):
        return model.fit(inputs, speakers, seed=seed, device=device)
    assert isinstance(model, NeuralModel)  # there are no others
    return train_fusion(model, inputs, speakers, settings, seed=seed, device=device)


def train_on_list(
    kind: type[TrainedModel],
    own: Block,
    settings: Fusion,
    *,
    train_list: Path,
    list_name: str,
    plan: Path,
    audio: Sequence[Path],
    visual: Sequence[Path],
    audio_segments: Sequence[Path] = (),
    visual_frames: Sequence[Path] = (),
    twins: Path | None = None,
    twin_audio: Sequence[Path] = (),
    twin_visual: Sequence[Path] = (),
    out: Mapping[int, Path],
    device: torch.device,
    devices: int = 1,
    checkpoint_every: int | None = None,
    tensorboard: bool = False,
) -> str:
    """Train a model on a list, once for each seed, and write what was trained, or why it could not be.

    Beside a model lie the course of its training (``.csv``) and what it was trained with and how long that took
    (``.json``), and while it lasts its state (``.resume`` behind the name of the model): the same call goes on there.
    Of several processes the first one writes.

    Parameters
    ----------
    kind, own, settings
        The model, its own settings, and those of all models.
    train_list, list_name, plan
        The list and what results call it; speakers whom the plan holds out are not trained on.
    audio, visual
        Embeddings of the shards.
    audio_segments, visual_frames
        Those of segments and single faces, which only models open that read them (`FusionModel.reads`).
    twins, twin_audio, twin_visual
        The table of damaged twins, and the embeddings of those whose signals were damaged; for a model that learns from
        them (`FusionModel.twins`).
    out
        Seed -> file.
    device, devices
        Where to train, and how many processes share a batch.
    checkpoint_every
        Steps between two states left behind; those of `Keeping` unless given.
    tensorboard
        Whether to write TensorBoard's files to a folder beside the model (``.tensorboard``).

    Returns
    -------
    What was done, in words.
    """
    machine = Machine(str(device), devices=devices, precision=settings.precision)
    fabric = start(machine, partial=True)
    held_out = read_table(plan, ["utterance", "held_out"])
    rows = read_train_list(train_list)
    rows = rows[~rows["utterance"].isin(held_out.loc[held_out["held_out"], "utterance"])]
    utterances, speakers = rows["utterance"].tolist(), rows["speaker"].tolist()
    inputs = read_inputs(
        utterances, audio, visual, kind.reads(own), audio_segments=audio_segments, visual_frames=visual_frames,
        scratch=next(iter(out.values())).parent,
    )  # fmt: skip
    damaged = None if twins is None else read_twins(twins, inputs, TwinFiles(audio, visual, twin_audio, twin_visual))
    facts = {
        "list_sha256": sha256_of(train_list),
        "utterances": len(inputs),
        "without_audio": int((~inputs.audio.present).sum()),
        "without_visual": int((~inputs.visual.present).sum()),
        "recipe": settings.model_dump(exclude={"models", "seeds", "dim", "twins"}) | own_recipe(own),
        "device": fabric.device.type,
        "versions": versions("torch", "numpy"),
    }
    if damaged is not None:
        facts["twins"] = len(damaged.of)
    for seed, path in out.items():
        torch.manual_seed(seed)
        model = kind(inputs.audio.dim, inputs.visual.dim, settings.dim, own)
        if isinstance(model, FittedModel) and not fabric.is_global_zero:
            continue
        keeping = Keeping(
            log=path.with_suffix(".csv"),
            log_every=_ROW_STEPS,
            checkpoint=path.with_name(path.name + ".resume"),
            checkpoint_every=checkpoint_every or Keeping.checkpoint_every,
            board=path.with_suffix(".tensorboard") if tensorboard else None,
        )
        try:
            course = _trained(model, inputs, speakers, settings, seed, fabric, keeping, damaged)
        except TooFewError as error:
            logger.warning("the model is left out: %s", error)
            if fabric.is_global_zero:
                save_left_out(path, str(error))
                write_log(path.with_suffix(".csv"), [])
                _write_course(path, list_name, seed, left_out=str(error))
            continue
        if not fabric.is_global_zero:
            continue
        own_facts = _facts_of(model, course)
        # What stays at published weights has learned from nobody of the list.
        seen = sorted(set(speakers)) if model.is_trained else []
        save_fusion(path, Trained(model, list_name, seed, seen, facts | own_facts))
        write_log(path.with_suffix(".csv"), course.rows)
        _write_course(
            path,
            list_name,
            seed,
            model=model.name,
            seconds=round(course.seconds, 3),
            processes=machine.processes,
            sha256=sha256_of(path),
            **{k: v for k, v in facts.items() if k != "versions"},
            **own_facts,
            **course.facts,
        )
        path.with_name(path.name + ".resume").unlink(missing_ok=True)
    finish(fabric)
    return f"{kind.name} on {list_name}: {len(inputs)} utterances of {len(set(speakers))} speakers, {device.type}"


def _trained(
    model: TrainedModel,
    inputs: Inputs,
    speakers: Sequence[str],
    settings: Fusion,
    seed: int,
    fabric: Fabric,
    keeping: Keeping,
    twins: Twins | None,
) -> Course:
    """Train or fit any model in place."""
    if isinstance(model, NeuralModel):
        if twins is not None:
            model.network.learn_damage(inputs, twins)
        return train_network(model, inputs, speakers, settings, seed=seed, fabric=fabric, keeping=keeping)
    assert isinstance(model, FittedModel)  # there are no others
    began = time.monotonic()
    losses = model.fit(inputs, speakers, seed=seed, device=fabric.device, twins=twins)
    rows: list[Row] = [[float(i), loss, None, None, None] for i, loss in enumerate(losses)]
    return Course(losses, {"steps": None}, rows, time.monotonic() - began)


def _facts_of(model: TrainedModel, course: Course) -> dict[str, Any]:
    """Return what is recorded of a model and the way it was trained, the same for equal inputs."""
    facts: dict[str, Any] = {
        "parameters": sum(p.numel() for p in model.network.parameters()),
        "trained": model.is_trained,
    }
    if isinstance(model, NeuralModel) and model.begun_at:
        facts["weights"] = model.begun_at
    if course.losses:
        facts |= {"loss_first": round(course.losses[0], 4), "loss_last": round(course.losses[-1], 4)}
    return facts


def _write_course(path: Path, list_name: str, seed: int, **facts: Any) -> None:
    """Write what a model was trained with, beside it; only the seconds differ between two runs of the same work."""
    write_provenance(
        path.with_suffix(".json"), stage="train_fusion", packages=list(_PACKAGES), list=list_name, seed=seed, **facts
    )
