"""Short sounds for the page, compressed: a second of wav weighs 32 kB, of MP3 at this rate 3 kB."""

from __future__ import annotations

import io
import wave
from functools import cache

import av
import numpy as np

from avsieve.storage.wav import SAMPLE_RATE, wav_bytes

RATE = 24_000
"""Bits per second: speech of one channel at 16 kHz stays natural."""
_CODEC = "libmp3lame"


@cache
def can_compress() -> bool:
    """Tell whether FFmpeg, as PyAV brings it, has the encoder."""
    return _CODEC in av.codecs_available


def compressed(content: bytes, most_s: float) -> tuple[str, bytes]:
    """Return the first ``most_s`` seconds of a wav as a media type and bytes.

    Equal wavs give equal bytes. MP3 plays in every browser; without its encoder it is a shorter wav.

    Parameters
    ----------
    content
        A wav of 16 kHz, mono, 16 bit.
    """
    samples = _samples(content, most_s)
    return ("audio/mpeg", _mp3(samples)) if can_compress() else ("audio/wav", wav_bytes(samples))


def _samples(content: bytes, most_s: float) -> np.ndarray:
    with wave.open(io.BytesIO(content)) as source:
        return np.frombuffer(source.readframes(int(most_s * source.getframerate())), np.int16)


def _mp3(samples: np.ndarray) -> bytes:
    out = io.BytesIO()
    # Without a head of the file's own: it would hold the encoder's version and a time.
    with av.open(out, "w", format="mp3", options={"write_xing": "0", "id3v2_version": "0"}) as target:
        stream = target.add_stream(_CODEC, rate=SAMPLE_RATE, layout="mono")
        stream.bit_rate = RATE
        frame = av.AudioFrame.from_ndarray(samples.reshape(1, -1), format="s16p", layout="mono")
        frame.sample_rate = SAMPLE_RATE
        for packet in [*stream.encode(frame), *stream.encode(None)]:
            target.mux(packet)
    return out.getvalue()
