"""Cut a part out of a video and crop it along a face's track: each frame of the clip shows the box of its time."""

from __future__ import annotations

import contextlib
import math
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import av
import cv2
import ffmpeg
import numpy as np

from avsieve.errors import AvsieveError
from avsieve.media.ffmpeg import X264, ffmpeg_binary
from avsieve.media.slices import LOCAL_ONLY
from avsieve.storage.atomic import atomic_path
from avsieve.storage.reasons import Reason

_SMOOTHED_FRAMES = 13  # half a second: detections tremble, heads do not
_LATE_S = 0.5  # a picture may end, or begin, so much before or after the sound


class CropError(AvsieveError):
    """A part could not be cropped out; ``reason`` is the utterance's."""

    def __init__(self, reason: Reason, message: str) -> None:
        super().__init__(reason, message)  # both, so that it can come from another process
        self.reason = reason
        self.message = message

    def __str__(self) -> str:
        """Return the message."""
        return self.message


def smooth_squares(boxes: np.ndarray, margin: float = 0.0) -> np.ndarray:
    """Return the square around each box, smoothed in time by straight lines through half a second each.

    Parameters
    ----------
    boxes
        (n, 4): left, top, width, height.
    margin
        What is added on each side, as a share of the box's longer side.

    Returns
    -------
    numpy.ndarray
        (n, 3): horizontal and vertical place of the centre, and side.
    """
    from scipy.signal import savgol_filter

    squares = np.column_stack([boxes[:, :2] + boxes[:, 2:] / 2, boxes[:, 2:].max(axis=1) * (1 + 2 * margin)])
    window = min(_SMOOTHED_FRAMES, len(boxes) - 1 + len(boxes) % 2)
    if window < 3:
        return squares
    smooth = savgol_filter(squares, window, 1, axis=0, mode="interp")
    # At the ends of a track of quickly changing size the line may run out of what was seen.
    return np.clip(smooth, squares.min(axis=0), squares.max(axis=0))


def crop_square(image: np.ndarray, square: np.ndarray, size: int, pixel_aspect: float = 1.0) -> np.ndarray:
    """Return a square of an image as (size, size, 3) uint8; black where it leaves the image.

    Parameters
    ----------
    image
        (height, width, 3) uint8.
    square
        Centre and side, in pixels of the picture as it is shown; fractions count.
    size
        Side of the result, in pixels.
    pixel_aspect
        Width over height of the image's pixels.
    """
    x, y, side = square
    # Sampled at least as densely as the image and then averaged: a plain warp to a smaller size would flicker.
    times = max(1, math.ceil(side / size))
    step = side / (size * times)
    # The middle of the first pixel lies half a step inside the square; OpenCV calls the middle of a pixel 0, not 0.5.
    left, top = (x - side / 2 + step / 2) / pixel_aspect - 0.5, y - side / 2 + step / 2 - 0.5
    to_image = np.array([[step / pixel_aspect, 0, left], [0, step, top]])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    drawn = cv2.warpAffine(image, to_image, (size * times, size * times), flags=flags)
    return drawn if times == 1 else cv2.resize(drawn, (size, size), interpolation=cv2.INTER_AREA)


def crop_track(
    source: Path,
    target: Path,
    boxes: np.ndarray,
    start_s: float,
    *,
    fps: int = 25,
    in_pixels: bool = True,
    of_height: int = 0,
    margin: float = 0.0,
    size: int = 224,
    crf: int = 18,
    binary: str | None = None,
) -> None:
    """Write a clip whose frames follow a track, with the sound of the same span, as H.264 and AAC, atomically.

    For each box the frame is taken that the source shows at its time, whatever the source's frame rate. Equal input
    gives equal bytes.

    Parameters
    ----------
    source, target
        The video, and the mp4 to write.
    boxes
        (n, 4): left, top, width and height at ``start_s``, ``start_s + 1 / fps``, …
    start_s
        Time of the first box, in seconds from the source's beginning.
    in_pixels
        Whether the boxes are in pixels of the picture as it is shown, or shares of its width and height.
    of_height
        Height of the pictures that boxes in pixels were drawn on; 0 for that of the source.
    margin
        What is added to the boxes on each side, as a share of their longer side.
    size
        Side of the clip, in pixels.
    crf
        x264's constant rate factor; lower is better.
    binary
        The ffmpeg to run; looked for when not given.

    Raises
    ------
    CropError
        If the source cannot be opened or decoded, has no picture or no sound, ends before the track does, or if ffmpeg
        fails; with a reason code.
    AvsieveError
        If ffmpeg was killed or the disk is full.
    """
    cv2.setNumThreads(1)
    length_s = len(boxes) / fps
    squares_in = partial(_squares, boxes, in_pixels, of_height, margin)
    _look(source, start_s + length_s)
    with atomic_path(target) as unfinished, tempfile.TemporaryFile() as words:
        picture = ffmpeg.input("pipe:", format="rawvideo", pix_fmt="bgr24", s=f"{size}x{size}", r=fps)
        sound = ffmpeg.input(f"file:{source}", ss=f"{start_s:.6f}", t=f"{length_s:.6f}", **LOCAL_ONLY)
        command = ffmpeg.output(
            picture.video,
            # Gaps and a late beginning become silence, so that nothing moves against the picture.
            sound["a:0"].filter("aresample", **{"async": 1, "first_pts": 0}).filter("apad", whole_dur=length_s),
            f"file:{unfinished}",
            format="mp4",
            preset="veryfast",
            crf=crf,
            audio_bitrate="128k",
            map_metadata=-1,
            **X264,
        )
        arguments = ffmpeg.compile(
            command.global_args("-v", "error"), cmd=binary or ffmpeg_binary(), overwrite_output=True
        )
        process = subprocess.Popen(arguments, stdin=subprocess.PIPE, stderr=words)
        assert process.stdin is not None
        try:
            for image in _cropped(source, start_s + np.arange(len(boxes)) / fps, squares_in, size):
                process.stdin.write(image.data)
        except BrokenPipeError:
            pass  # ffmpeg has ended early; its words below say why
        except BaseException:
            process.kill()
            raise
        finally:
            with contextlib.suppress(BrokenPipeError):
                process.stdin.close()
            process.wait()
        if process.returncode:
            words.seek(0)
            said = words.read().decode(errors="replace").strip()
            message = f"{source.name}: ffmpeg failed: {said[-400:] or f'status {process.returncode}'}"
            if process.returncode < 0 or "No space left" in said:  # killed, or no room: not the video's fault
                raise AvsieveError(f"{message}; free some disk space and memory, and run again")
            raise CropError(Reason.CUT_FAILED, message)


