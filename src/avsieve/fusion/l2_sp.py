"""L2-SP: a penalty on the way that the weights have gone from the first ones."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class L2SP:
    """How far the matrices of a network have moved, in units of their first size, times a weight.

    Li et al., "Explicit inductive bias for transfer learning", ICML 2018. The weight is in units of the loss per mean
    squared change relative to the first weights.

    Parameters
    ----------
    network
        With its first weights, on the device of the training.
    weight
        Of the penalty.
    """

    def __init__(self, network: nn.Module, weight: float) -> None:
        self._now = [p for p in network.parameters() if p.dim() > 1]
        self._first = [p.detach().clone() for p in self._now]
        # Mean over the matrices of each one's mean squared change, over its first mean square.
        self._weights = [
            weight / len(self._now) / first.numel() / (float(first.square().mean()) or 1.0) for first in self._first
        ]

    def __call__(self) -> Tensor:
        """Return the penalty, a scalar."""
        terms = zip(self._now, self._first, self._weights, strict=True)
        return torch.stack([weight * (now - first).square().sum() for now, first, weight in terms]).sum()
