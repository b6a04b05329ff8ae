"""Train a fusion network on a list to tell its speakers apart; encoders stay untouched."""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from avsieve.errors import AvsieveError
from avsieve.fusion.base import FittedModel, NeuralModel, TrainedModel
from avsieve.fusion.checkpoint import Trained, save_fusion, save_left_out
from avsieve.fusion.examples import Examples, pair_anew
from avsieve.fusion.inputs import Inputs
from avsieve.fusion.losses import SumOfLosses
from avsieve.fusion.optimisation import build_optimiser, build_schedule
from avsieve.fusion.pairs import TooFewError, labels_of
from avsieve.fusion.recipe import Recipe, StartSettings, own_recipe
from avsieve.fusion.sequence_files import read_inputs
from avsieve.fusion.settings import Fusion
from avsieve.fusion.start import begin_at, begin_classifier
from avsieve.fusion.stream_batch import StreamBatch
from avsieve.lists.train_list import read_train_list
from avsieve.settings import Block
from avsieve.storage.provenance import sha256_of, versions
from avsieve.storage.tables import read_table

logger = logging.getLogger(__name__)


class _L2SP(nn.Module):
    """Measure how far the parameters have moved, in units of their first size.

    Li et al., "Explicit inductive bias for transfer learning", ICML 2018. The weight of it is in units of the loss per
    mean squared change relative to the first weights.
    """

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.first = [(p, p.detach().clone()) for p in model.parameters() if p.dim() > 1]
        self.sizes = [float(first.square().mean()) or 1.0 for _, first in self.first]

    def forward(self) -> torch.Tensor:
        moved = [(p - first).square().mean() / size for (p, first), size in zip(self.first, self.sizes, strict=True)]
        return torch.stack(moved).mean()


