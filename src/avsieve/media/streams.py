"""The streams of a file: which one is decoded, and where its times count from."""

from __future__ import annotations

from typing import Any

import av
from av.stream import Disposition

# What ffmpeg's command line adds for the stream that the file marks as its default.
_DEFAULT_BONUS = 5_000_000
_LARGEST_ASPECT = 4.0


def pick_video(container: Any) -> Any | None:
    """Return the video stream that ffmpeg's command line would take: the default one, else the largest.

    Cover art (an attached picture) is no video.
    """
    found = [s for s in container.streams.video if not s.disposition & Disposition.attached_pic]
    return max(found, key=lambda s: _size(s) + _bonus(s), default=None)


def pick_audio(container: Any) -> Any | None:
    """Return the audio stream that ffmpeg's command line would take: the default one, else that of most channels."""
    return max(container.streams.audio, key=lambda s: _channels(s) + _bonus(s), default=None)


def _bonus(stream: Any) -> int:
    return _DEFAULT_BONUS if stream.disposition & Disposition.default else 0


def _size(stream: Any) -> int:
    return stream.codec_context.width * stream.codec_context.height if stream.codec_context else -1


def _channels(stream: Any) -> int:
    return stream.codec_context.layout.nb_channels if stream.codec_context else -1


def start_of(container: Any) -> float:
    """Return where the presentation starts, in seconds on the file's clock: at its first stream's start."""
    start_s = (container.start_time or 0) / av.time_base
    # Matroska has no time before 0; FFmpeg before 8.1 let the sound's codec delay begin there.
    return max(0.0, start_s) if "matroska" in container.format.name else start_s


def length_of(container: Any, stream: Any) -> float:
    """Return the length of a stream in seconds as the header gives it, 0 where it does not."""
    if stream.duration is not None:
        return float(stream.duration * stream.time_base)
    return container.duration / av.time_base if container.duration else 0.0


def frame_length_of(stream: Any) -> float:
    """Return how long a frame of a video stream is shown on the average, in seconds; 1/25 where it is not known."""
    rate = stream.average_rate or stream.guessed_rate
    return 1 / float(rate) if rate else 0.04


def square_size(stream: Any, width: int, height: int) -> tuple[int, int]:
    """Return the size of an image with square pixels: the shorter of its sides on the screen is kept, the other grows.

    Sample aspect ratios above 4 or below 1/4 are taken for mistakes.
    """
    ratio = float(stream.sample_aspect_ratio or 1)
    if abs(ratio - 1) < 0.005 or not 1 / _LARGEST_ASPECT <= ratio <= _LARGEST_ASPECT:
        return width, height
    return (round(width * ratio), height) if ratio > 1 else (width, round(height / ratio))


def can_skip(stream: Any) -> bool:
    """Tell whether frames that no other frame needs can be left out without changing any other.

    In H.264 every picture says whether others need it. In HEVC it says so for the pictures of its own temporal layer
    only, so there must be one layer.
    """
    name, header = stream.codec_context.name, bytes(stream.codec_context.extradata or b"")
    if name == "h264":
        return True
    return name == "hevc" and len(header) > 22 and header[0] == 1 and (header[21] >> 3) & 7 == 1
