"""The log-mel front end that AVCleanse trains with, in plain torch.

Pre-emphasis 0.97; power spectrum of 25 ms Hamming windows every 10 ms (n_fft 512, centred, reflected at the ends);
80 triangular filters on the HTK mel scale, 2595 log10(1 + f / 700), from 20 to 7600 Hz, not normalised; 1e-6 added
before the logarithm; the mean over the utterance subtracted. torchaudio is not used: it cannot be imported beside a
CPU build of torch.
"""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from avsieve.storage.wav import SAMPLE_RATE

N_FFT = 512
WINDOW = 400
HOP = 160
PRE_EMPHASIS = 0.97
FLOOR = 1e-6


def mel_filters(
    bands: int = 80, low_hz: float = 20.0, high_hz: float = 7600.0, n_fft: int = N_FFT, rate: int = SAMPLE_RATE
) -> np.ndarray:
    """Return triangular filters with peak 1 on the HTK mel scale: (n_fft // 2 + 1, bands) float32."""

    def mel(hz: float) -> float:
        return 2595.0 * float(np.log10(1.0 + hz / 700.0))

    corners = 700.0 * (10.0 ** (np.linspace(mel(low_hz), mel(high_hz), bands + 2) / 2595.0) - 1.0)
    bins = np.linspace(0, rate / 2, n_fft // 2 + 1)[:, None]
    rising = (bins - corners[:-2]) / np.diff(corners)[:-1]
    falling = (corners[2:] - bins) / np.diff(corners)[1:]
    return np.maximum(0.0, np.minimum(rising, falling)).astype(np.float32)


def frames_of(samples: Tensor) -> Tensor:
    """Return the number of frames of utterances of ``samples`` samples."""
    return torch.div(samples, HOP, rounding_mode="floor") + 1


def _reflect(waves: Tensor, lengths: Tensor, pad: int) -> Tensor:
    """Extend each row by its own reflection at 0 and at its length, (B, T) -> (B, T + 2 pad)."""
    index = torch.arange(-pad, waves.shape[1] + pad, device=waves.device).abs().expand(len(waves), -1)
    last = lengths[:, None] - 1
    index = torch.where(index > last, 2 * last - index, index).clamp(0, waves.shape[1] - 1)
    return waves.gather(1, index)


class LogMel(nn.Module):
    """(B, samples) float32 at 16 kHz -> (B, bands, frames) float32 log-mel energies with zero mean over time."""

    window: Tensor
    filters: Tensor

    def __init__(self, bands: int = 80) -> None:
        super().__init__()
        # Constants, so they are not stored with the weights.
        self.register_buffer("window", torch.hamming_window(WINDOW), persistent=False)
        self.register_buffer("filters", torch.from_numpy(mel_filters(bands)), persistent=False)

    def forward(self, waves: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Compute the features.

        Parameters
        ----------
        waves
            (B, samples) float32, at least 257 samples.
        lengths
            (B,) int64: valid samples of each row, the rest being padding that then has no influence; frames after an
            utterance's end are 0. None takes every row whole.
        """
        with torch.autocast(waves.device.type, enabled=False):
            waves = waves.float()
            # The sample before the first is taken to be the second one, as a reflection at the edge has it.
            before = torch.cat([waves[:, 1:2], waves[:, :-1]], dim=1)
            waves = waves - PRE_EMPHASIS * before
            pad = N_FFT // 2
            if lengths is None:
                waves = F.pad(waves[:, None], (pad, pad), mode="reflect")[:, 0]
            else:
                waves = _reflect(waves, lengths, pad)
            spectra = torch.stft(
                waves, N_FFT, HOP, WINDOW, self.window, center=False, return_complex=True, onesided=True
            )
            power = spectra.real.square() + spectra.imag.square()
            mels = torch.log(torch.einsum("bft,fm->bmt", power, self.filters) + FLOOR)
            if lengths is None:
                return mels - mels.mean(dim=2, keepdim=True)
            valid = frame_mask(lengths, mels.shape[2])
            mean = (mels * valid).sum(dim=2, keepdim=True) / valid.sum(dim=2, keepdim=True)
            return (mels - mean) * valid


def frame_mask(lengths: Tensor, frames: int) -> Tensor:
    """Return (B, 1, frames) float32: 1 up to the end of an utterance of ``lengths`` samples, 0 after it."""
    steps = torch.arange(frames, device=lengths.device)
    return (steps[None] < frames_of(lengths)[:, None]).float()[:, None]
