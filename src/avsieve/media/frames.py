"""Frames: take the one that is shown at each wanted time, upright and with square pixels."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from av.video.reformatter import Interpolation, VideoReformatter

from avsieve.media.decoded import Decoded
from avsieve.media.frame_names import frame_name
from avsieve.media.limits import check_output, check_pixels, too_long
from avsieve.media.lookahead import MOST_SHOWN_S, Timing
from avsieve.media.settings import Limits
from avsieve.media.streams import square_size
from avsieve.storage.jpeg import jpeg_of


def upright(image: np.ndarray, matrix: np.ndarray | None) -> np.ndarray:
    """Turn and mirror an image as a display matrix says, to the nearest quarter turn.

    Parameters
    ----------
    image
        (height, width, 3).
    matrix
        (9,) int32, the rows of a 3 x 3 matrix as in MP4's track header; ``None`` for an image that is upright.
    """
    if matrix is None:
        return image
    a, b, _, c, d = (int(v) for v in matrix[:5])
    # A pixel at (x, y) is shown at (a x + c y, b x + d y).
    if abs(a) + abs(d) >= abs(b) + abs(c):
        across, down = a, d
    else:
        image, across, down = image.transpose(1, 0, 2), c, b
    return np.ascontiguousarray(image[:: -1 if down < 0 else 1, :: -1 if across < 0 else 1])


class FrameTaker:
    """Take, from frames in order of presentation, the one that is shown at each wanted time.

    Frames whose time is missing, goes back or leaps are placed behind the one before, and counted in ``misplaced``.
    ``taken`` maps the numbers of the wanted times to the time stamps of the frames.
    """

    def __init__(
        self, stream: Any, timing: Timing, jpeg_quality: int | None, out: Decoded, limits: Limits | None = None
    ) -> None:
        self._stream = stream
        self._timing = timing
        self._quality = jpeg_quality
        self._out = out
        self._limits = limits or Limits()
        self._reformatter = VideoReformatter()
        self._k = 1
        self._shown: Any = None
        self._shown_s = 0.0
        self.count = 0
        self.misplaced = 0
        self.damaged = 0
        self.starts_at_s = 0.0
        self.taken: dict[int, int | None] = {}

    def push(self, frame: Any) -> None:
        """Take the frame before ``frame`` for every wanted time that passes with it."""
        stamp = frame.pts if frame.pts is not None else frame.dts
        time_s = self._timing.at(stamp) if stamp is not None else self._shown_s
        if self._shown is not None and not 0 < time_s - self._shown_s <= MOST_SHOWN_S:
            time_s = self._shown_s + self._timing.frame_s
            self.misplaced += 1
        check_pixels(frame.width, frame.height, self._limits)
        if self._shown is not None:
            self._check_length(time_s)
        self.count += 1
        self.damaged += frame.is_corrupt
        if self._shown is None:
            self._k = self._timing.first(time_s)  # nothing is shown before the first frame
            self.starts_at_s = time_s
        else:
            self._pass(time_s, self._timing.passed)
        self._shown, self._shown_s = frame, time_s

    def finish(self, end_s: float) -> float:
        """Take the last frame for the wanted times that it is still shown at; return the end of the video, seconds."""
        if self._shown is None:
            return 0.0
        if not 0 < end_s - self._shown_s <= MOST_SHOWN_S:
            end_s = self._shown_s + self._timing.frame_s
        self._check_length(end_s)
        self._pass(end_s, self._timing.ended)
        return end_s

    def _check_length(self, time_s: float) -> None:
        if time_s - self.starts_at_s > self._limits.clip_s:
            raise too_long("video", time_s - self.starts_at_s, self._limits.clip_s)

    def _pass(self, time_s: float, passed: Callable[[int, float], bool]) -> None:
        if not passed(self._k, time_s):
            return
        image = self._image()
        content = image if self._quality is None else jpeg_of(image, self._quality)
        while passed(self._k, time_s):
            self._out.add_frame(frame_name(self._k, self._timing.interval_s), content)
            check_output(self._out.size, self._limits)
            self.taken[self._k] = self._shown.pts
            self._k += 1

    def _image(self) -> np.ndarray:
        frame = self._shown
        width, height = square_size(self._stream, frame.width, frame.height)
        scaled = (width, height) != (frame.width, frame.height)
        flags = Interpolation.BICUBIC if scaled else Interpolation.BILINEAR
        image = self._reformatter.reformat(frame, width, height, "bgr24", interpolation=flags, threads=1).to_ndarray()
        matrix = frame.side_data.get("DISPLAYMATRIX")
        return upright(image, None if matrix is None else np.frombuffer(matrix, np.int32))
