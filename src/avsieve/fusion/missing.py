"""What fusion networks do about a missing modality: it is closed to the gate, and no statistics count it."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class PresentNorm(nn.Module):
    """Batch normalisation of the rows that are there; the others stay zero and leave the statistics alone.

    In scoring it uses its running statistics, as batch normalisation should.
    """

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.norm = nn.BatchNorm1d(dim)

    def forward(self, rows: Tensor, present: Tensor) -> Tensor:
        """Normalise ``rows`` (B, D) where ``present`` (B,) is set."""
        found = rows[present]
        if not isinstance(self.norm, nn.BatchNorm1d):  # several processes share the batch, and meet whatever each has
            found = self.norm(found)
        elif self.training and len(found) == 1:  # one row has no spread of its own
            norm = self.norm
            found = F.batch_norm(found, norm.running_mean, norm.running_var, norm.weight, norm.bias, eps=norm.eps)
        elif len(found):
            found = self.norm(found)
        return torch.zeros_like(rows).masked_scatter(present[:, None], found)


def close_gate(z: Tensor, has_audio: Tensor, has_visual: Tensor) -> Tensor:
    """Close a gate ``z`` (B, D or 1), of which 1 is all voice and 0 all face, to what is missing."""
    z = torch.where(has_visual[:, None], z, torch.ones_like(z))
    return torch.where(has_audio[:, None], z, torch.zeros_like(z))
