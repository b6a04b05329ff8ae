"""WAV files in memory: 16 kHz mono PCM_16."""

from __future__ import annotations

import io
import struct
import wave

import numpy as np

from avsieve.errors import TarError

SAMPLE_RATE = 16_000
# The header that the extraction writes, between the file's size and its samples: PCM, 1 channel, 16 bits at 16 kHz.
_USUAL_FORMAT = b"WAVEfmt " + struct.pack("<IHHIIHH", 16, 1, 1, SAMPLE_RATE, 2 * SAMPLE_RATE, 2, 16)


def wav_bytes(samples: np.ndarray) -> bytes:
    """Return a WAV file of ``samples``, (n,) int16 at 16 kHz."""
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as handle:
        handle.setnchannels(1)
        handle.setsampwidth(2)
        handle.setframerate(SAMPLE_RATE)
        handle.writeframes(np.ascontiguousarray(samples, dtype="<i2").tobytes())
    return buffer.getvalue()


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
    except (wave.Error, EOFError, RuntimeError, ValueError, ArithmeticError, struct.error) as error:
        raise TarError(f"{name}: not a WAV file ({error or 'cut off'}); run extraction again") from error
    if len(data) % 2:
        raise TarError(f"{name}: not a WAV file (cut off inside a sample); run extraction again")
    if layout != (SAMPLE_RATE, 1, 2):
        raise TarError(
            f"{name}: {layout[0]} Hz, {layout[1]} channels, {layout[2]} bytes a sample; expected {SAMPLE_RATE} Hz, 1, 2"
        )
    return np.frombuffer(data, "<i2")


def as_float(samples: np.ndarray) -> np.ndarray:
    """Return int16 samples as float32 in [-1, 1)."""
    return np.multiply(samples, np.float32(1 / 32768), dtype=np.float32)  # a power of 2: as exact as a division
