"""One training of a fusion network, on the loop that all trainings share."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import torch
from lightning_fabric import Fabric

from avsieve.errors import ModelError
from avsieve.fusion.base import NeuralModel
from avsieve.fusion.examples import Examples, pair_anew
from avsieve.fusion.inputs import Inputs
from avsieve.fusion.l2_sp import L2SP
from avsieve.fusion.losses import SumOfLosses
from avsieve.fusion.optimisation import optimiser_of, schedule_of
from avsieve.fusion.paired_batches import PairedBatches
from avsieve.fusion.pairs import TooFewError, labels_of
from avsieve.fusion.recipe import Recipe, StartSettings
from avsieve.fusion.settings import Fusion
from avsieve.fusion.start import begin_at, begin_classifier
from avsieve.fusion.validation import FusionValidation, held_rows
from avsieve.training.loop import Keeping, fit
from avsieve.training.phase import Phase
from avsieve.training.state import Row, State
from avsieve.training.validation import Watch

logger = logging.getLogger(__name__)

_PAIRS = 2  # a stream of random numbers that meets none of `avsieve.fusion.paired_batches`


@dataclass(frozen=True)
class Course:
    """How a training went.

    Attributes
    ----------
    losses
        Mean loss of each epoch, without L2-SP; none where the model stays at the weights that its settings name.
    facts
        What else there is to tell, all of it the same for equal inputs: ``steps``, ``schedule``, ``optimiser``,
        ``accuracy`` of the last row of the log, and ``validation``.
    rows
        Those of the log.
    seconds
        What the steps took, with the validations and those before an interruption.
    """

    losses: list[float]
    facts: dict[str, Any]
    rows: list[Row]
    seconds: float


def train_network(
    model: NeuralModel,
    inputs: Inputs,
    speakers: Sequence[str],
    settings: Fusion,
    *,
    seed: int,
    fabric: Fabric,
    keeping: Keeping | None = None,
) -> Course:
    """Train ``model`` in place; it ends on the device of ``fabric``, in evaluation mode.

    Parameters
    ----------
    model
        A new model; its first weights come from the data or from torch's generator (`NeuralFusion.start`).
    inputs, speakers
        The training utterances and the speaker of each. Utterances without any modality are left out.
    settings
        How to train, where the model's own settings do not say otherwise (`Recipe`).
    seed
        Of the pairs, the order, the modalities dropped, dropout, and the weights and class centres that are random.
    fabric
        Where it runs (`avsieve.training.devices.start`).
    keeping
        What to leave on the way; nothing unless given. A row of the log ends at least with every epoch.

    Raises
    ------
    TooFewError
        If fewer than two speakers or fewer than two utterances are left.
    ConfigError
        If the validation cannot be done with these speakers, or a batch is too small for the processes.
    ModelError
        If the loss is no longer finite, what is to be resumed is of another training, or the model's settings name a
        file of weights that does not fit.
    """
    validation, inputs, speakers = _validation(inputs, speakers, settings)
    usable = np.flatnonzero(inputs.audio.present | inputs.visual.present)
    names, labels = labels_of([speakers[i] for i in usable.tolist()])
    if len(names) < 2 or len(usable) < 4:
        raise TooFewError(
            f"{model.name}: {len(usable)} utterances of {len(names)} speakers can train it; it needs at least 4 of 2"
        )
    torch.manual_seed(seed)
    everywhere = np.zeros(len(inputs), dtype=np.int64)
    everywhere[usable] = labels
    recipe, network = Recipe.of(settings, model.own), model.network
    network.check_readings(inputs)
    network.start(inputs, everywhere)
    begun = model.own.weights if isinstance(model.own, StartSettings) else None
    classifier: dict[str, torch.Tensor] = {}
    if begun is not None:
        classifier, model.begun_at = begin_at(network, begun)
    network.to(fabric.device)
    if begun is not None and not model.is_trained:
        network.eval()
        return Course([], {"steps": 0}, [], 0.0)
    head = SumOfLosses(recipe.losses, network.dim, len(names), scale=recipe.scale).to(fabric.device)
    if network.from_data:
        head.start_at(model.encode(inputs)[0].vectors[usable], labels)
    if begun is not None:
        model.begun_at["classifier"] = begin_classifier(network, head, classifier, inputs, usable, labels)
    examples = Examples(usable, usable, labels)
    if recipe.pairs:
        examples = pair_anew(inputs, usable, labels, recipe.pairs, np.random.default_rng([seed, _PAIRS]))
    batches = PairedBatches(
        network,
        inputs,
        examples,
        batch=recipe.batch_size,
        epochs=recipe.epochs,
        drop=recipe.drop_modality,
        seed=seed,
    )
    optimiser, schedule = optimiser_of(recipe), schedule_of(recipe, batches.epoch_steps)
    if validation is not None:
        validation.watch = replace(validation.watch, every=validation.watch.every * batches.epoch_steps)
    try:
        state = fit(
            fabric,
            network,
            head,
            [Phase(batches, schedule)],
            optimiser=optimiser,
            seed=seed,
            keeping=replace(keeping or Keeping(log_every=schedule.steps), epoch_steps=batches.epoch_steps),
            validation=validation,
            recipe={
                "model": model.name,
                "shape": model.shape,
                "recipe": asdict(recipe),
                "inputs": _digest(inputs, speakers),
            },
            penalty=L2SP(network, recipe.l2_sp) if recipe.l2_sp else None,
        )
    except ModelError as error:
        raise ModelError(f"{model.name}: {error}") from None
    network.eval()
    losses = epoch_losses(state.rows, batches.epoch_steps)
    logger.info("%s: loss %.3f in the first epoch, %.3f in the last", model.name, losses[0], losses[-1])
    facts = {
        "steps": schedule.steps,
        "optimiser": asdict(optimiser),
        "schedule": asdict(schedule),
        "accuracy": state.rows[-1][2],
        "validation": _validated(validation, state),
    }
    return Course(losses, facts, state.rows, state.seconds)


def _validation(
    inputs: Inputs, speakers: Sequence[str], settings: Fusion
) -> tuple[FusionValidation | None, Inputs, Sequence[str]]:
    """Return what measures the network, if anything, and the utterances that are left to train on."""
    wanted = settings.validation
    watch = Watch(wanted.speakers, wanted.every, wanted.keep)
    if not watch.share:
        return None, inputs, speakers
    held = held_rows(inputs, speakers, watch.share)
    validation = FusionValidation(inputs.of(held), [speakers[i] for i in held.tolist()], watch)
    left = np.setdiff1d(np.arange(len(inputs)), held)
    return validation, inputs.of(left), [speakers[i] for i in left.tolist()]


def epoch_losses(rows: Sequence[Row], epoch_steps: int) -> list[float]:
    """Return the mean loss of each epoch from the rows of a log, none of which reaches over the end of one."""
    sums: dict[int, float] = {}
    before = 0
    for row in rows:
        step, loss = int(row[0] or 0), float(row[1] or 0)
        epoch = (step - 1) // epoch_steps
        sums[epoch] = sums.get(epoch, 0.0) + loss * (step - before) / epoch_steps
        before = step
    return list(sums.values())


def _digest(inputs: Inputs, speakers: Sequence[str]) -> str:
    """Return a digest of which utterances there are, of whom, and with which modalities."""
    digest = hashlib.blake2b(digest_size=16)
    digest.update("\n".join([*inputs.utterances, *speakers]).encode())
    for stream in inputs.streams.values():
        digest.update(stream.present.tobytes())
    return digest.hexdigest()


def _validated(validation: FusionValidation | None, state: State) -> dict[str, Any] | None:
    """Return what the validation found."""
    if validation is None or state.best is None:
        return None
    return {
        "speakers": validation.speakers,
        "utterances": validation.utterances,
        "keep": validation.watch.keep,
        "best_step": state.best.step,
        "best_eer": state.best.eer,
        "last_eer": state.rows[-1][5],
    }
