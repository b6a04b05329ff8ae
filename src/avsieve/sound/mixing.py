"""Mix sound at a ratio, and hear it through a room."""

from __future__ import annotations

import numpy as np
from scipy.fft import irfft, next_fast_len, rfft

FLOOR = 1e-4
"""Power below which `at_ratio` measures no level: -40 dB of full scale."""


def rms(wave: np.ndarray) -> float:
    """Return the root mean square of ``wave``."""
    return float(np.sqrt(np.mean(np.square(wave, dtype=np.float64))))


def convolved(wave: np.ndarray, response: np.ndarray) -> np.ndarray:
    """Return the first samples of ``wave`` convolved with ``response``, as many as before, in the type of ``wave``."""
    n = len(wave)
    size = next_fast_len(n + len(response), real=True)
    return irfft(rfft(wave, size) * rfft(response.astype(np.float32), size), size)[:n]


def convolve(wave: np.ndarray, response: np.ndarray) -> np.ndarray:
    """Return ``wave`` in a room, as long as before and as loud."""
    heard = convolved(wave, response)
    return (heard * (rms(wave) / max(rms(heard), 1e-9))).astype(np.float32)


def in_room(wave: np.ndarray, response: np.ndarray) -> np.ndarray:
    """Return the first samples of ``wave`` convolved with the whole of ``response`` at energy 1, as many as before."""
    unit = response / np.sqrt(np.square(response, dtype=np.float64).sum())
    return convolved(wave, unit).astype(np.float32)


def from_direct_sound(response: np.ndarray) -> np.ndarray:
    """Return an impulse response from its direct sound on, which is its largest sample."""
    return response[int(np.abs(response).argmax()) :]


def mix(wave: np.ndarray, noise: np.ndarray, snr_db: float) -> np.ndarray:
    """Return ``wave`` with ``noise`` at a ratio of ``snr_db``, by their energy over the whole length."""
    gain = rms(wave) / max(rms(noise), 1e-9) * 10 ** (-snr_db / 20)
    return (wave + gain * noise).astype(np.float32)


def at_ratio(wave: np.ndarray, noise: np.ndarray, snr_db: float) -> np.ndarray:
    """Return ``noise`` as loud as a ratio of ``snr_db`` wants it, levels being measured above `FLOOR`."""
    speech, other = (float(np.mean(np.square(x, dtype=np.float64))) + FLOOR for x in (wave, noise))
    return (noise * np.sqrt(speech / other * 10 ** (-snr_db / 10))).astype(np.float32)
