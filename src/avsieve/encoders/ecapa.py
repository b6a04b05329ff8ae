"""ECAPA-TDNN (Desplanques, Thienpondt and Demuynck, Interspeech 2020) as AVCleanse trains it.

Differences from the paper, all of that lineage: the rectifier comes before batch normalisation, a tanh after the
batch normalisation inside the attention, no batch normalisation in the squeeze and excitation, blocks fed with sums
of the outputs before them, the aggregation fixed to 1536 channels. Names of the parameters are those of the published
checkpoints. Every layer takes a mask, so that padding has no influence on an embedding.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from avsieve.encoders.fbank import LogMel, frame_mask
from avsieve.encoders.layers import ecapa_layers
from avsieve.encoders.states import InnerStates, Keep, Kept, State, pass_on

_MIN_VARIANCE = 1e-4


def _mean(x: Tensor, mask: Tensor | None) -> Tensor:
    """Return the mean over time of ``x`` (B, C, T), the valid frames only: (B, C, 1)."""
    if mask is None:
        return x.mean(dim=2, keepdim=True)
    return (x * mask).sum(dim=2, keepdim=True) / mask.sum(dim=2, keepdim=True)


class SqueezeExcitation(nn.Module):
    """Scale each channel by a gate computed from the means of all channels (paper, section 3.2)."""

    def __init__(self, channels: int, bottleneck: int) -> None:
        super().__init__()
        # Places 0 and 4 have no weights; they keep the numbers in the names of the others.
        self.se = nn.Sequential(
            nn.Identity(),
            nn.Conv1d(channels, bottleneck, 1),
            nn.ReLU(),
            nn.Conv1d(bottleneck, channels, 1),
            nn.Sigmoid(),
        )

    def forward(self, x: Tensor, mask: Tensor | None) -> Tensor:
        """Return ``x`` (B, C, T), each channel scaled."""
        gate: Tensor = self.se(_mean(x, mask))
        return x * gate


class Res2Block(nn.Module):
    """1 x 1 convolution, ``scale - 1`` dilated convolutions in a chain, 1 x 1 convolution, gate, and a bypass."""

    def __init__(self, channels: int, *, kernel: int, dilation: int, scale: int, bottleneck: int) -> None:
        super().__init__()
        self.width = channels // scale
        self.conv1 = nn.Conv1d(channels, self.width * scale, 1)
        self.bn1 = nn.BatchNorm1d(self.width * scale)
        padding = kernel // 2 * dilation
        self.convs = nn.ModuleList(
            nn.Conv1d(self.width, self.width, kernel, dilation=dilation, padding=padding) for _ in range(scale - 1)
        )
        self.bns = nn.ModuleList(nn.BatchNorm1d(self.width) for _ in range(scale - 1))
        self.conv3 = nn.Conv1d(self.width * scale, channels, 1)
        self.bn3 = nn.BatchNorm1d(channels)
        self.se = SqueezeExcitation(channels, bottleneck)

    def forward(self, x: Tensor, mask: Tensor | None) -> Tensor:
        """Map (B, C, T) to the same shape; ``mask`` (B, 1, T) is 0 on padding."""
        hidden = self.bn1(torch.relu(self.conv1(x)))
        if mask is not None:
            hidden = hidden * mask
        *parts, last = hidden.split(self.width, dim=1)
        done: list[Tensor] = []
        for part, conv, norm in zip(parts, self.convs, self.bns, strict=True):
            chained = norm(torch.relu(conv(part + done[-1] if done else part)))
            done.append(chained if mask is None else chained * mask)
        hidden = self.bn3(torch.relu(self.conv3(torch.cat([*done, last], dim=1))))
        gated: Tensor = self.se(hidden, mask)
        return gated + x


class ECAPA(InnerStates, nn.Module):
    """Map (B, samples) float32 at 16 kHz to (B, dim) float32 embeddings, not normalised.

    Parameters
    ----------
    channels
        Width C of the convolutions.
    dim
        Length of the embedding.
    aggregate
        Channels after the three blocks are joined.
    attention
        Width of the attention's hidden layer.
    bottleneck
        Width of the squeeze and excitation.
    scale
        Parts of a Res2 block.

    Attributes
    ----------
    dim
        Length of the embedding.
    min_samples
        Shortest input, in samples.
    """

    min_samples = 400
    takes_lengths = True

    def __init__(
        self,
        channels: int,
        *,
        dim: int = 192,
        aggregate: int = 1536,
        attention: int = 256,
        bottleneck: int = 128,
        scale: int = 8,
        bands: int = 80,
    ) -> None:
        super().__init__()
        self.dim = dim
        self.offers = ecapa_layers(channels, aggregate)
        self.fbank = LogMel(bands)
        self.conv1 = nn.Conv1d(bands, channels, 5, padding=2)
        self.bn1 = nn.BatchNorm1d(channels)
        blocks = [Res2Block(channels, kernel=3, dilation=d, scale=scale, bottleneck=bottleneck) for d in (2, 3, 4)]
        self.layer1, self.layer2, self.layer3 = blocks
        self.layer4 = nn.Conv1d(3 * channels, aggregate, 1)
        self.attention = nn.Sequential(
            nn.Conv1d(3 * aggregate, attention, 1),
            nn.ReLU(),
            nn.BatchNorm1d(attention),
            nn.Tanh(),
            nn.Conv1d(attention, aggregate, 1),
        )
        self.bn5 = nn.BatchNorm1d(2 * aggregate)
        self.fc6 = nn.Linear(2 * aggregate, dim)
        self.bn6 = nn.BatchNorm1d(dim)

    def forward(self, waves: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Embed whole utterances.

        Parameters
        ----------
        waves
            (B, samples) float32 at 16 kHz, at least `min_samples`.
        lengths
            (B,) int64 valid samples per row where utterances of different lengths are padded into one batch; an
            embedding is the same as without the padding. None takes every row whole.
        """
        features = self.fbank(waves, lengths)
        return self.embed(features, None if lengths is None else frame_mask(lengths, features.shape[2]))

    def forward_states(
        self, inputs: Tensor, lengths: Tensor | None = None, *, only: Sequence[str] | None = None
    ) -> tuple[Tensor, list[State]]:
        """Return embeddings and inner states of waveforms; see `InnerStates.forward_states`."""
        kept = Kept(self, only)
        features = self.fbank(inputs, lengths)
        mask = None if lengths is None else frame_mask(lengths, features.shape[2])
        exist = torch.ones_like(features[:, 0], dtype=torch.bool) if mask is None else mask[:, 0] > 0
        embedding = self.embed(features, mask, kept)
        return embedding, kept.frames(lambda *_: exist, time=2, padded=mask is not None)

    def embed(self, features: Tensor, mask: Tensor | None = None, keep: Keep = pass_on) -> Tensor:
        """Return embeddings (B, dim) of log-mel features (B, bands, frames), ``mask`` (B, 1, frames) being 1 or 0."""
        x = keep("stem", self.bn1(torch.relu(self.conv1(features))))
        x1 = keep("layer1", self.layer1(x, mask))
        x2 = keep("layer2", self.layer2(x + x1, mask))
        x3 = keep("layer3", self.layer3(x + x1 + x2, mask))
        x = keep("layer4", torch.relu(self.layer4(torch.cat([x1, x2, x3], dim=1))))
        pooled = self._pool(x, mask)
        embedding: Tensor = self.bn6(self.fc6(self.bn5(pooled)))
        return embedding

    def _pool(self, x: Tensor, mask: Tensor | None) -> Tensor:
        """Return attentive mean and standard deviation, (B, C, T) -> (B, 2 C) (paper, section 3.1)."""
        mean = _mean(x, mask)
        count = x.shape[2] if mask is None else mask.sum(dim=2, keepdim=True)
        spread = _mean((x - mean).square(), mask) * (count / (count - 1))
        context = torch.cat([mean, spread.clamp_min(_MIN_VARIANCE).sqrt()], dim=1)
        # The first layer is linear: its part for the context is the same in every frame and is computed once.
        first = self.attention[0]
        assert isinstance(first, nn.Conv1d)
        own, shared = first.weight.split([x.shape[1], context.shape[1]], dim=1)
        hidden = nn.functional.conv1d(x, own, first.bias) + nn.functional.conv1d(context, shared)
        scores = self.attention[1:](hidden)
        if mask is not None:
            scores = scores.masked_fill(mask == 0, float("-inf"))
        weights = scores.softmax(dim=2)
        mu = (x * weights).sum(dim=2)
        variance = (x.square() * weights).sum(dim=2) - mu.square()
        return torch.cat([mu, variance.clamp_min(_MIN_VARIANCE).sqrt()], dim=1)


def ecapa512() -> ECAPA:
    """Return ECAPA-TDNN with C = 512: 6.98 M parameters, 192-d."""
    return ECAPA(512)


def ecapa1024() -> ECAPA:
    """Return ECAPA-TDNN with C = 1024, AVCleanse's speaker model: 15.44 M parameters, 192-d."""
    return ECAPA(1024)


def ecapa_small() -> ECAPA:
    """Return an ECAPA small enough to train on one CPU core within minutes: 0.38 M parameters, 128-d."""
    return ECAPA(128, dim=128, aggregate=192, attention=64, bottleneck=32, scale=4)