def train_fusion(
    model: NeuralModel, inputs: Inputs, speakers: Sequence[str], settings: Fusion, *, seed: int, device: torch.device
) -> list[float]:
    """Train ``model`` in place; it ends on ``device``, in evaluation mode.

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

    Returns
    -------
    Mean loss of each epoch; none where the model stays at the weights that its settings name.

    Raises
    ------
    TooFewError
        If fewer than two speakers or fewer than two utterances are left.
    ModelError
        If the model's settings name a file of weights that does not fit.
    """
    usable = np.flatnonzero(inputs.audio.present | inputs.visual.present)
    names, labels = labels_of([speakers[i] for i in usable.tolist()])
    if len(names) < 2 or len(usable) < 4:
        raise TooFewError(
            f"{model.name}: {len(usable)} utterances of {len(names)} speakers can train it; it needs at least 4 of 2"
        )
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    everywhere = np.zeros(len(inputs), dtype=np.int64)
    everywhere[usable] = labels
    recipe = Recipe.of(settings, model.own)
    network = model.network
    network.check_readings(inputs)
    network.start(inputs, everywhere)
    begun = model.own.weights if isinstance(model.own, StartSettings) else None
    classifier: dict[str, torch.Tensor] = {}
    if begun is not None:
        classifier, model.begun_at = begin_at(network, begun)
    network.to(device)
    if begun is not None and not model.is_trained:
        network.eval()
        return []
    head = SumOfLosses(recipe.losses, network.dim, len(names), scale=recipe.scale).to(device)
    if network.from_data:
        head.start_at(model.encode(inputs)[0].vectors[usable], labels)
    if begun is not None:
        model.begun_at["classifier"] = begin_classifier(network, head, classifier, inputs, usable, labels)
    l2_sp = _L2SP(network)
    pairs = recipe.pairs
    examples = pair_anew(inputs, usable, labels, pairs, rng) if pairs else Examples(usable, usable, labels)
    optimiser = build_optimiser(recipe, [*network.parameters(), *head.parameters()])
    steps_per_epoch = max(1, len(examples) // recipe.batch_size)
    schedule = build_schedule(recipe, optimiser, steps_per_epoch)
    targets = torch.from_numpy(examples.labels).to(device)
    history = []
    network.train()
    for epoch in range(recipe.epochs):
        risen = min(1.0, epoch / max(1.0, recipe.epochs / 5)) if recipe.margin_rises else 1.0
        head.set_margin(recipe.margin * risen)
        losses = []
        # Batches are of nearly equal size: batch normalisation does not like a last one of a single row.
        for rows in np.array_split(rng.permutation(len(examples)), steps_per_epoch):
            audio, visual = _drop(
                *network.batch(inputs, examples.audio[rows], examples.visual[rows], rng),
                recipe.drop_modality,
                rng,
            )
            loss = head(network(audio, visual), targets[torch.from_numpy(rows).to(device)])
            optimiser.zero_grad(set_to_none=True)
            (loss + recipe.l2_sp * l2_sp() if recipe.l2_sp else loss).backward()
            optimiser.step()
            schedule.step()
            losses.append(float(loss.detach()))
        history.append(sum(losses) / len(losses))
        if not math.isfinite(history[-1]):
            raise AvsieveError(f"{model.name}: the loss is {history[-1]} in epoch {epoch + 1}; lower learning_rate")
    logger.info("%s: loss %.3f in the first epoch, %.3f in the last", model.name, history[0], history[-1])
    network.eval()
    return history


def _drop(
    audio: StreamBatch, visual: StreamBatch, share: float, rng: np.random.Generator
) -> tuple[StreamBatch, StreamBatch]:
    """Take one modality from a share of the rows that have both."""
    draw = torch.from_numpy(rng.random(len(audio.present))).to(audio.present.device)
    both = audio.present & visual.present
    return audio.drop(both & (draw < share / 2)), visual.drop(both & (draw >= share / 2) & (draw < share))


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
    out: Mapping[int, Path],
    device: torch.device,
) -> str:
    """Train a model on a list, once for each seed, and write what was trained, or why it could not be.

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
    out
        Seed -> file.

    Returns
    -------
    What was done, in words.
    """
    held_out = read_table(plan, ["utterance", "held_out"])
    rows = read_train_list(train_list)
    rows = rows[~rows["utterance"].isin(held_out.loc[held_out["held_out"], "utterance"])]
    utterances, speakers = rows["utterance"].tolist(), rows["speaker"].tolist()
    inputs = read_inputs(
        utterances, audio, visual, kind.reads(own), audio_segments=audio_segments, visual_frames=visual_frames,
        scratch=next(iter(out.values())).parent,
    )  # fmt: skip
    facts = {
        "list_sha256": sha256_of(train_list),
        "utterances": len(inputs),
        "without_audio": int((~inputs.audio.present).sum()),
        "without_visual": int((~inputs.visual.present).sum()),
        "recipe": settings.model_dump(exclude={"models", "seeds", "dim"}) | own_recipe(own),
        "device": device.type,
        "versions": versions("torch", "numpy"),
    }
    for seed, path in out.items():
        torch.manual_seed(seed)
        model = kind(inputs.audio.dim, inputs.visual.dim, settings.dim, own)
        try:
            history = train(model, inputs, speakers, settings, seed=seed, device=device)
        except TooFewError as error:
            save_left_out(path, str(error))
            logger.warning("the model is left out: %s", error)
            continue
        found: dict[str, Any] = {"trained": model.is_trained}
        if isinstance(model, NeuralModel) and model.begun_at:
            found["weights"] = model.begun_at
        if history:
            found |= {"loss_first": round(history[0], 4), "loss_last": round(history[-1], 4)}
        # What stays at published weights has learned from nobody of the list.
        seen = sorted(set(speakers)) if model.is_trained else []
        save_fusion(path, Trained(model, list_name, seed, seen, facts | found))
    return f"{kind.name} on {list_name}: {len(inputs)} utterances of {len(set(speakers))} speakers, {device.type}"
