"""Kaldi's log mel filter banks in plain torch: what most published ONNX speaker encoders are fed with.

As Kaldi computes them (`feat/feature-window.cc`, `feat/mel-computations.cc`; the defaults of `compute-fbank-feats` at
16 kHz): frames of 25 ms every 10 ms that lie wholly within the sound; in each frame the mean is subtracted, then
0.97 of the sample before (of itself for the first), then the window is applied; power spectrum of 512 points; filters
triangular on the mel scale 1127 ln(1 + f / 700) from 20 Hz to 8 kHz; natural logarithm of at least the smallest step of
float32 above 1. No dither. Projects differ in window, in the scale of the samples and in the normalisation over time.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from avsieve.storage.wav import SAMPLE_RATE

WINDOW = 400
HOP = 160
N_FFT = 512
PRE_EMPHASIS = 0.97
FLOOR = 1.1920928955078125e-07


@dataclass(frozen=True)
class FbankRecipe:
    """What a project feeds its networks with.

    Attributes
    ----------
    window
        ``hamming``, or ``povey``: Kaldi's default, a Hann window to the power of 0.85.
    scale
        Factor on samples of [-1, 1): 32768 for those who keep the scale of 16-bit files.
    subtract_mean
        Whether the mean over the utterance is subtracted from every band.
    """

    window: str = "hamming"
    scale: float = 32768.0
    subtract_mean: bool = True


RECIPES = {
    "wespeaker": FbankRecipe(),
    "3dspeaker": FbankRecipe(window="povey", scale=1.0),
}


def frames_of(samples: int) -> int:
    """Return the number of whole frames in ``samples`` samples."""
    return max(0, 1 + (samples - WINDOW) // HOP)


def used_samples(samples: int) -> int:
    """Return how many of ``samples`` samples lie in a frame; the rest at the end has no influence."""
    count = frames_of(samples)
    return (count - 1) * HOP + WINDOW if count else 0


def window_of(kind: str) -> Tensor:
    """Return a window (400,) float32, symmetric."""
    phase = 2 * math.pi * torch.arange(WINDOW, dtype=torch.float64) / (WINDOW - 1)
    if kind == "hamming":
        return (0.54 - 0.46 * torch.cos(phase)).float()
    assert kind == "povey", kind
    return (0.5 - 0.5 * torch.cos(phase)).pow(0.85).float()


def kaldi_filters(bands: int = 80, low_hz: float = 20.0, high_hz: float = 8000.0) -> Tensor:
    """Return triangular filters of peak 1 on Kaldi's mel scale: (257, bands) float32; the last bin counts nowhere."""

    def mel(hz: Tensor) -> Tensor:
        return 1127.0 * torch.log(1.0 + hz / 700.0)

    edges = mel(torch.tensor([low_hz, high_hz], dtype=torch.float64))
    corners = torch.linspace(float(edges[0]), float(edges[1]), bands + 2, dtype=torch.float64)
    bins = mel(torch.arange(N_FFT // 2 + 1, dtype=torch.float64) * SAMPLE_RATE / N_FFT)[:, None]
    rising = (bins - corners[:-2]) / corners.diff()[:-1]
    falling = (corners[2:] - bins) / corners.diff()[1:]
    filters = torch.minimum(rising, falling).clamp_min(0)
    filters[-1] = 0
    return filters.float()


class KaldiFbank(nn.Module):
    """(B, samples) float32 in [-1, 1) at 16 kHz -> (B, frames, bands) float32."""

    window: Tensor
    filters: Tensor

    def __init__(self, recipe: FbankRecipe, bands: int = 80) -> None:
        super().__init__()
        self.recipe = recipe
        self.register_buffer("window", window_of(recipe.window), persistent=False)
        self.register_buffer("filters", kaldi_filters(bands), persistent=False)

    def forward(self, waves: Tensor) -> Tensor:
        """Compute the features of rows of equal length, at least 400 samples."""
        with torch.autocast(waves.device.type, enabled=False):
            frames = (waves.float() * self.recipe.scale).unfold(1, WINDOW, HOP)
            frames = frames - frames.mean(dim=2, keepdim=True)
            before = torch.cat([frames[..., :1], frames[..., :-1]], dim=2)
            spectra = torch.fft.rfft((frames - PRE_EMPHASIS * before) * self.window, N_FFT)
            power = spectra.real.square() + spectra.imag.square()
            bands = (power @ self.filters).clamp_min(FLOOR).log()
            return bands - bands.mean(dim=1, keepdim=True) if self.recipe.subtract_mean else bands
