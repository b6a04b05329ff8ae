"""Everything between a speaker and the file: speaking style of the day, room, microphone, noise, level."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from avsieve.storage.wav import SAMPLE_RATE
from avsieve.synthetic.voices.rooms import room_response

NOISES = ("white", "pink", "traffic", "babble", "hum")


@dataclass(frozen=True)
class Channel:
    """The recording conditions of one video: all its utterances share them."""

    seed: int  # of the room's reflections
    t60_s: float
    direct_db: float
    bumps_db: tuple[float, ...]  # the microphone's response over octaves, from 62 Hz
    low_cut_hz: float
    high_cut_hz: float
    noise: str  # one of NOISES
    snr_db: float
    level_db: float  # root mean square of the file, relative to full scale
    pitch: float  # how the person speaks in this video: semitones,
    effort: float  # vocal effort, -1 soft to 1 loud,
    rate: float  # and speed relative to the usual


def sample_channel(rng: np.random.Generator) -> Channel:
    """Draw the conditions of one video."""
    far = rng.random() < 0.3
    return Channel(
        seed=int(rng.integers(2**31)),
        t60_s=float(rng.uniform(0.15, 0.6)),
        direct_db=float(rng.uniform(1, 8) if far else rng.uniform(8, 22)),
        bumps_db=tuple(float(x) for x in rng.normal(0, 2.5, 8)),
        low_cut_hz=float(rng.uniform(40, 180)),
        high_cut_hz=float(rng.uniform(4500, 6500) if rng.random() < 0.15 else rng.uniform(6500, 8000)),
        noise=NOISES[int(rng.integers(len(NOISES)))],
        snr_db=float(np.clip(rng.normal(22, 6), 8, 40)),
        level_db=float(rng.uniform(-30, -18)),
        pitch=float(rng.normal(0, 1.0)),
        effort=float(np.clip(rng.normal(0, 0.4), -1, 1)),
        rate=float(np.exp(rng.normal(0, 0.08))),
    )


def coloured_noise(kind: str, n: int, rng: np.random.Generator) -> np.ndarray:
    """Return ``n`` samples of noise of a kind of `NOISES`, with unit power, (n,) float64."""
    spectrum = np.fft.rfft(rng.standard_normal(n))
    hz = np.maximum(np.fft.rfftfreq(n, 1 / SAMPLE_RATE), 20.0)
    slope = {"white": 0.0, "pink": -0.5, "traffic": -1.0, "babble": -0.6, "hum": -0.5}[kind]
    shape = hz**slope
    if kind == "babble":
        shape = shape * (hz > 150) / (1 + (hz / 1200) ** 2)
    wave = np.fft.irfft(spectrum * shape, n)
    if kind == "babble":  # several people at once rise and fall with the syllables
        steps = np.abs(rng.standard_normal((3, max(4, n // 2000)))).sum(axis=0)
        wave *= np.interp(np.arange(n), np.linspace(0, n, len(steps)), steps)
    if kind == "hum":
        mains = rng.choice([50.0, 60.0])
        t = np.arange(n) / SAMPLE_RATE
        hum = sum(np.sin(2 * np.pi * mains * k * t + rng.uniform(0, 6.28)) / k for k in range(1, 6))
        wave = wave / wave.std() + 1.2 * np.asarray(hum)
    return wave / max(float(np.sqrt(np.mean(wave**2))), 1e-12)


def record(speech: np.ndarray, channel: Channel, rng: np.random.Generator) -> np.ndarray:
    """Return ``speech`` as recorded in a file: float32, within [-1, 1], of the same length.

    Parameters
    ----------
    speech
        Clean samples at 16 kHz; silence gives noise alone.
    channel
        The conditions.
    rng
        Draws the noise, which differs from utterance to utterance.
    """
    n = len(speech)
    response = room_response(np.random.default_rng(channel.seed), t60_s=channel.t60_s, direct_db=channel.direct_db)
    size = 1 << int(np.ceil(np.log2(n + len(response))))
    hz = np.fft.rfftfreq(size, 1 / SAMPLE_RATE)
    octaves = np.log2(np.maximum(hz, 1.0) / 62.5)
    gain = 10 ** (np.interp(octaves, np.arange(len(channel.bumps_db)), channel.bumps_db) / 20)
    gain /= np.sqrt(1 + (channel.low_cut_hz / np.maximum(hz, 1.0)) ** 4) * np.sqrt(1 + (hz / channel.high_cut_hz) ** 16)
    wave = np.fft.irfft(np.fft.rfft(speech, size) * np.fft.rfft(response, size) * gain, size)[:n]
    power = float(np.sqrt(np.mean(wave**2)))
    if power > 0:
        wave = wave / power
    # The noise is in the room too: the microphone's band limits it.
    noise = np.fft.irfft(np.fft.rfft(coloured_noise(channel.noise, n, rng), size) * gain, size)[:n]
    noise *= 10 ** (-channel.snr_db / 20) / max(float(np.sqrt(np.mean(noise**2))), 1e-12)
    wave = (wave + noise) * 10 ** (channel.level_db / 20)
    # Peaks are rounded off as a limiter does, so nothing clips hard.
    return np.where(np.abs(wave) < 0.5, wave, np.sign(wave) * (1 - 0.25 / np.maximum(np.abs(wave), 0.5))).astype(
        np.float32
    )
