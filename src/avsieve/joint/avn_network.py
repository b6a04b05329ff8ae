"""The network of AVN-F; see `avsieve.joint.avn`."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from avsieve.encoders.states import InnerStates, chosen
from avsieve.joint.network import JointNetwork
from avsieve.joint.signal_batch import SignalBatch

CHANNELS, BOTTLENECK = 64, 8
_MIN_VARIANCE = 1e-5


class ChannelAttention(nn.Module):
    """The paper's three attention modules over two maps of 64 channels.

    Parameters
    ----------
    kind
        1: a weight per channel, from the means of the maps. 2: the same, from the means of what a convolution makes of
        them. 3: as 2, with one weight per modality.
    """

    def __init__(self, kind: int) -> None:
        super().__init__()
        self.kind = kind
        self.squeeze = nn.Linear(2 * CHANNELS, BOTTLENECK)
        self.expand = nn.Linear(BOTTLENECK, 2 if kind == 3 else 2 * CHANNELS)
        convolve = kind > 1
        self.audio_convolution = nn.Conv1d(CHANNELS, CHANNELS, 3, padding=1) if convolve else None
        self.visual_convolution = nn.Conv1d(CHANNELS, CHANNELS, 3, padding=1) if convolve else None

    def forward(self, audio: Tensor, visual: Tensor, has_audio: Tensor, has_visual: Tensor) -> tuple[Tensor, Tensor]:
        """Return the weights of both maps (B, 64 or 1); those of a missing modality are 0.

        Parameters
        ----------
        audio, visual
            (B, 64, P), zero where missing.
        has_audio, has_visual
            (B,) bool.
        """
        if self.audio_convolution is not None and self.visual_convolution is not None:
            audio, visual = F.relu(self.audio_convolution(audio)), F.relu(self.visual_convolution(visual))
        means = [audio.mean(dim=2) * has_audio[:, None], visual.mean(dim=2) * has_visual[:, None]]
        weights = torch.sigmoid(self.expand(F.relu(self.squeeze(torch.cat(means, dim=1)))))
        alpha, beta = weights.chunk(2, dim=1)
        return alpha * has_audio[:, None], beta * has_visual[:, None]


class AvnF(JointNetwork):
    """Two branches, an attention over their maps, one trunk.

    Parameters
    ----------
    audio, visual, trained, encoder_rate
        As `JointNetwork` has them; both have inner states.
    states
        Where the branches end: a state of either.
    dim
        Length of the embedding.
    attention
        See `ChannelAttention`.
    positions, width
        Places of a map, and channels of the trunk.
    """

    def __init__(
        self,
        audio: nn.Module,
        visual: nn.Module,
        states: tuple[str, str],
        dim: int,
        *,
        attention: int,
        positions: int,
        width: int,
        trained: bool,
        encoder_rate: float = 1.0,
    ) -> None:
        super().__init__(audio, visual, trained=trained, encoder_rate=encoder_rate)
        assert isinstance(audio, InnerStates)
        assert isinstance(visual, InnerStates)
        self.states, self.positions, self.widths = states, positions, (dim,)
        heard, seen = (chosen(e.offers, [s], type(e).__name__)[0] for e, s in zip((audio, visual), states, strict=True))
        self.audio_map = nn.Conv1d(heard.channels, CHANNELS, 1)
        self.visual_map = nn.Conv1d(seen.channels, CHANNELS, 1)
        self.attention = ChannelAttention(attention)
        self.trunk = nn.Sequential(
            nn.Conv1d(2 * CHANNELS, width, 3, padding=1),
            nn.BatchNorm1d(width),
            nn.ReLU(),
            nn.Conv1d(width, width, 3, padding=1),
            nn.BatchNorm1d(width),
            nn.ReLU(),
        )
        self.output = nn.Linear(2 * width, dim)

    def maps(self, batch: SignalBatch) -> tuple[Tensor, Tensor]:
        """Return M_a and M_v, (B, 64, positions) each, zero where missing."""
        _, (heard,), frames = self.voices_with(batch, self.states[:1])
        _, (seen,) = self.looks_with(batch, self.states[1:])
        audio = positions_of(heard.float().transpose(1, 2), frames, self.positions)
        faces = (seen.float() * batch.face_mask[:, :, None, None, None]).sum(dim=1)
        faces = faces / batch.face_mask.sum(dim=1).clamp(min=1)[:, None, None, None]
        visual = F.adaptive_avg_pool1d(faces.flatten(2), self.positions)
        return (
            self.audio_map(audio) * batch.has_audio[:, None, None],
            self.visual_map(visual) * batch.has_visual[:, None, None],
        )

    def fuse(self, batch: SignalBatch) -> list[Tensor]:
        """Return the embedding."""
        audio, visual = self.maps(batch)
        alpha, beta = self.attention(audio, visual, batch.has_audio, batch.has_visual)
        x = self.trunk(torch.cat([alpha[:, :, None] * audio, beta[:, :, None] * visual], dim=1))
        spread = x.var(dim=2, unbiased=False).clamp(min=_MIN_VARIANCE).sqrt()
        return [self.output(torch.cat([x.mean(dim=2), spread], dim=1))]


def positions_of(values: Tensor, mask: Tensor, count: int) -> Tensor:
    """Average the frames (B, C, T) that ``mask`` (B, T) says exist, the first ones of a row, to (B, C, ``count``).

    Position k has the frames from k T / count to (k + 1) T / count, T being those of its row, and one at least; each
    frame that reaches over a border counts on either side by its share.
    """
    lengths = mask.sum(dim=1).clamp(min=1)
    # The integral of the frames, read at the borders: the same for a row alone and in a padded batch.
    summed = F.pad((values * mask[:, None]).cumsum(dim=2), (1, 0))
    borders = torch.arange(count + 1, device=values.device) * (lengths[:, None].to(values.dtype) / count)
    low = borders.floor().long().clamp(max=values.shape[2])
    high = (low + 1).clamp(max=values.shape[2])
    part = (borders - low).to(values.dtype)[:, None]
    at = [summed.gather(2, place[:, None].expand(-1, values.shape[1], -1)) for place in (low, high)]
    integral = at[0] + part * (at[1] - at[0])
    return integral.diff(dim=2) * (count / lengths.to(values.dtype))[:, None, None]
