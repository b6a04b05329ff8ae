"""RawNet2 (Jung et al., "Improved RawNet with Feature Map Scaling", Interspeech 2020), BAFFN's speaker network.

Raw waveforms go through band-pass filters whose two edges are learnt (SincNet: Ravanelli and Bengio, SLT 2018, eq. 4),
six residual blocks each followed by feature map scaling (section 3: a gate a, computed from the means over time, gives
``x a + a``), a recurrent layer, and a linear layer to 1024. Names and shapes of the parameters are those of the
authors' repository (Jungjee/RawNet, `python/RawNet2`). Two layouts of it load: that of its training code, and that of
the weights released with the paper, which keep the gates beside the blocks (`fc_attention0.0.weight`) and whose blocks
leave out the batch normalisation before their first convolution, though they store it.

The network knows windows of 59,049 samples only: the normalisation at its entrance has a weight for every sample. As in
the authors' evaluation, and in the embeddings that BAFFN builds on, an utterance is cut into such windows, each
overlapping the one before by 11,810 samples and the last ending with the utterance; the mean of their embeddings is
taken. A shorter utterance is repeated. So an embedding does not depend on its batch, and lengths need no mask. Since
windows overlap, and each is normalised by itself, inner states are to be had of one window alone.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from avsieve.encoders.layers import Layer, rawnet2_layers
from avsieve.encoders.states import InnerStates, Keep, Kept, State, pass_on
from avsieve.errors import ModelError
from avsieve.storage.wav import SAMPLE_RATE

WINDOW = 59_049
OVERLAP = 11_810
_SLOPE = 0.3
# Windows at a time when embedding: the first layer's output takes 30 MB a window.
_CHUNK = 8


def window_starts(samples: int, window: int = WINDOW, overlap: int = OVERLAP) -> list[int]:
    """Return where the windows of an utterance of ``samples`` samples begin, as the authors' evaluation cuts it.

    >>> window_starts(100_000)
    [0, 40951]
    """
    if samples <= window:
        return [0]
    step = window - overlap
    count = (samples - overlap) // step + 1
    return [*(i * step for i in range(count - 1)), samples - window]


class WindowNorm(nn.Module):
    """Normalise each window to mean 0 and deviation 1, then scale and shift every one of its samples."""

    def __init__(self, samples: int) -> None:
        super().__init__()
        self.gamma = nn.Parameter(torch.ones(samples))
        self.beta = nn.Parameter(torch.zeros(samples))

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, samples) to the same shape."""
        return self.gamma * (x - x.mean(1, keepdim=True)) / (x.std(1, keepdim=True) + 1e-6) + self.beta


class SincFilters(nn.Module):
    """Band-pass filters between learnt edges, under a Hamming window, gain 1 at their centre tap."""

    def __init__(self, filters: int = 128, length: int = 251, rate: int = SAMPLE_RATE, least_hz: float = 50.0) -> None:
        super().__init__()
        self.length, self.rate, self.least_hz = length, rate, least_hz
        lowest, highest = (2595 * math.log10(1 + hz / 700) for hz in (30.0, rate / 2 - 2 * least_hz))
        mel = torch.linspace(lowest, highest, filters + 1)
        hz = 700 * (10 ** (mel / 2595) - 1)
        # Beyond the least edge and the least width that every filter has.
        self.low_hz_ = nn.Parameter(hz[:-1, None].clone())
        self.band_hz_ = nn.Parameter(hz.diff()[:, None].clone())

    def taps(self) -> Tensor:
        """Return the filters (filters, 1, length)."""
        low = self.least_hz + self.low_hz_.abs()
        high = (low + self.least_hz + self.band_hz_.abs()).clamp(self.least_hz, self.rate / 2)
        half = self.length // 2
        t = 2 * math.pi * torch.arange(-half, 0, device=low.device) / self.rate
        # The published window runs over half the length in one step too few.
        n = torch.linspace(0, self.length / 2 - 1, half, device=low.device)
        hamming = 0.54 - 0.46 * torch.cos(2 * math.pi * n / self.length)
        # Half of the difference of two sinc functions; its limit in the middle is twice the width, which divides all.
        side = ((high * t).sin() - (low * t).sin()) / (t / 2) * hamming / (2 * (high - low))
        return torch.cat([side, torch.ones_like(low), side.flip(1)], dim=1)[:, None]

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, 1, samples) to (B, filters, samples - length + 1)."""
        return F.conv1d(x, self.taps().to(x.dtype))


class MapScaling(nn.Module):
    """Feature map scaling: ``x a + a`` with a gate a in (0, 1) for each channel."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.fc = nn.Linear(channels, channels)

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, C, T) to the same shape."""
        gate = torch.sigmoid(self.fc(x.mean(dim=2)))[:, :, None]
        return x * gate + gate


class Block(nn.Module):
    """Two convolutions with a bypass, the maximum of three frames, feature map scaling."""

    def __init__(self, inputs: int, outputs: int, *, first: bool = False) -> None:
        super().__init__()
        self.bn1 = None if first else nn.BatchNorm1d(inputs)
        self.conv1 = nn.Conv1d(inputs, outputs, 3, padding=1)
        self.bn2 = nn.BatchNorm1d(outputs)
        self.conv2 = nn.Conv1d(outputs, outputs, 3, padding=1)
        self.conv_downsample = None if inputs == outputs else nn.Conv1d(inputs, outputs, 1)
        self.frm = MapScaling(outputs)
        self.normalise_first = not first

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, inputs, T) to (B, outputs, T // 3)."""
        y = F.leaky_relu(self.bn1(x), _SLOPE) if self.bn1 is not None and self.normalise_first else x
        y = self.conv2(F.leaky_relu(self.bn2(self.conv1(y)), _SLOPE))
        y = y + (x if self.conv_downsample is None else self.conv_downsample(x))
        scaled: Tensor = self.frm(F.max_pool1d(y, 3))
        return scaled


