"""Additive angular margin softmax (Deng et al., "ArcFace", CVPR 2019, eq. 3), with sub-centres and inter-top-k."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from avsieve.errors import ConfigError
from avsieve.training.criterion import Criterion


class AAMSoftmax(Criterion):
    """Classify by the angle to class centres, with ``margin`` radians added to the angle of the true class.

    The loss is the cross entropy of ``scale * cos(angle)``. Where the angle plus the margin would pass pi, the cosine
    would begin to rise again; there it is replaced by ``cos(angle) - margin * sin(margin)``, which keeps falling.
    With ``subcenters`` K > 1 each class has K centres and the nearest counts (Deng et al., "Sub-center ArcFace",
    ECCV 2020, section 3.2): the wrong labels of a class gather at a centre of their own.

    With ``top_k`` K > 0 the K other classes that are nearest to an embedding are made to look nearer still: their
    angles count as ``top_penalty`` radians smaller, so that the network must push just those away (the inter-top-k
    penalty of Zhao et al., "Multi-query multi-head attention pooling and inter-topk penalty", arXiv 2110.05042; there
    K = 5 and 0.06). Nearest is meant by the classes' nearest sub-centres.

    Parameters
    ----------
    dim
        Length of the embeddings.
    classes
        Number of classes.
    margin
        Margin in radians, 0 to pi/2; `set_margin` changes it during a warm-up.
    scale
        Factor on the cosines before the softmax.
    subcenters
        Centres per class.
    top_k
        How many other classes are penalised for each embedding; 0 for none.
    top_penalty
        By how many radians they seem nearer, 0 to pi/2.

    Attributes
    ----------
    weight
        The centres, (classes * subcenters, dim), not normalised; the centres of a class are neighbours.
    """

    def __init__(
        self,
        dim: int,
        classes: int,
        *,
        margin: float,
        scale: float,
        subcenters: int = 1,
        top_k: int = 0,
        top_penalty: float = 0.0,
    ) -> None:
        super().__init__()
        if classes < 2 or subcenters < 1:
            raise ConfigError(
                f"AAM-softmax: {classes} classes with {subcenters} centres each; expected at least 2 classes "
                f"and 1 centre: the training list needs more speakers"
            )
        if scale <= 0:
            raise ConfigError(f"AAM-softmax: scale is {scale}; expected a number above 0, usually 30 to 64")
        _check_top(top_k, classes)
        if not 0 <= top_penalty <= math.pi / 2:
            raise ConfigError(
                f"AAM-softmax: top_penalty is {top_penalty}; expected radians from 0 to pi/2, usually 0.06"
            )
        self.scale = scale
        self.subcenters = subcenters
        self.top_k = top_k
        self.top_penalty = top_penalty
        self.set_margin(margin)
        self.weight = nn.Parameter(torch.empty(classes * subcenters, dim))
        nn.init.xavier_normal_(self.weight)

    def set_margin(self, margin: float, risen: float = 1.0) -> None:
        """Use ``margin`` (radians) and the share ``risen`` of the penalty from now on.

        Raises
        ------
        ConfigError
            If it is not within 0 to pi/2.
        """
        if not 0 <= margin <= math.pi / 2:
            raise ConfigError(f"AAM-softmax: margin is {margin}; expected radians from 0 to pi/2, usually 0.2 to 0.5")
        self.margin = margin
        self._penalty = risen * self.top_penalty

    def keep_classes(self, first: int, count: int) -> None:
        """Go on with the ``count`` classes from ``first`` on, and forget the centres of the others."""
        _check_top(self.top_k, count)
        rows = slice(first * self.subcenters, (first + count) * self.subcenters)
        self.weight = nn.Parameter(self.weight.detach()[rows].clone())

    def cosines(self, embeddings: Tensor) -> Tensor:
        """Return the cosines (B, classes) float32 of ``embeddings`` (B, dim) to the nearest centre of each class."""
        with torch.autocast(embeddings.device.type, enabled=False):
            # In float32: half precision cannot resolve small angles.
            found = F.linear(F.normalize(embeddings.float()), F.normalize(self.weight.float()))
            if self.subcenters > 1:
                found = found.view(len(found), -1, self.subcenters).amax(dim=2)
            return found

    def loss(self, cosines: Tensor, labels: Tensor) -> Tensor:
        """Return the mean loss, a float32 scalar, of `cosines` (B, classes) and ``labels`` (B,) int64."""
        with torch.autocast(cosines.device.type, enabled=False):
            cosines = cosines.float()
            target = cosines.gather(1, labels[:, None])
            sine = (1.0 - target.square()).clamp_min(1e-9).sqrt()
            shifted = target * math.cos(self.margin) - sine * math.sin(self.margin)
            falling = target - math.sin(self.margin) * self.margin
            shifted = torch.where(target > -math.cos(self.margin), shifted, falling)
            logits = cosines
            if self.top_k and self._penalty:
                nearest = cosines.detach().scatter(1, labels[:, None], -math.inf).topk(self.top_k, dim=1).indices
                rival = cosines.gather(1, nearest)
                away = (1.0 - rival.square()).clamp_min(1e-9).sqrt()
                nearer = rival * math.cos(self._penalty) + away * math.sin(self._penalty)  # cos(angle - penalty)
                logits = logits.scatter(1, nearest, nearer)
            return F.cross_entropy(self.scale * logits.scatter(1, labels[:, None], shifted), labels)

    def judge(self, embeddings: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        """Return the mean loss, and how many embeddings are nearest to their own class."""
        cosines = self.cosines(embeddings)
        return self.loss(cosines, labels), (cosines.detach().argmax(dim=1) == labels).sum()

    def forward(self, embeddings: Tensor, labels: Tensor) -> Tensor:
        """Return the mean loss, a float32 scalar even under autocast.

        Parameters
        ----------
        embeddings
            (B, dim), any floating precision, not normalised.
        labels
            (B,) int64, 0 to classes - 1.
        """
        return self.loss(self.cosines(embeddings), labels)


def _check_top(top_k: int, classes: int) -> None:
    if not 0 <= top_k < classes:
        raise ConfigError(
            f"AAM-softmax: the penalty is for the {top_k} nearest of {classes - 1} other classes; "
            f"expected 0 to {classes - 1}, usually 5"
        )
