"""Damage a voice: noise, clipping, a piece alone, a room."""

from __future__ import annotations

import numpy as np

from avsieve.damage.manifest import Wanted
from avsieve.damage.settings import Clipping, Noise, Reverberation, Short
from avsieve.damage.surroundings import Around
from avsieve.sound.mixing import convolved, mix
from avsieve.storage.wav import SAMPLE_RATE, as_float

_FULL = 32767
"""The largest sample of 16 bits."""


def damaged_voice(samples: np.ndarray, wanted: Wanted, around: Around) -> np.ndarray:
    """Return a damaged voice, int16 at 16 kHz; as long as before, unless only a piece is left.

    The seed of what is ``wanted`` alone decides what is random. Where a voice would become louder than 16 bits hold, it
    is made softer as a whole. Silence stays silence.

    Parameters
    ----------
    samples
        (n,) int16.
    wanted
        A damage of one of the kinds of ``audio``.
    around
        Noise, other voices and rooms.

    Raises
    ------
    ConfigError
        If a recording is wanted and there is none, or a babble and there is nobody else.
    """
    parameters, rng = wanted.parameters, wanted.draws()
    if isinstance(parameters, Short):
        return _piece(samples, parameters.seconds, rng)
    if isinstance(parameters, Clipping):
        return clipped(samples, parameters.clipped)
    wave = as_float(samples)
    if isinstance(parameters, Noise):
        noise = around.noise(parameters.sound, len(wave), wanted.utterance, rng)
        return as_samples(mix(wave, noise, parameters.snr_db))
    assert isinstance(parameters, Reverberation)
    # The direct sound keeps its level: what is louder is the room.
    return as_samples(convolved(wave, around.response(parameters.t60_s, rng)))


def as_samples(wave: np.ndarray) -> np.ndarray:
    """Return ``wave`` (n,) as int16; all of it is made softer where a sample would not fit."""
    wide = wave.astype(np.float64) * (_FULL + 1)
    peak = float(np.abs(wide).max(initial=0))
    return np.round(wide * min(1.0, _FULL / max(peak, 1e-9))).astype(np.int16)


def clipped(samples: np.ndarray, share: float) -> np.ndarray:
    """Return ``samples`` (n,) int16 with the largest ``share`` of them, either way, set to the size of the smallest.

    The limit is at least one step of 16 bits, so that what was to be heard is not silenced.
    """
    size = np.abs(samples.astype(np.int32))
    count = round(share * len(size))
    if not count:
        return samples.copy()
    limit = max(int(np.partition(size, len(size) - count)[len(size) - count]), 1)
    return np.clip(samples, -limit, limit).astype(np.int16)


def _piece(samples: np.ndarray, seconds: float, rng: np.random.Generator) -> np.ndarray:
    n = max(round(seconds * SAMPLE_RATE), 1)
    start = int(rng.integers(max(len(samples) - n, 0) + 1))
    return samples[start : start + n]
