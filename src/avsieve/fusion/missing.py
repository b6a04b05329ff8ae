"""What fusion networks do about what is missing: no gate opens to it, no weight falls on it, no statistics count it."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from avsieve.fusion.stream_batch import StreamBatch


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


def masked_softmax(scores: Tensor, mask: Tensor, dim: int) -> Tensor:
    """Return weights that sum to 1 over ``dim`` where ``mask``, of a shape that broadcasts, is set; elsewhere 0.

    All are 0 where nothing is set.
    """
    lowest = torch.finfo(scores.dtype).min
    return torch.softmax(scores.masked_fill(~mask, lowest), dim=dim) * mask


def items_of(batch: StreamBatch) -> tuple[Tensor, Tensor]:
    """Return the sequence (B, T, D) and its mask (B, T), T at least 1.

    An utterance that has an embedding but no item of the sequence is a sequence of that embedding: none that has the
    modality is left without.

    Raises
    ------
    ModelError
        If the batch has no sequence.
    """
    items, mask = batch.items()
    if not items.shape[1]:
        items, mask = torch.zeros_like(batch.pooled)[:, None], torch.zeros_like(batch.present)[:, None]
    alone = batch.present & ~mask.any(dim=1)
    first = torch.where(alone[:, None], batch.pooled, items[:, 0])
    return (
        torch.cat([first[:, None], items[:, 1:]], dim=1),
        torch.cat([(mask[:, 0] | alone)[:, None], mask[:, 1:]], dim=1),
    )
