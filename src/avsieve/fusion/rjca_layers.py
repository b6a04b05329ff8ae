"""The layers of RJCA (`avsieve.fusion.rjca_network`), each with a mask of what exists."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from avsieve.fusion.missing import PresentNorm, masked_softmax

LSTM_LAYERS = 2
_POOLING_WIDTH = 256
_LOWEST_VARIANCE = 1e-4


class Blstm(nn.Module):
    """A BLSTM of two layers and its input, projected to the length of the input and normalised.

    The first states are learned. Sequences are packed: neither direction sees a place where there is nothing.

    Parameters
    ----------
    dim
        Length of an item; each direction has half of it, rounded down.
    dropout
        Share of the entries that are dropped in training, between the layers and before the projection.
    """

    def __init__(self, dim: int, dropout: float) -> None:
        super().__init__()
        half = max(1, dim // 2)
        self.rnn = nn.LSTM(dim, half, LSTM_LAYERS, dropout=dropout, bidirectional=True, batch_first=True)
        self.linear = nn.Linear(dim + 2 * half, dim)
        self.init_hidden = nn.Parameter(torch.empty(4 * LSTM_LAYERS, half))  # h, then c, of each layer and direction
        self.dropout = nn.Dropout(dropout)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw the first states."""
        nn.init.xavier_uniform_(self.init_hidden)

    def forward(self, items: Tensor, mask: Tensor) -> Tensor:
        """Return (B, T, D), of length 1 where ``mask`` (B, T) is set and zero elsewhere.

        ``mask`` is set from the first place on, without gaps.
        """
        lengths = mask.sum(dim=1)
        there = lengths > 0
        shape = (*items.shape[:2], 2 * self.rnn.hidden_size)
        if bool(there.any()):
            packed = pack_padded_sequence(items[there], lengths[there].cpu(), batch_first=True, enforce_sorted=False)
            states = self.init_hidden[:, None].expand(-1, int(there.sum()), -1).contiguous()
            found = self.rnn(packed, (states[: 2 * LSTM_LAYERS], states[2 * LSTM_LAYERS :]))[0]
            unpacked = pad_packed_sequence(found, batch_first=True, total_length=items.shape[1])[0]
            passed = unpacked.new_zeros(shape).masked_scatter(there[:, None, None], unpacked)
        else:
            passed = items.new_zeros(shape)
        out = self.linear(self.dropout(torch.cat([items, passed], dim=2)))
        return F.normalize(out, dim=2) * mask[..., None]


class JointCrossAttention(nn.Module):
    """A block of joint cross-attention, with X of T items of a modality, V or A, as its rows.

        J = [V; A] Q + q       K = X^T M + m       C = tanh(K J / sqrt(d))
        X <- X + Drop(ReLU(ReLU(tanh((X W + w) Drop(C))) U + u))

    d is the length of an item of both together, and M is of T x T. A row of X that does not exist is zero and adds
    nothing to K; the column of K that stands for it is masked, so that it and its row of J add nothing to C; and
    nothing is added to it.

    Parameters
    ----------
    audio_dim, visual_dim
        Lengths of the items.
    parts
        How many there are.
    dropout
        Share of C, and of what is added, that is dropped in training.
    """

    def __init__(self, audio_dim: int, visual_dim: int, parts: int, dropout: float) -> None:
        super().__init__()
        both = audio_dim + visual_dim
        self.joint = nn.Linear(both, both)
        self.visual_key = nn.Linear(parts, parts)
        self.audio_key = nn.Linear(parts, parts)
        self.visual_value = nn.Linear(visual_dim, visual_dim)
        self.audio_value = nn.Linear(audio_dim, audio_dim)
        self.visual_out = nn.Linear(both, visual_dim)
        self.audio_out = nn.Linear(both, audio_dim)
        self.dropout = nn.Dropout(dropout)

    def forward(self, audio: Tensor, visual: Tensor, has_audio: Tensor, has_visual: Tensor) -> tuple[Tensor, Tensor]:
        """Return both (B, T, D) as they attend; rows are zero where the masks (B, T) are not set, before and after."""
        joint = self.joint(torch.cat([visual, audio], dim=2))
        return (
            self._attend(audio, has_audio, joint, self.audio_key, self.audio_value, self.audio_out),
            self._attend(visual, has_visual, joint, self.visual_key, self.visual_value, self.visual_out),
        )

    def _attend(
        self, items: Tensor, mask: Tensor, joint: Tensor, key: nn.Linear, value: nn.Linear, out: nn.Linear
    ) -> Tensor:
        keys = key(items.transpose(1, 2)) * mask[:, None]
        correlation = self.dropout(torch.tanh(keys @ joint / math.sqrt(joint.shape[2])))
        attended = torch.relu(torch.tanh(value(items) @ correlation))
        return (items + self.dropout(torch.relu(out(attended)))) * mask[..., None]


class AttentivePooling(nn.Module):
    """Attentive statistics pooling: weighted mean and standard deviation over the items, with a weight per entry.

    Okabe, Koshinaka and Shinoda, Interspeech 2018, with the layers of RJCA: ReLU, then batch normalisation, then tanh.

    Parameters
    ----------
    dim
        Length of an item.
    """

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.first = nn.Conv1d(dim, _POOLING_WIDTH, kernel_size=1)
        self.norm = PresentNorm(_POOLING_WIDTH)
        self.second = nn.Conv1d(_POOLING_WIDTH, dim, kernel_size=1)

    def forward(self, items: Tensor, mask: Tensor) -> Tensor:
        """Return (B, 2 D) from items (B, T, D), those that ``mask`` (B, T) says exist."""
        hidden = torch.relu(self.first(items.transpose(1, 2))).transpose(1, 2)
        normal = self.norm(hidden.flatten(0, 1), mask.flatten()).view_as(hidden)
        scores = self.second(torch.tanh(normal).transpose(1, 2)).transpose(1, 2)
        weights = masked_softmax(scores, mask[..., None], dim=1)
        mean = (weights * items).sum(dim=1)
        variance = (weights * items.square()).sum(dim=1) - mean.square()
        return torch.cat([mean, variance.clamp(min=_LOWEST_VARIANCE).sqrt()], dim=1)
