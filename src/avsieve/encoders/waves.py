"""Read the wavs of the extraction stage from memory."""

from __future__ import annotations

import io
import wave

import numpy as np

from avsieve.errors import ShardError

RATE = 16_000


def samples_of(content: bytes, name: str = "wav") -> np.ndarray:
    """Return the samples of a 16 kHz mono PCM_16 WAV file: (n,) int16, without a copy.

    Raises
    ------
    ShardError
        If it is no such file.
    """
    try:
        with wave.open(io.BytesIO(content)) as handle:
            layout = handle.getframerate(), handle.getnchannels(), handle.getsampwidth()
            data = handle.readframes(handle.getnframes())
    except (wave.Error, EOFError) as error:
        raise ShardError(f"{name}: not a WAV file ({error or 'cut off'}); run extraction again") from error
    if layout != (RATE, 1, 2):
        raise ShardError(
            f"{name}: {layout[0]} Hz, {layout[1]} channels, {layout[2]} bytes a sample; expected {RATE} Hz, 1, 2"
        )
    return np.frombuffer(data, "<i2")


def as_float(samples: np.ndarray) -> np.ndarray:
    """Return int16 samples as float32 in [-1, 1)."""
    return samples.astype(np.float32) / np.float32(32768)