class RawNet2(InnerStates, nn.Module):
    """Map (B, samples) float32 at 16 kHz to (B, 1024) float32 embeddings, not normalised.

    Attributes
    ----------
    dim
        Length of the embedding.
    min_samples
        Shortest input, in samples.
    """

    dim = 1024
    min_samples = 400
    takes_lengths = True
    beside = ("fc2_gru.",)

    def __init__(self) -> None:
        super().__init__()
        self.offers = rawnet2_layers()
        self.ln = WindowNorm(WINDOW)
        self.first_conv = SincFilters()
        self.first_bn = nn.BatchNorm1d(128)
        for number, (inputs, outputs) in enumerate([(128, 128), (128, 128), (128, 256), *[(256, 256)] * 3]):
            self.add_module(f"block{number}", nn.Sequential(Block(inputs, outputs, first=number == 0)))
        self.bn_before_gru = nn.BatchNorm1d(256)
        self.gru = nn.GRU(256, 1024, batch_first=True)
        self.fc1_gru = nn.Linear(1024, self.dim)

    def forward(self, waves: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Embed whole utterances: the mean of the embeddings of their windows.

        Parameters
        ----------
        waves
            (B, samples) float32 at 16 kHz.
        lengths
            (B,) int64 valid samples per row; None takes every row whole.
        """
        return self._embed_windows(waves, lengths, pass_on)

    def forward_states(
        self, inputs: Tensor, lengths: Tensor | None = None, *, only: Sequence[str] | None = None
    ) -> tuple[Tensor, list[State]]:
        """Return embeddings and inner states of utterances of at most one window; see `InnerStates.forward_states`.

        The frames of an utterance's repetition do not count as existing.

        Raises
        ------
        ModelError
            If an utterance is longer than a window.
        """
        kept = Kept(self, only)
        ends = torch.full((len(inputs),), inputs.shape[1], device=inputs.device) if lengths is None else lengths
        if int(ends.max()) > WINDOW:
            raise ModelError(
                f"RawNet2 has inner states of one window of {WINDOW} samples, given an utterance of {int(ends.max())}; "
                f"give it crops of at most {WINDOW / SAMPLE_RATE:.2f} s"
            )

        def exists(layer: Layer, values: Tensor) -> Tensor:
            return torch.arange(values.shape[1], device=values.device)[None] * layer.step < ends[:, None]

        embedding = self._embed_windows(inputs, lengths, kept)
        return embedding, kept.frames(exists, time=2, padded=True)

    def _embed_windows(self, waves: Tensor, lengths: Tensor | None, keep: Keep) -> Tensor:
        known = [waves.shape[1]] * len(waves) if lengths is None else lengths.tolist()
        starts = [window_starts(n) for n in known]
        rows = torch.tensor([row for row, own in enumerate(starts) for _ in own], device=waves.device)
        begins = torch.tensor([s for own in starts for s in own], device=waves.device)
        ends = torch.tensor(known, device=waves.device)[rows]
        # An utterance shorter than a window begins anew where it ends.
        places = (begins[:, None] + torch.arange(WINDOW, device=waves.device)) % ends[:, None]
        louder = waves.abs().amax(dim=1, keepdim=True).clamp_min(1e-8)
        windows = (waves / louder)[rows[:, None], places]
        step = len(windows) if self.training else _CHUNK
        codes = torch.cat([self.embed(part, keep) for part in windows.split(step)])
        total = torch.zeros(len(waves), self.dim, device=waves.device).index_add(0, rows, codes.float())
        return total / torch.tensor([len(own) for own in starts], device=waves.device)[:, None]

    def embed(self, windows: Tensor, keep: Keep = pass_on) -> Tensor:
        """Return embeddings (B, 1024) of windows (B, 59049)."""
        with torch.autocast(windows.device.type, enabled=False):
            windows = self.ln(windows.float())
        x = F.max_pool1d(self.first_conv(windows[:, None]).abs(), 3)
        x = keep("stem", F.leaky_relu(self.first_bn(x), _SLOPE))
        for number in range(6):
            x = keep(f"block{number}", self.get_submodule(f"block{number}")(x))
        x = F.leaky_relu(self.bn_before_gru(x), _SLOPE).transpose(1, 2)
        frames, _ = self.gru(x)
        keep("gru", frames.transpose(1, 2))
        return self.fc1_gru(frames[:, -1])

    def adapt_state(self, state: dict[str, Tensor]) -> dict[str, Tensor]:
        """Return a checkpoint under the names of this class, and take the blocks' form from its layout.

        Parameters
        ----------
        state
            Name -> tensor, in either layout of the authors' repository, with or without prefixes.
        """
        gates = re.compile(r"(^|\.)fc_attention(\d)\.0\.")
        released = any(gates.search(name) for name in state)
        for module in self.modules():
            if isinstance(module, Block):
                module.normalise_first = module.bn1 is not None and not released
        return {gates.sub(r"\1block\2.0.frm.fc.", name): tensor for name, tensor in state.items()}


def rawnet2() -> RawNet2:
    """Return RawNet2 with untrained weights."""
    return RawNet2()