def _look(source: Path, end_s: float) -> None:
    """Raise unless the source has picture and sound and is long enough."""
    try:
        with av.open(str(source), metadata_errors="replace", container_options=LOCAL_ONLY) as container:
            if not container.streams.video:
                raise CropError(Reason.NO_VIDEO_STREAM, f"{source.name}: no video stream")
            if not container.streams.audio:
                raise CropError(Reason.NO_AUDIO_STREAM, f"{source.name}: no audio stream")
            length_s = container.duration / av.time_base if container.duration else math.inf
            if length_s < end_s - _LATE_S:
                raise CropError(
                    Reason.TRACK_OUTSIDE,
                    f"{source.name}: the track ends at {end_s:.2f} s, the video at {length_s:.2f} s",
                )
    except (av.FFmpegError, OSError) as error:
        raise CropError(Reason.CONTAINER_BROKEN, f"{source.name}: cannot be opened ({error.strerror})") from error


def _squares(
    boxes: np.ndarray, in_pixels: bool, of_height: int, margin: float, width: float, height: float
) -> np.ndarray:
    """Return the squares in pixels of a picture that is shown at ``width`` x ``height``."""
    scale = [height / (of_height or height)] * 4 if in_pixels else [width, height] * 2
    return smooth_squares(boxes * scale, margin)


def _cropped(
    source: Path, times: np.ndarray, squares_in: Callable[[float, float], np.ndarray], size: int
) -> Iterator[np.ndarray]:
    """Yield the crop at each time."""
    squares = np.empty(0)
    for i, (image, aspect) in enumerate(_shown_at(source, times)):
        if i == 0:  # the size of the picture is known only now
            squares = squares_in(image.shape[1] * aspect, image.shape[0])
        yield crop_square(image, squares[i], size, aspect)


def _shown_at(source: Path, times: np.ndarray) -> Iterator[tuple[np.ndarray, float]]:
    """Yield the image that is shown at each of the rising ``times``, BGR, and its pixels' aspect."""
    k, shown, end_s = 0, None, 0.0
    image: tuple[np.ndarray, float] | None = None
    aspect = 1.0
    for frame, time_s, slack_s, aspect in _frames_from(source, float(times[0])):
        while shown is not None and k < len(times) and times[k] < time_s - slack_s:
            image = image or _upright(shown, aspect)
            yield image
            k += 1
        if k == len(times):
            return
        if shown is None and time_s > times[0] + _LATE_S:
            raise CropError(Reason.TRACK_OUTSIDE, f"{source.name}: no picture from {times[0]:.2f} to {time_s:.2f} s")
        shown, image, end_s = frame, None, time_s
    if shown is None or times[-1] > end_s + _LATE_S:
        raise CropError(
            Reason.TRACK_OUTSIDE, f"{source.name}: the track ends at {times[-1]:.2f} s, the picture at {end_s:.2f} s"
        )
    for _ in times[k:]:
        image = image or _upright(shown, aspect)
        yield image


def _frames_from(source: Path, start_s: float) -> Iterator[tuple[Any, float, float, float]]:
    """Yield the frames from a key frame before ``start_s`` on: frame, its time, half a tick, its pixels' aspect."""
    with av.open(str(source), metadata_errors="replace", container_options=LOCAL_ONLY) as container:
        stream = container.streams.video[0]
        stream.thread_type = "NONE"
        begin_s = (container.start_time or 0) / av.time_base
        slack_s = float(stream.time_base) / 2 + 1e-6
        aspect = float(stream.codec_context.sample_aspect_ratio or 1)
        packets = container.demux(stream)
        with contextlib.suppress(av.FFmpegError):  # where it cannot seek, it reads from the beginning
            if start_s > 1:
                container.seek(int((start_s + begin_s - 0.1) * av.time_base), backward=True)
        while True:
            try:
                packet = next(packets, None)
            except av.FFmpegError:
                return  # whoever counts the frames sees that it ended early
            if packet is None:
                return
            try:
                frames = packet.decode()
            except av.FFmpegError:  # a damaged packet is passed over, as players do
                continue
            for frame in frames:
                if frame.time is not None:
                    yield frame, frame.time - begin_s, slack_s, aspect


def _upright(frame: Any, aspect: float) -> tuple[np.ndarray, float]:
    """Return the image as it is to be shown, and its pixels' width over height."""
    turns = round(getattr(frame, "rotation", 0) / 90) % 4
    image = np.rot90(frame.to_ndarray(format="bgr24"), turns)
    return np.ascontiguousarray(image), 1 / aspect if turns % 2 else aspect
