"""Train a fusion network on a list: AAM-softmax over the list's speakers, encoders untouched."""

from __future__ import annotations

import logging
import math
from collections.abc import Sequence

import numpy as np
import torch
from torch import nn

from avsieve.errors import AvsieveError
from avsieve.evaluation.scoring import Part
from avsieve.fusion.inputs import Inputs
from avsieve.fusion.neural import NeuralFusion, Stream, class_means
from avsieve.fusion.recipe import Recipe
from avsieve.training.encoder.margin import AAMSoftmax

logger = logging.getLogger(__name__)


class TooFewError(AvsieveError):
    """There are too few people, or utterances of them, to train on."""


def labels_of(speakers: Sequence[str]) -> tuple[list[str], np.ndarray]:
    """Return the speakers present, sorted, and each row's rank among them, (N,) int64."""
    names = sorted(set(speakers))
    rank = {name: i for i, name in enumerate(names)}
    return names, np.array([rank[s] for s in speakers], dtype=np.int64)


class _Pull(nn.Module):
    """Measure how far the parameters have moved, in units of their first size."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.first = [(p, p.detach().clone()) for p in model.parameters() if p.dim() > 1]
        self.sizes = [float(first.square().mean()) or 1.0 for _, first in self.first]

    def forward(self) -> torch.Tensor:
        moved = [(p - first).square().mean() / size for (p, first), size in zip(self.first, self.sizes, strict=True)]
        return torch.stack(moved).mean()


def train_fusion(
    model: NeuralFusion, inputs: Inputs, speakers: Sequence[str], recipe: Recipe, *, seed: int, device: torch.device
) -> list[float]:
    """Train ``model`` in place; it ends on ``device``, in evaluation mode.

    Parameters
    ----------
    model
        A new network; its first weights come from the data (`NeuralFusion.start`) and from torch's generator.
    inputs, speakers
        The training utterances and the speaker of each. Utterances without any modality are left out.
    seed
        Of the order, the modalities dropped and the class centres.

    Returns
    -------
    Mean loss of each epoch.

    Raises
    ------
    TooFewError
        If fewer than two speakers or fewer than two utterances are left.
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
    model.start(inputs, everywhere)
    model.to(device)
    head = AAMSoftmax(model.dim, len(names), margin=0.0, scale=recipe.scale).to(device)
    _start_head(head, model.encode(inputs)[0].vectors[usable], labels)
    pull = _Pull(model)
    parameters = [*model.parameters(), *head.parameters()]
    optimiser = torch.optim.Adam(parameters, lr=recipe.learning_rate)
    steps_per_epoch = max(1, len(usable) // recipe.batch_size)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, recipe.epochs * steps_per_epoch)
    targets = torch.from_numpy(labels).to(device)
    history = []
    model.train()
    for epoch in range(recipe.epochs):
        head.set_margin(recipe.margin * min(1.0, epoch / max(1.0, recipe.epochs / 5)))
        losses = []
        # Batches are of nearly equal size: batch normalisation does not like a last one of a single row.
        for rows in np.array_split(rng.permutation(len(usable)), steps_per_epoch):
            audio, visual = _drop(
                Stream.of(inputs.audio, usable[rows], device),
                Stream.of(inputs.visual, usable[rows], device),
                recipe.drop_modality,
                rng,
            )
            loss = head(model(audio, visual), targets[torch.from_numpy(rows).to(device)])
            optimiser.zero_grad(set_to_none=True)
            (loss + recipe.pull * pull()).backward()
            optimiser.step()
            schedule.step()
            losses.append(float(loss.detach()))
        history.append(sum(losses) / len(losses))
        if not math.isfinite(history[-1]):
            raise AvsieveError(f"{model.name}: the loss is {history[-1]} in epoch {epoch + 1}; lower learning_rate")
    logger.info("%s: loss %.3f in the first epoch, %.3f in the last", model.name, history[0], history[-1])
    model.eval()
    return history


@torch.no_grad()
def _start_head(head: AAMSoftmax, vectors: np.ndarray, labels: np.ndarray) -> None:
    """Put each class centre at the mean of its utterances: with random ones a small set would be turned upside down."""
    unit = Part.of(class_means(vectors, labels))
    found = torch.from_numpy(unit.vectors).to(head.weight.dtype).to(head.weight.device)
    present = torch.from_numpy(unit.present).to(head.weight.device)
    head.weight.copy_(torch.where(present[:, None], found * head.weight.norm(dim=1).mean(), head.weight))


def _drop(audio: Stream, visual: Stream, share: float, rng: np.random.Generator) -> tuple[Stream, Stream]:
    """Take one modality from a share of the rows that have both."""
    draw = torch.from_numpy(rng.random(len(audio.present))).to(audio.present.device)
    both = audio.present & visual.present
    return audio.drop(both & (draw < share / 2)), visual.drop(both & (draw >= share / 2) & (draw < share))
