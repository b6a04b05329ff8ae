"""Decode only what is wanted: look ahead in the packets, and skip the frames that nothing depends on.

Packets say when their frames are shown. So it is known, before anything is decoded, which frame is shown at each
wanted time. Of the others, those that no frame refers to need not be decoded (about half of what x264 makes), nor does
anything that comes after the last wanted frame. The frames that are decoded are the same to the bit.
"""

from __future__ import annotations

import math
from bisect import bisect_right, insort
from collections import deque
from collections.abc import Iterator
from typing import Any, NamedTuple

# A product of a number and an interval may miss the end that it stands for by so much.
ROUNDING_S = 1e-6
# Frames are reordered by 16 at most in H.264 and HEVC, two packets a frame when fields come apart.
AHEAD = 64
# Thirty years. Up to there a wanted time and the next differ, at intervals of a millisecond.
_LARGEST_S = 1e9
# A frame is never shown for longer than this: a later time stamp is taken for a mistake, in seconds.
MOST_SHOWN_S = 60.0


class Timing(NamedTuple):
    """How the times of a video stream are counted, in seconds.

    Time stamps are rounded to the container's ticks (1 ms in Matroska): a frame that begins up to half a tick later
    still counts as shown (``slack_s``).
    """

    start_s: float
    tick_s: float
    interval_s: float
    frame_s: float

    @property
    def slack_s(self) -> float:
        """Half a tick."""
        return self.tick_s / 2 + ROUNDING_S

    def at(self, pts: int) -> float:
        """Return the time of a time stamp, from the start of the presentation.

        A stamp may say what it likes: where times grow so large that they no longer tell frames apart, they end.
        """
        return min(max(pts * self.tick_s - self.start_s, -_LARGEST_S), _LARGEST_S)

    def passed(self, k: int, time_s: float) -> bool:
        """Tell whether wanted time number ``k`` is before a frame that begins at ``time_s``."""
        return k * self.interval_s < time_s - self.slack_s

    def ended(self, k: int, end_s: float) -> bool:
        """Tell whether wanted time number ``k`` is before the end of the video: nothing could be shown instead."""
        return k * self.interval_s < end_s - ROUNDING_S

    def first(self, time_s: float) -> int:
        """Return the number of the first wanted time that is not before a frame that begins at ``time_s``."""
        k = max(1, math.floor((time_s - self.slack_s) / self.interval_s))
        while self.passed(k, time_s):
            k += 1
        return k


class Lookahead:
    """Hold video packets back until it is known whether their frames are wanted.

    ``expected`` maps the numbers of the wanted times to the time stamps of the frames shown then; it is compared with
    what the decoder gave, since broken files break promises. ``end_s`` is the end of the last frame.
    """

    def __init__(self, timing: Timing) -> None:
        self._timing = timing
        self._slack_s = timing.slack_s
        self._waiting: deque[Any] = deque()
        self._stamps: list[int] = []
        self.expected: dict[int, int] = {}
        self.end_s = 0.0
        self.complete = True

    def push(self, packet: Any) -> Iterator[tuple[Any, bool]]:
        """Take a packet; yield the packets that are due, each with whether its frame is wanted."""
        self._waiting.append(packet)
        if packet.pts is None:
            self.complete = False
        elif not packet.is_discard:
            insort(self._stamps, packet.pts)
            length_s = packet.duration * self._timing.tick_s if packet.duration else self._timing.frame_s
            self.end_s = max(self.end_s, self._timing.at(packet.pts) + length_s)
        if len(self._waiting) > AHEAD:
            due = self._waiting.popleft()
            yield due, self._wants(due)
            if len(self._stamps) > 8 * AHEAD:  # the older half is long past
                del self._stamps[: 4 * AHEAD]

    def finish(self) -> Iterator[tuple[Any, bool]]:
        """Yield what is left, as far as the last wanted frame; all of it if no frame was wanted."""
        rest = [(packet, self._wants(packet)) for packet in self._waiting]
        last = max((i for i, (_, wanted) in enumerate(rest) if wanted), default=-1)
        yield from rest[: last + 1] if self.expected else rest

    def _wants(self, packet: Any) -> bool:
        if packet.pts is None:
            return True
        if packet.is_discard:
            return False
        # The arithmetic of `Timing.first` and `Timing.passed`, with what is the same for all packets at hand: this runs
        # for every packet.
        interval_s, slack_s = self._timing.interval_s, self._slack_s
        after = bisect_right(self._stamps, packet.pts)
        if after < len(self._stamps):
            until_s = self._timing.at(self._stamps[after]) - slack_s
        else:
            until_s = self.end_s - ROUNDING_S
        from_s = self._timing.at(packet.pts) - slack_s
        until_s = min(until_s, from_s + MOST_SHOWN_S)  # a leap; what the decoder gives will show it
        k = max(1, math.floor(from_s / interval_s))
        while k * interval_s < from_s:
            k += 1
        first = k
        while k * interval_s < until_s:
            self.expected[k] = packet.pts
            k += 1
        return k > first
