"""Source and filter: from control tracks to a waveform, in blocks of spectra instead of sample by sample.

Every glottal cycle contributes the impulse response of source and tract at its moment; the responses are computed
as spectra, a few hundred at once, and overlap-added. Noise is shaped frame by frame in the same way.

The glottal pulse is the derivative of the polynomial flow of Klatt and Klatt ("Analysis, synthesis, and perception of
voice quality variations", JASA 1990), by its closed-form Fourier transform, so that nothing aliases. The tract is a
cascade of resonances F_i^2 / (F_i^2 - f^2 + j f B_i) (Fant, "Acoustic Theory of Speech Production", 1960).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from avsieve.storage.wav import SAMPLE_RATE
from avsieve.synthetic.voices.phones import FRAME_S, Tracks

_N = 512
_HZ = np.fft.rfftfreq(_N, 1 / SAMPLE_RATE).astype(np.float32)


@dataclass(frozen=True)
class Tract:
    """What a vocal tract and larynx are like while one utterance is spoken."""

    f0_hz: float
    open_quotient: float  # share of the cycle in which the glottis is open
    tilt_db: float  # loss at 3 kHz from soft closing of the glottis
    breath: float  # noise at the glottis, relative to the voice
    jitter: float  # standard deviation of the period, relative
    shimmer: float  # standard deviation of the amplitude, relative
    creak: float  # alternation of cycles, relative
    scale: float  # formants relative to the reference tract of 17.5 cm
    low: tuple[float, float, float]  # factors on F1 to F3
    spread: tuple[float, float]  # factors on how far F1 and F2 move from neutral
    high_hz: tuple[float, ...]  # F4 and up, before scaling
    bandwidths: tuple[float, ...]  # factors on the bandwidths of all formants
    notch_hz: float  # zero of the piriform fossa, before scaling
    notch_depth: float  # 0..1
    nasal_hz: float  # pole of the nose
    nasality: float  # coupling of the nose in vowels
    sibilant_hz: float
    sibilant_level: float


def _resonance(f: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return resonances at ``f`` (n, 1) Hz of width ``b`` (n, 1) Hz on the bins: (n, bins) complex64, 1 at 0 Hz."""
    f = f.astype(np.float32)
    return f**2 / (f**2 - _HZ**2 + 1j * (_HZ * b.astype(np.float32)))


def _transfer(tract: Tract, tracks: Tracks) -> np.ndarray:
    """Return the tract's transfer function per frame, (n, bins) complex64."""
    neutral = np.array([500.0, 1450.0, 2450.0])
    moved = tracks.formants / neutral
    moved[:, :2] **= np.array(tract.spread)
    formants = neutral * moved * tract.scale * np.array(tract.low)
    widths = np.array([60.0, 85.0, 130.0]) * np.array(tract.bandwidths[:3])
    widths[0] *= 1 + 1.5 * tract.breath
    high = np.array(tract.high_hz)[:, None] * tract.scale
    wide = high * 0.055 * np.array(tract.bandwidths[3 : 3 + len(high)])[:, None]
    fixed = _resonance(high, wide).prod(axis=0)
    notch = np.float32(tract.notch_hz * tract.scale)
    zero = notch**2 - _HZ**2 + 1j * _HZ * np.float32(180 + 1500 * (1 - tract.notch_depth))
    fixed = fixed * zero / (notch**2 - _HZ**2 + 1j * _HZ * np.float32(1700))
    out = np.repeat(fixed[None].astype(np.complex64), len(formants), axis=0)
    for i in range(3):
        out *= _resonance(formants[:, i : i + 1], np.full((len(formants), 1), widths[i]))
    coupling = np.clip(np.maximum(tracks.nasal, tract.nasality), 0, 1)[:, None].astype(np.float32)
    pole = np.full_like(coupling, tract.nasal_hz)
    # Without coupling the zero lies on the pole and both vanish; with it the zero moves up.
    return (
        out * _resonance(pole, np.full_like(pole, 90)) / _resonance(pole * (1 + 0.9 * coupling), np.full_like(pole, 90))
    )


