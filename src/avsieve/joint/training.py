"""Train a joint model on a list: both encoders and the fusion, from the signals in the shards."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from lightning_fabric import Fabric
from torch import nn

from avsieve.errors import ModelError
from avsieve.fusion.checkpoint import save_left_out
from avsieve.fusion.inputs import Inputs, Stream
from avsieve.fusion.network_training import epoch_losses
from avsieve.fusion.optimisation import optimiser_of, schedule_of
from avsieve.fusion.pairs import TooFewError
from avsieve.fusion.recipe import Recipe
from avsieve.fusion.settings import Fusion
from avsieve.joint.augmentation import augmentation_of
from avsieve.joint.base import JointModel
from avsieve.joint.checkpoint import TrainedJoint, save_joint
from avsieve.joint.encoders import first_encoders
from avsieve.joint.network import JointNetwork, mean_look
from avsieve.joint.reading import Channels, SignalReading
from avsieve.joint.settings import FIRST_WEIGHTS, JointSettings
from avsieve.joint.signal_batches import ListedSignals, SignalBatches, SignalItems
from avsieve.joint.signals import Signals
from avsieve.storage.ids import parse_id
from avsieve.storage.provenance import sha256_of, versions, write_provenance
from avsieve.storage.tables import read_table
from avsieve.training.devices import Machine, finish, gathered, start
from avsieve.training.encoder.validation import split
from avsieve.training.history import write_log
from avsieve.training.loop import Keeping, fit
from avsieve.training.phase import Phase
from avsieve.training.validation import PairsOfVideos, Watch

logger = logging.getLogger(__name__)

_PACKAGES = ("torch", "lightning-fabric", "numpy", "opencv-python")
_AT_ONCE = 16
"""Utterances that are embedded at once on the way."""
_FIRST = 2000
"""Training utterances at most that a head's first weights come from."""
_ROW_STEPS = 100  # of a row of the log, where an epoch is longer


@dataclass(frozen=True)
class Work:
    """What a training is to do, and what with.

    Attributes
    ----------
    train_list, list_name, plan
        The list and what results call it; speakers whom the plan holds out are not trained on.
    wav, faces
        Shards of voices and of aligned faces.
    out
        File to write; its course (``.csv``), provenance (``.json``) and state (``.resume``) lie beside it.
    seed
        Of all that is random.
    workers
        Processes that prepare batches, for each that trains.
    noise, music, speech, rooms
        Folders of recordings that augmentation takes from, where it takes any.
    """

    train_list: Path
    list_name: str
    plan: Path
    wav: Sequence[Path]
    faces: Sequence[Path]
    out: Path
    seed: int
    workers: int = 0
    noise: Path | None = None
    music: Path | None = None
    speech: Path | None = None
    rooms: Path | None = None


def train_joint(
    kind: type[JointModel],
    own: JointSettings,
    settings: Fusion,
    work: Work,
    *,
    machine: Machine,
    checkpoint_every: int | None = None,
    board: Path | None = None,
) -> str:
    """Train a joint model and write it, or why it could not be trained.

    The same call after an interruption goes on where the training was. Of several processes the first one writes.

    Parameters
    ----------
    kind, own, settings
        The model, its own settings without `same`, and those of all fusion models.
    machine
        Where, with how many processes, and in which precision.
    checkpoint_every
        Steps between two states left behind; those of `Keeping` unless given.
    board
        Folder of TensorBoard's files.

    Returns
    -------
    What was done, in words.

    Raises
    ------
    AvsieveError
        If list and shards do not fit, weights do not, the device is absent, or the loss is no longer finite.
    """
    fabric = start(machine, partial=True)
    torch.manual_seed(work.seed)
    speaker, face, channels, weights = first_encoders(own)
    network = kind.build(own, speaker, face, settings.dim)
    keeping = Keeping(
        log=work.out.with_suffix(".csv"),
        log_every=_ROW_STEPS,
        checkpoint=work.out.with_name(work.out.name + ".resume"),
        checkpoint_every=checkpoint_every or Keeping.checkpoint_every,
        board=board,
    )
    facts: dict[str, Any] = {
        "list_sha256": sha256_of(work.train_list),
        "recipe": asdict(Recipe.of(settings, own)) | own.model_dump(exclude=set(FIRST_WEIGHTS)),
        "device": fabric.device.type,
        "versions": versions("torch", "numpy"),
        **weights,
    }
    with Signals(work.wav, work.faces) as signals:
        listed = _without_held_out(ListedSignals(work.train_list, signals, need="both"), work.plan)
        facts |= {"utterances": len(listed), "speakers": listed.classes}
        try:
            done = _fitted(kind, own, settings, work, network, listed, signals, channels, fabric, keeping)
        except TooFewError as error:
            logger.warning("the model is left out: %s", error)
            if fabric.is_global_zero:
                save_left_out(work.out, str(error))
                write_log(work.out.with_suffix(".csv"), [])
                _write_course(work, left_out=str(error))
            finish(fabric)
            return f"{kind.name} on {work.list_name}: left out: {error}"
    if fabric.is_global_zero:
        facts |= {
            "parameters": sum(p.numel() for p in network.parameters()),
            "parameters_trained": sum(p.numel() for p in network.parameters() if p.requires_grad),
            "loss_first": round(done.losses[0], 4),
            "loss_last": round(done.losses[-1], 4),
        }
        speakers = sorted(set(listed.speakers))
        trained = TrainedJoint(kind, own, settings.dim, channels, network, work.list_name, work.seed, speakers, facts)
        save_joint(work.out, trained)
        write_log(work.out.with_suffix(".csv"), done.rows)
        told = {k: v for k, v in facts.items() if k != "versions"} | done.facts
        _write_course(
            work, model=kind.name, seconds=round(done.seconds, 3), processes=machine.processes,
            sha256=sha256_of(work.out), trained=True, **told,
        )  # fmt: skip
        assert keeping.checkpoint is not None
        keeping.checkpoint.unlink(missing_ok=True)
    finish(fabric)
    return (
        f"{kind.name} on {work.list_name}: {len(listed)} utterances of {listed.classes} speakers, {fabric.device.type}"
    )


