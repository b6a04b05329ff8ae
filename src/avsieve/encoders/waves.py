"""Read the wavs of the extraction stage from memory."""

from __future__ import annotations

import io
import struct
import wave

import numpy as np

from avsieve.errors import TarError
from avsieve.storage.wav import SAMPLE_RATE

# The header that the extraction writes, between the file's size and its samples: PCM, 1 channel, 16 bits at 16 kHz.
_USUAL_FORMAT = b"WAVEfmt " + struct.pack("<IHHIIHH", 16, 1, 1, SAMPLE_RATE, 2 * SAMPLE_RATE, 2, 16)


def samples_of(content: bytes, name: str = "wav") -> np.ndarray:
    """Return the samples of a 16 kHz mono PCM_16 WAV file: (n,) int16, a view of ``content`` for the usual header.

    Raises
    ------
    TarError
        If it is no such file.
    """
    if content[:4] == b"RIFF" and content[8:36] == _USUAL_FORMAT and content[36:40] == b"data":
        size = int.from_bytes(content[40:44], "little")
        if size % 2 == 0 and 44 + size <= len(content):
            return np.frombuffer(content, "<i2", size // 2, 44)
    try:
        with wave.open(io.BytesIO(content)) as handle:
            layout = handle.getframerate(), handle.getnchannels(), handle.getsampwidth()
            data = handle.readframes(handle.getnframes())
    except (wave.Error, EOFError) as error:
        raise TarError(f"{name}: not a WAV file ({error or 'cut off'}); run extraction again") from error
    if layout != (SAMPLE_RATE, 1, 2):
        raise TarError(
            f"{name}: {layout[0]} Hz, {layout[1]} channels, {layout[2]} bytes a sample; expected {SAMPLE_RATE} Hz, 1, 2"
        )
    return np.frombuffer(data, "<i2")


def as_float(samples: np.ndarray) -> np.ndarray:
    """Return int16 samples as float32 in [-1, 1)."""
    return samples.astype(np.float32) / np.float32(32768)
