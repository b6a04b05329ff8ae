"""WAV files in memory: 16 kHz mono PCM_16."""

from __future__ import annotations

import io
import wave

import numpy as np

SAMPLE_RATE = 16_000


def wav_bytes(samples: np.ndarray) -> bytes:
    """Return a WAV file of ``samples``, (n,) int16 at 16 kHz."""
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as handle:
        handle.setnchannels(1)
        handle.setsampwidth(2)
        handle.setframerate(SAMPLE_RATE)
        handle.writeframes(np.ascontiguousarray(samples, dtype="<i2").tobytes())
    return buffer.getvalue()