def _glottal(tract: Tract, open_s: np.ndarray) -> np.ndarray:
    """Return the spectrum of the flow derivative 2 t - 3 t^2, 0 <= t <= 1, stretched to ``open_s`` (n, 1) seconds."""
    x = (2 * np.pi * open_s * np.maximum(_HZ, 1.0)).astype(np.float64)
    ramp = np.exp(-1j * x)
    first = (ramp * (1 + 1j * x) - 1) / x**2
    second = 1j * (ramp * (x**2 - 2j * x - 2) + 2) / x**3
    spectrum = 2 * first - 3 * second
    # One real pole that loses ``tilt_db`` at 3 kHz.
    corner = 3000 / np.sqrt(max(10 ** (tract.tilt_db / 10) - 1, 1e-3))
    return (spectrum * (_HZ > 0) / (1 + 1j * _HZ / corner)).astype(np.complex64)


def _overlap_add(blocks: np.ndarray, starts: np.ndarray, n: int) -> np.ndarray:
    where = starts[:, None] + np.arange(blocks.shape[1])
    return np.bincount(where.ravel(), blocks.ravel(), minlength=n + blocks.shape[1])[:n]


def _pulses(tract: Tract, tracks: Tracks, transfer: np.ndarray, n: int, rng: np.random.Generator) -> np.ndarray:
    frames = len(tracks.voice)
    f0 = tract.f0_hz * 2 ** (tracks.f0 / 12)
    phase = np.concatenate([[0.0], np.cumsum(f0 * FRAME_S)])
    grid = np.arange(frames + 1) * FRAME_S
    count = int(phase[-1])
    alternate = tract.creak * (-1.0) ** np.arange(count)
    ticks = np.arange(count) + 0.5 * alternate + rng.normal(0, tract.jitter, count)
    times = np.clip(np.interp(ticks, phase, grid), 0, None)
    frame = np.minimum((times / FRAME_S).astype(int), frames - 1)
    loud = tracks.voice[frame] * (1 + rng.normal(0, tract.shimmer, count)) * (1 + alternate)
    keep = (loud > 1e-3) & (times * SAMPLE_RATE < n - 1)
    times, frame, loud = times[keep], frame[keep], loud[keep]
    if not len(times):
        return np.zeros(n)
    samples = times * SAMPLE_RATE
    starts = samples.astype(int)
    delay = (samples - starts)[:, None] / SAMPLE_RATE
    spectra = _glottal(tract, (tract.open_quotient / f0[frame])[:, None]) * transfer[frame]
    # Fewer cycles a second for a low voice, so each is given the power that makes the loudness equal.
    gain = (loud / np.sqrt(f0[frame] / 120))[:, None]
    spectra *= (gain * np.exp(-2j * np.pi * _HZ * delay)).astype(np.complex64)
    return _overlap_add(np.fft.irfft(spectra, _N, axis=1), starts, n)


def _noise(tract: Tract, tracks: Tracks, transfer: np.ndarray, n: int, rng: np.random.Generator) -> np.ndarray:
    frames, hop = len(tracks.voice), round(FRAME_S * SAMPLE_RATE)
    window = np.hanning(2 * hop + 1)[:-1]
    white = rng.standard_normal((frames + 1) * hop).astype(np.float32)
    blocks = np.lib.stride_tricks.sliding_window_view(white, 2 * hop)[::hop] * window
    spectra = np.fft.rfft(blocks, _N, axis=1).astype(np.complex64)
    centre = np.log2(tracks.hiss_hz * tract.sibilant_hz)[:, None].astype(np.float32)
    width = tracks.hiss_octaves[:, None].astype(np.float32)
    octaves = (np.log2(np.maximum(_HZ, 20)) - centre) / width
    hiss = np.exp(-0.5 * octaves**2) * (tracks.hiss * tract.sibilant_level)[:, None]
    breath = (tracks.breath + tract.breath * tracks.voice)[:, None]
    # Turbulence at the glottis is weak in the lows and passes the tract; radiation lifts the highs.
    shaped = 0.05 * breath * transfer * (_HZ / (_HZ + 1500)) + 0.05 * hiss
    return _overlap_add(np.fft.irfft(spectra * shaped, _N, axis=1), np.arange(frames) * hop, n)


def speak(tract: Tract, tracks: Tracks, n: int, rng: np.random.Generator) -> np.ndarray:
    """Return ``n`` samples at 16 kHz of ``tracks`` spoken by ``tract``: clean, at the lips, not scaled."""
    transfer = _transfer(tract, tracks)
    return _pulses(tract, tracks, transfer, n, rng) + _noise(tract, tracks, transfer, n, rng)
