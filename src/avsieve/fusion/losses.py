"""The losses that fusion networks are trained with, alone or as a sum: all of them classify the list's speakers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from avsieve.evaluation.scoring import Part
from avsieve.fusion.discriminant import class_means
from avsieve.training.criterion import Criterion
from avsieve.training.margin import AAMSoftmax


class AMSoftmax(AAMSoftmax):
    """Additive margin softmax (Wang et al., "Additive margin softmax for face verification", 2018, eq. 5).

    The margin is taken from the cosine of the true class, not added to its angle.
    """

    def loss(self, cosines: Tensor, labels: Tensor) -> Tensor:
        """Return the mean loss of cosines (B, classes) and ``labels`` (B,) int64."""
        margins = self.margin * F.one_hot(labels, cosines.shape[1])
        return F.cross_entropy(self.scale * (cosines.float() - margins), labels)


class SoftmaxLoss(nn.Module):
    """Cross entropy of a linear layer over embeddings as they are, not normalised."""

    def __init__(self, dim: int, classes: int) -> None:
        super().__init__()
        self.output = nn.Linear(dim, classes)
        nn.init.xavier_uniform_(self.output.weight)
        nn.init.zeros_(self.output.bias)

    def forward(self, embeddings: Tensor, labels: Tensor) -> Tensor:
        """Return the mean loss."""
        return self.judge(embeddings, labels)[0]

    def judge(self, embeddings: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        """Return the mean loss, and how many rows have the largest output at their own class."""
        logits = self.output(embeddings).float()
        return F.cross_entropy(logits, labels), (logits.detach().argmax(dim=1) == labels).sum()


class CentreLoss(nn.Module):
    """Half the squared distance of unit vectors to their class's centre, which is learned with the network.

    Wen et al., "A discriminative feature learning approach for deep face recognition", ECCV 2016, eq. 2, of normalised
    embeddings as in BAFFN.
    """

    def __init__(self, dim: int, classes: int) -> None:
        super().__init__()
        self.centres = nn.Parameter(torch.randn(classes, dim))

    def forward(self, embeddings: Tensor, labels: Tensor) -> Tensor:
        """Return the mean loss."""
        return (F.normalize(embeddings.float()) - self.centres[labels]).square().sum(dim=1).mean() / 2

    def judge(self, embeddings: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        """Return the mean loss, and how many rows are nearest to their own centre."""
        with torch.no_grad():
            nearest = torch.cdist(F.normalize(embeddings.float()), self.centres).argmin(dim=1)
        return self(embeddings, labels), (nearest == labels).sum()


class SumOfLosses(Criterion):
    """A weighted sum of losses, each with classes of its own.

    Parameters
    ----------
    weights
        Loss -> weight: ``ce``, ``am``, ``aam`` or ``centre``.
    dim, classes
        Length of the embeddings, number of classes.
    scale
        Of the losses with a margin, which begins at 0.
    """

    def __init__(self, weights: Mapping[str, float], dim: int, classes: int, *, scale: float) -> None:
        super().__init__()
        self.weights = dict(weights)
        self.losses = nn.ModuleDict()
        for name in weights:
            if name in ("am", "aam"):
                kind = AAMSoftmax if name == "aam" else AMSoftmax
                self.losses[name] = kind(dim, classes, margin=0.0, scale=scale)
            else:
                self.losses[name] = SoftmaxLoss(dim, classes) if name == "ce" else CentreLoss(dim, classes)

    @property
    def with_margin(self) -> list[AAMSoftmax]:
        """Those that have a margin."""
        return [loss for loss in self.losses.values() if isinstance(loss, AAMSoftmax)]

    def set_margin(self, margin: float, risen: float = 1.0) -> None:
        """Use ``margin`` from now on."""
        for loss in self.with_margin:
            loss.set_margin(margin, risen)

    @torch.no_grad()
    def start_at(self, vectors: np.ndarray, labels: np.ndarray) -> None:
        """Put centres at the mean of the utterances: with random ones a small set would be turned upside down.

        Only where a loss has a margin; the others have no use for directions.
        """
        unit = Part.of(class_means(vectors, labels))
        for loss in self.with_margin:
            weight = loss.weight
            found = torch.from_numpy(unit.vectors).to(weight.dtype).to(weight.device)
            present = torch.from_numpy(unit.present).to(weight.device)
            weight.copy_(torch.where(present[:, None], found * weight.norm(dim=1).mean(), weight))

    def judge(self, embeddings: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        """Return the weighted sum, and how many rows the first loss takes for their own class.

        The centre loss has a say only where it is alone: the others are there to tell classes apart.
        """
        counting = next((name for name in self.weights if name != "centre"), "centre")
        parts = {name: self.losses[name](embeddings, labels) for name in self.weights if name != counting}
        parts[counting], hits = self.losses[counting].judge(embeddings, labels)  # type: ignore[operator]
        total = sum(parts[name] if weight == 1.0 else weight * parts[name] for name, weight in self.weights.items())
        return cast(Tensor, total), hits

    def forward(self, embeddings: Tensor, labels: Tensor) -> Tensor:
        """Return the weighted sum, a scalar."""
        return self.judge(embeddings, labels)[0]
