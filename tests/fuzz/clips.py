"""Small clips in the containers and codecs that talking-head data comes in."""

from __future__ import annotations

import io
from fractions import Fraction

import av
import numpy as np

# Container -> its ending, and the codecs of picture and sound.
KINDS = {
    "mp4": ("mp4", "libx264", "aac"),
    "matroska": ("mkv", "libx264", "libopus"),
    "webm": ("webm", "libvpx-vp9", "libopus"),
    "avi": ("avi", "mpeg4", "libmp3lame"),
    "mpegts": ("ts", "mpeg2video", "mp2"),
    "flv": ("flv", "flv", "libmp3lame"),
    "asf": ("wmv", "wmv2", "mp2"),
    "nut": ("nut", "ffv1", "flac"),
    "mov": ("mov", "mjpeg", "pcm_s16le"),
}


def clip(container: str, frames: int = 15, side: int = 48) -> bytes:
    """Return a clip of noise that moves, at 25 frames a second, with a tone."""
    _, video_codec, audio_codec = KINDS[container]
    rng = np.random.default_rng(3)
    picture = rng.integers(0, 255, (side, side + frames, 3), np.uint8)
    handle = io.BytesIO()
    with av.open(handle, "w", format=container) as target:
        video = target.add_stream(video_codec, rate=25)
        video.width = video.height = side
        video.pix_fmt = "yuvj420p" if video_codec == "mjpeg" else "yuv420p"
        video.thread_count = 1
        rate = 48_000 if audio_codec in ("libopus", "libmp3lame", "mp2") else 16_000
        if audio_codec == "libmp3lame" and container == "flv":
            rate = 44_100
        sound = target.add_stream(audio_codec, rate=rate, layout="mono")
        for i in range(frames):
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture[:, i : i + side]), format="bgr24")
            frame.pts, frame.time_base = i, Fraction(1, 25)
            target.mux(video.encode(frame))
        target.mux(video.encode(None))
        tone = (8000 * np.sin(np.arange(rate * frames // 25) / 9)).astype(np.int16)
        samples = av.AudioFrame.from_ndarray(tone[None], format="s16", layout="mono")
        samples.sample_rate, samples.pts, samples.time_base = rate, 0, Fraction(1, rate)
        resampler = av.AudioResampler(format=sound.format.name, layout="mono", rate=rate)
        fifo = av.AudioFifo()
        for part in resampler.resample(samples):
            fifo.write(part)
        size = sound.codec_context.frame_size or 1024
        while fifo.samples:
            target.mux(sound.encode(fifo.read(min(size, fifo.samples), partial=True)))
        target.mux(sound.encode(None))
    return handle.getvalue()
