"""Decode a clip once: the frames at t = interval, 2 interval, … and the 16 kHz mono wav, in one pass."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np

from avsieve.media.classify import classify_open_error
from avsieve.media.slices import MediaSlice, open_slice, read_slice
from avsieve.reasons import Reason

SAMPLE_RATE = 16_000
# A file is truncated when it ends this much before the length in its header. Streams of one file differ by a few
# frames, so there is some room.
_TRUNCATED_S = 0.5
_TRUNCATED_SHARE = 0.05


@dataclass
class Decoded:
    """What came out of a clip.

    ``frames`` maps a frame's name (time in 25ths of a second, four digits) to its JPEG; with ``as_images`` it is empty
    and ``images`` maps the names to (height, width, 3) uint8 BGR. ``wave`` is (n,) int16 at 16 kHz or ``None``.
    ``audio_s`` and ``video_s`` are the decoded lengths in seconds.
    """

    code: Reason = Reason.OK
    detail: str = ""
    frames: dict[str, bytes] = field(default_factory=dict)
    images: dict[str, np.ndarray] = field(default_factory=dict)
    wave: np.ndarray | None = None
    audio_s: float = 0.0
    video_s: float = 0.0

    def note(self, code: Reason, detail: str) -> None:
        """Keep the first thing that is wrong as the code, and all of them in the detail."""
        if self.code is Reason.OK:
            self.code = code
        self.detail = f"{self.detail}; {detail}" if self.detail else detail


def frame_name(time_s: float) -> str:
    """Return the name of the frame at ``time_s``: 25ths of a second, at least four digits, as AVCleanse names them."""
    return f"{round(25 * time_s):04d}"


def _words(error: av.FFmpegError) -> str:
    log = getattr(error, "log", None)
    return f"{error.strerror} ({log[2].strip()})" if log else str(error.strerror)


class _FrameTaker:
    """Take, from frames in order of presentation, the one that is shown at each wanted time.

    Time stamps are rounded to the container's ticks (1 ms in Matroska): a frame that begins up to half a tick later
    still counts as shown.
    """

    def __init__(self, interval_s: float, jpeg_quality: int | None, tick_s: float, out: Decoded) -> None:
        self._interval_s = interval_s
        self._quality = jpeg_quality
        self._slack_s = tick_s / 2 + 1e-6
        self._out = out
        self._k = 1
        self._shown: Any = None

    def push(self, frame: Any, time_s: float) -> None:
        """Take the frame before ``frame`` for every wanted time that passes with it."""
        while self._shown is not None and self._k * self._interval_s < time_s - self._slack_s:
            self._take()
        self._shown = frame

    def finish(self, end_s: float) -> None:
        """Take the last frame for the wanted times that it is still shown at."""
        while self._shown is not None and self._k * self._interval_s < end_s - self._slack_s:
            self._take()

    def _take(self) -> None:
        image = self._shown.to_ndarray(format="bgr24")
        if turns := round(getattr(self._shown, "rotation", 0) / 90) % 4:
            image = np.ascontiguousarray(np.rot90(image, turns))
        name = frame_name(self._k * self._interval_s)
        self._k += 1
        if self._quality is None:
            self._out.images[name] = image
            return
        done, jpeg = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, self._quality])
        if not done:
            raise RuntimeError(f"OpenCV could not encode a frame of shape {image.shape}")
        self._out.frames[name] = jpeg.tobytes()


def _header_length_s(container: Any, stream: Any) -> float:
    if stream.duration is not None:
        return float(stream.duration * stream.time_base)
    return container.duration / av.time_base if container.duration else 0.0


def _read(container: Any, out: Decoded, *, interval_s: float, jpeg_quality: int | None, want_video: bool) -> None:
    video = next(iter(container.streams.video), None) if want_video else None
    audio = next(iter(container.streams.audio), None)
    if video is None and audio is None:
        out.note(Reason.NOT_MEDIA, "no audio and no video stream")
        return
    if want_video and video is None:
        out.note(Reason.NO_VIDEO_STREAM, "no video stream")
    if audio is None:
        out.note(Reason.NO_AUDIO_STREAM, "no audio stream")
    streams = [s for s in (video, audio) if s is not None]
    for stream in streams:
        stream.thread_type = "NONE"  # one thread: workers are spread over clips
    start_s = (container.start_time or 0) / av.time_base
    tick_s = float(video.time_base) if video is not None else 0.0
    taker = _FrameTaker(interval_s, jpeg_quality, tick_s, out)
    resampler = av.AudioResampler(format="s16", layout="mono", rate=SAMPLE_RATE)
    wave: list[np.ndarray] = []
    failed: dict[str, str] = {}
    n_frames, frame_s = 0, 0.04
    packets = container.demux(streams)
    while True:
        try:
            packet = next(packets, None)
        except av.FFmpegError as error:
            out.note(Reason.MEDIA_TRUNCATED, f"demuxing stopped: {_words(error)}")
            break
        if packet is None:
            break
        try:
            decoded = packet.decode()
        except av.FFmpegError as error:  # a damaged packet is passed over, as players do
            failed[packet.stream.type] = _words(error)
            continue
        for frame in decoded:
            if packet.stream.type == "audio":
                wave.extend(f.to_ndarray()[0] for f in resampler.resample(frame))
            else:
                rate = video.average_rate if video is not None else None
                frame_s = 1 / float(rate) if rate else 0.04
                time_s = frame.time - start_s if frame.time is not None else n_frames * frame_s
                n_frames += 1
                out.video_s = max(out.video_s, time_s + frame_s)
                taker.push(frame, time_s)
    taker.finish(out.video_s)
    if audio is not None and wave:
        wave.extend(f.to_ndarray()[0] for f in resampler.resample(None))  # what the resampler still holds
    if audio is not None:
        out.wave = np.concatenate(wave) if wave else None
        out.audio_s = len(out.wave) / SAMPLE_RATE if out.wave is not None else 0.0
        if out.wave is None:
            out.note(Reason.AUDIO_UNDECODABLE, failed.get("audio", "no sample came out of the audio stream"))
    if video is not None and n_frames == 0:
        out.note(Reason.VIDEO_UNDECODABLE, failed.get("video", "no frame came out of the video stream"))
    for stream, length_s in ((video, out.video_s), (audio, out.audio_s)):
        header_s = _header_length_s(container, stream) if stream is not None else 0.0
        if stream is not None and length_s > 0 and header_s - length_s > max(_TRUNCATED_S, _TRUNCATED_SHARE * header_s):
            out.note(Reason.MEDIA_TRUNCATED, f"{stream.type}: {length_s:.2f} s decoded, {header_s:.2f} s in the header")


def decode_clip(
    media: MediaSlice | str | Path,
    sound: MediaSlice | None = None,
    *,
    interval_s: float = 0.4,
    jpeg_quality: int = 95,
    min_audio_s: float = 0.5,
    want_video: bool = True,
    as_images: bool = False,
) -> Decoded:
    """Decode a clip in one pass.

    Parameters
    ----------
    media
        The clip: a file, or where it lies inside one.
    sound
        Where its sound lies, when it lies apart.
    interval_s
        Frames are taken at ``interval_s``, ``2 interval_s``, …: for each the frame that is shown at that time, seconds
        counted from the start of the presentation.
    jpeg_quality
        Quality of the frames' JPEGs, 1 to 100.
    min_audio_s
        Shorter sound is reported as too short, in seconds.
    want_video
        ``False`` for sound alone: a missing video stream is then as it should be.
    as_images
        Give the frames as images, without making JPEGs of them.

    Returns
    -------
    Decoded
        With a reason code instead of an exception for whatever is wrong with the file. What could be decoded is kept.
    """
    out = Decoded()
    media = media if isinstance(media, MediaSlice) else MediaSlice((Path(media),))
    if missing := next((p for p in media.paths if not p.is_file()), None):
        out.note(Reason.MEDIA_MISSING, f"{missing.name}: no such file")
        return out
    if media.length <= 0:
        out.note(Reason.MEDIA_EMPTY, f"{media.name}: 0 bytes")
        return out
    source: Any = open_slice(media)
    try:
        with av.open(source, metadata_errors="replace") as container:
            quality = None if as_images else jpeg_quality
            _read(container, out, interval_s=interval_s, jpeg_quality=quality, want_video=want_video)
    except av.FFmpegError as error:
        out.note(classify_open_error(read_slice(media, 4096)), _words(error))
    finally:
        if not isinstance(source, str):
            source.close()
    if out.video_s > 0 and not (out.frames or out.images) and want_video:
        out.note(Reason.VIDEO_TOO_SHORT, f"{out.video_s:.2f} s of video, the first frame is taken at {interval_s} s")
    if out.wave is not None and out.audio_s < min_audio_s:
        out.note(Reason.AUDIO_TOO_SHORT, f"{out.audio_s:.2f} s of sound, at least {min_audio_s} s are wanted")
        out.wave = None
    if out.wave is not None and not out.wave.any():
        out.note(Reason.AUDIO_SILENT, "every sample is zero")
        out.wave = None
    return out


def probe_duration_s(path: str | Path) -> float:
    """Return the length in seconds that a file's header gives, or NaN if it cannot be opened or does not say."""
    try:
        with av.open(str(path), metadata_errors="replace") as container:
            if container.duration:
                return float(container.duration / av.time_base)
            lengths = [float(s.duration * s.time_base) for s in container.streams if s.duration is not None]
            return max(lengths, default=math.nan)
    except (av.FFmpegError, OSError):
        return math.nan
