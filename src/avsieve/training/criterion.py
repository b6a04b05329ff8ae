"""What a training asks of a loss."""

from __future__ import annotations

from abc import ABC, abstractmethod

from torch import Tensor, nn


class Criterion(nn.Module, ABC):
    """A loss that classifies embeddings, with what it learns of the classes as parameters."""

    @abstractmethod
    def judge(self, embeddings: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        """Return the mean loss, a scalar, and how many embeddings are taken for their own class, a scalar int64.

        Parameters
        ----------
        embeddings
            (B, dim), any floating precision, not normalised.
        labels
            (B,) int64.
        """

    @abstractmethod
    def set_margin(self, margin: float, risen: float = 1.0) -> None:
        """Use ``margin`` from now on, and the share ``risen`` of what else grows with it; nothing, if it has none."""