@dataclass(frozen=True)
class _Course:
    losses: list[float]
    rows: list[Any]
    seconds: float
    facts: dict[str, Any]


def _fitted(
    kind: type[JointModel],
    own: JointSettings,
    settings: Fusion,
    work: Work,
    network: JointNetwork,
    listed: ListedSignals,
    signals: Signals,
    channels: Channels,
    fabric: Fabric,
    keeping: Keeping,
) -> _Course:
    """Train ``network`` in place."""
    wanted = settings.validation
    watch = Watch(wanted.speakers, wanted.every, wanted.keep)
    held = None
    if watch.share:
        listed, held = split(listed, watch.share)
    if listed.classes < 2 or len(listed) < 4:
        raise TooFewError(
            f"{kind.name}: {len(listed)} utterances of {listed.classes} speakers have a voice and a face; it needs at "
            "least 4 of 2"
        )
    recipe = Recipe.of(settings, own)
    batch = min(recipe.batch_size, len(listed))
    epoch_steps = -(-len(listed) // batch)
    schedule, optimiser = schedule_of(recipe, epoch_steps), optimiser_of(recipe)
    batches = SignalBatches(
        listed,
        steps=schedule.steps,
        batch=batch,
        seed=work.seed,
        reading=kind.reading(own, channels, training=True),
        augmentation=augmentation_of(
            own.augmentation,
            seed=work.seed,
            channels=channels,
            noise=work.noise,
            music=work.music,
            speech=work.speech,
            rooms=work.rooms,
        ),
    )
    network.drop_modality = recipe.drop_modality
    validation = None
    if held is not None:
        watch = replace(watch, every=watch.every * epoch_steps)
        validation = JointValidation(held, signals, kind.reading(own, channels, training=False), watch)
    network.to(fabric.device)
    if network.learns_from_embeddings:
        reading = kind.reading(own, channels, training=False)
        inputs, labels = first_inputs(network, listed, signals, reading, fabric.device)
        torch.manual_seed(work.seed)
        network.cpu().start(inputs, labels)
        network.to(fabric.device)
    criterion = kind.criterion(network, listed.classes, recipe, own).to(fabric.device)
    try:
        state = fit(
            fabric,
            network,
            criterion,
            [Phase(batches, schedule)],
            optimiser=optimiser,
            seed=work.seed,
            workers=work.workers,
            keeping=replace(keeping, epoch_steps=epoch_steps),
            validation=validation,
            recipe={
                "model": kind.name,
                "own": own.model_dump(),
                "recipe": asdict(recipe),
                "list": sha256_of(work.train_list),
                "utterances": len(listed),
            },
        )
    except ModelError as error:
        raise ModelError(f"{kind.name}: {error}") from None
    network.eval()
    losses = epoch_losses(state.rows, epoch_steps)
    logger.info("%s: loss %.3f in the first epoch, %.3f in the last", kind.name, losses[0], losses[-1])
    facts = {
        "steps": schedule.steps,
        "optimiser": asdict(optimiser),
        "schedule": asdict(schedule),
        "accuracy": state.rows[-1][2],
    }
    if validation is not None and state.best is not None:
        facts["validation"] = {
            "speakers": validation.speakers,
            "utterances": len(validation.utterances),
            "keep": watch.keep,
            "best_step": state.best.step,
            "best_eer": state.best.eer,
            "last_eer": state.rows[-1][5],
        }
    return _Course(losses, state.rows, state.seconds, facts)


@torch.no_grad()
def first_inputs(
    network: JointNetwork,
    listed: ListedSignals,
    signals: Signals,
    reading: SignalReading,
    device: torch.device,
) -> tuple[Inputs, np.ndarray]:
    """Return what the encoders make of an even choice of the training utterances before anything is learned.

    Returns
    -------
    Embeddings of the voices and the means of those of the faces, and (U,) int64 the class of each utterance.
    """
    rows = np.arange(0, len(listed), -(-len(listed) // _FIRST))
    names = [listed.utterances[i] for i in rows.tolist()]
    vectors = [np.zeros((len(names), int(e.dim)), np.float32) for e in network.encoders]  # type: ignore[arg-type]
    present = [np.zeros(len(names), bool) for _ in vectors]
    network.eval()
    for at, batch in SignalItems(signals, names, reading, batch=_AT_ONCE).read():
        moved = network.usable(batch.to(device))
        looks = mean_look(F.normalize(network.looks(moved).float(), dim=-1), moved.face_mask)
        for k, found in enumerate((network.voices(moved).float(), looks)):
            vectors[k][at] = found.cpu().numpy()
        present[0][at], present[1][at] = moved.has_audio.cpu().numpy(), moved.has_visual.cpu().numpy()
    network.train()
    streams = [Stream(found, there) for found, there in zip(vectors, present, strict=True)]
    return Inputs(names, *streams), listed.labels[rows]


class JointValidation:
    """The equal error rate over all pairs of different videos of speakers held out: of the parts, averaged.

    Parameters
    ----------
    listed
        Their utterances.
    signals, reading
        Where they are read from, and what of them.
    watch
        When to measure, and what to keep.
    """

    def __init__(self, listed: ListedSignals, signals: Signals, reading: SignalReading, watch: Watch) -> None:
        self.watch, self.speakers = watch, listed.classes
        self._videos = PairsOfVideos(listed)
        self.utterances = [listed.utterances[i] for i in self._videos.picked]
        self._signals, self._reading = signals, reading

    def eer(self, fabric: Fabric, network: nn.Module) -> float:
        """Return the equal error rate of ``network``, the same in every process: that of the first one."""
        assert isinstance(network, JointNetwork)
        found = 0.0
        if fabric.is_global_zero:
            found = self._videos.eer(self._vectors(fabric, network))
        return float(gathered(fabric, torch.tensor(found, dtype=torch.float64, device=fabric.device))[0])

    @torch.no_grad()
    def _vectors(self, fabric: Fabric, network: JointNetwork) -> np.ndarray:
        training = network.training
        network.eval()
        vectors = np.zeros((len(self.utterances), sum(network.widths)), np.float32)
        with fabric.autocast():
            for at, batch in SignalItems(self._signals, self.utterances, self._reading, batch=_AT_ONCE).read():
                # Unit vectors side by side: their cosine is the mean of the parts'.
                parts = [F.normalize(part.float(), dim=1) for part, _ in network.embed(batch.to(fabric.device))]
                vectors[at] = torch.cat(parts, dim=1).cpu().numpy()
        network.train(training)
        return vectors


def _without_held_out(listed: ListedSignals, plan: Path) -> ListedSignals:
    """Return the utterances of the speakers whom the plan does not hold out."""
    held_out = read_table(plan, ["utterance", "held_out"])
    out = {parse_id(name).speaker for name in held_out.loc[held_out["held_out"], "utterance"]}
    names = set(listed.speakers)
    return listed.of_speakers(names - out) if names & out else listed


def _write_course(work: Work, **facts: Any) -> None:
    """Write what a model was trained with, beside it; only the seconds differ between two runs of the same work."""
    write_provenance(
        work.out.with_suffix(".json"),
        stage="train_joint",
        packages=list(_PACKAGES),
        list=work.list_name,
        seed=work.seed,
        **facts,
    )
