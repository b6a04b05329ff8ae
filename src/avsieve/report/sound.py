"""Short sounds for the page, compressed: a second of wav weighs 32 kB, of MP3 or AAC at this rate 3 kB."""

from __future__ import annotations

import io
import wave
from dataclasses import dataclass
from functools import cache

import av
import numpy as np
from av.codec.context import Flags

from avsieve.storage.wav import SAMPLE_RATE, wav_bytes

RATE = 24_000
"""Bits per second: speech of one channel at 16 kHz stays natural."""
WAV_S = 1.0
"""Length to which a sound is cut where nothing compresses it, seconds: else sounds alone would fill the page."""


@dataclass(frozen=True)
class Packing:
    """An encoder, the container around it, its media type, and the form in which it takes samples."""

    codec: str
    container: str
    media_type: str
    samples: str
    options: tuple[tuple[str, str], ...]


# In the order of preference. Both play in every browser. Without heads and marks of the file's own: they would hold the
# encoder's version and a time.
PACKINGS = (
    Packing("libmp3lame", "mp3", "audio/mpeg", "s16p", (("write_xing", "0"), ("id3v2_version", "0"))),
    Packing("aac", "mp4", "audio/mp4", "fltp", (("fflags", "+bitexact"),)),
)


@cache
def has_encoder(codec: str) -> bool:
    """Tell whether FFmpeg, as PyAV brings it, has an encoder; it may have the decoder alone."""
    try:
        av.Codec(codec, "w")
    except (av.error.EncoderNotFoundError, av.codec.codec.UnknownCodecError):
        return False
    return True


def compressed(content: bytes, most_s: float) -> tuple[str, bytes] | None:
    """Return the first ``most_s`` seconds of a wav as a media type and bytes; None where it holds no sample.

    Equal wavs give equal bytes. It is MP3, without that encoder AAC, and without either a wav of at most `WAV_S`.

    Parameters
    ----------
    content
        A wav of 16 kHz, mono, 16 bit.
    """
    packing = next((packing for packing in PACKINGS if has_encoder(packing.codec)), None)
    samples = _samples(content, most_s if packing else min(most_s, WAV_S))
    if not len(samples):
        return None
    return (packing.media_type, _packed(samples, packing)) if packing else ("audio/wav", wav_bytes(samples))


def _samples(content: bytes, most_s: float) -> np.ndarray:
    with wave.open(io.BytesIO(content)) as source:
        return np.frombuffer(source.readframes(int(most_s * source.getframerate())), np.int16)


def _packed(samples: np.ndarray, packing: Packing) -> bytes:
    if packing.samples == "fltp":
        samples = (samples / 32768).astype(np.float32)
    out = io.BytesIO()
    with av.open(out, "w", format=packing.container, options=dict(packing.options)) as target:
        stream = target.add_stream(packing.codec, rate=SAMPLE_RATE, layout="mono")
        stream.bit_rate = RATE
        stream.codec_context.flags |= Flags.bitexact
        frame = av.AudioFrame.from_ndarray(samples.reshape(1, -1), format=packing.samples, layout="mono")
        frame.sample_rate = SAMPLE_RATE
        for packet in [*stream.encode(frame), *stream.encode(None)]:
            target.mux(packet)
    return out.getvalue()
