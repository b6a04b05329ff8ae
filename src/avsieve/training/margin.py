"""Additive angular margin softmax (Deng et al., "ArcFace", CVPR 2019, eq. 3), with sub-centres."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from avsieve.errors import ConfigError


class AAMSoftmax(nn.Module):
    """Classify by the angle to class centres, with ``margin`` radians added to the angle of the true class.

    The loss is the cross entropy of ``scale * cos(angle)``. Where the angle plus the margin would pass pi, the cosine
    would begin to rise again; there it is replaced by ``cos(angle) - margin * sin(margin)``, which keeps falling.
    With ``subcenters`` K > 1 each class has K centres and the nearest counts (Deng et al., "Sub-center ArcFace",
    ECCV 2020, section 3.2): the wrong labels of a class gather at a centre of their own.

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

    Attributes
    ----------
    weight
        The centres, (classes * subcenters, dim), not normalised; the centres of a class are neighbours.
    """

    def __init__(self, dim: int, classes: int, margin: float = 0.2, scale: float = 30.0, subcenters: int = 1) -> None:
        super().__init__()
        if classes < 2 or subcenters < 1:
            raise ConfigError(
                f"AAM-softmax: {classes} classes with {subcenters} centres each; expected at least 2 classes "
                f"and 1 centre: the training list needs more speakers"
            )
        if scale <= 0:
            raise ConfigError(f"AAM-softmax: scale is {scale}; expected a number above 0, usually 30 to 64")
        self.scale = scale
        self.subcenters = subcenters
        self.set_margin(margin)
        self.weight = nn.Parameter(torch.empty(classes * subcenters, dim))
        nn.init.xavier_normal_(self.weight)

    def set_margin(self, margin: float) -> None:
        """Use ``margin`` (radians) from now on.

        Raises
        ------
        ConfigError
            If it is not within 0 to pi/2.
        """
        if not 0 <= margin <= math.pi / 2:
            raise ConfigError(f"AAM-softmax: margin is {margin}; expected radians from 0 to pi/2, usually 0.2 to 0.5")
        self.margin = margin

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
            return F.cross_entropy(self.scale * cosines.scatter(1, labels[:, None], shifted), labels)

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
