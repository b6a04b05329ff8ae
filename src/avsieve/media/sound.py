"""Sound: from the frames of an audio stream to 16 kHz mono, sample for sample what ``ffmpeg -ac 1 -ar 16000`` gives.

Channels are mixed as swresample mixes them: those of a stereo pair by their mean, those of 5.1 with the weights of its
matrix, scaled so that nothing clips. Nothing else is done to the loudness. Silence before a sound that sets in late and
gaps between packets are not filled: the wav holds the samples that there are.
"""

from __future__ import annotations

import math
from typing import Any

import av
import numpy as np

from avsieve.media.limits import too_long
from avsieve.storage.wav import SAMPLE_RATE

# Sound is converted in blocks of this many samples: by single frames of 1,024 it would cost as much as decoding.
_BLOCK = 1 << 18
# What swresample would only round: setting it up costs as much as decoding two seconds.
_RIGHT_BUT_FLOAT = {("flt", "mono", SAMPLE_RATE), ("fltp", "mono", SAMPLE_RATE)}


class SoundTaker:
    """Gather the frames of an audio stream; `finish` returns the samples.

    Sound of more than ``longest_s`` seconds is refused before it is converted: at 1 Hz it would grow by 16,000 times.
    """

    def __init__(self, longest_s: float = math.inf) -> None:
        self._longest_s = longest_s
        self._length_s = 0.0
        self._kind: tuple[Any, ...] | None = None
        self._fifo: Any = None
        self._resampler: Any = None
        self._parts: list[np.ndarray] = []
        self._excess = 0
        self.starts_at_s: float | None = None

    def push(self, frame: Any, lasts_s: float = 0.0) -> None:
        """Take a frame; its format may change from frame to frame.

        ``lasts_s`` is how long the container says that it sounds, in seconds, if it says so. It counts for the last
        frame only, which encoders fill up: ffmpeg cuts it since version 9, earlier libraries leave that to us.
        """
        if self.starts_at_s is None:
            self.starts_at_s = frame.time or 0.0
        self._length_s += frame.samples / max(frame.sample_rate, 1)
        if self._length_s > self._longest_s:
            raise too_long("audio", self._length_s, self._longest_s)
        kind = (frame.format.name, frame.layout.name, frame.sample_rate)
        if kind != self._kind:
            self._flush()
            self._kind = kind
            self._fifo = av.AudioFifo()
            self._resampler = av.AudioResampler(format="s16", layout="mono", rate=SAMPLE_RATE)
        elif self._fifo.samples >= _BLOCK:
            self._convert()
        frame.pts = None  # the samples are joined, whatever their times
        self._fifo.write(frame)
        said = round(lasts_s * frame.sample_rate)
        self._excess = frame.samples - said if 0 < said < frame.samples else 0

    def finish(self) -> np.ndarray | None:
        """Return the samples (n,) int16 at 16 kHz, or ``None`` if there are none."""
        self._flush(self._excess)
        return np.concatenate(self._parts) if self._parts else None

    def _convert(self, without: int = 0) -> None:
        block = self._fifo.read(self._fifo.samples - without) if self._fifo.samples > without else None
        if block is None:
            return
        if self._kind in _RIGHT_BUT_FLOAT:
            steps = np.rint(block.to_ndarray()[0] * np.float32(32768))
            self._parts.append(np.clip(steps, -32768, 32767).astype(np.int16))
        else:
            block.pts = None
            self._parts += [f.to_ndarray()[0] for f in self._resampler.resample(block)]

    def _flush(self, without: int = 0) -> None:
        if self._fifo is None:
            return
        self._convert(without)
        # What the resampler still holds; it passes on frames that are right already, and then holds none.
        self._parts += [f.to_ndarray()[0] for f in self._resampler.resample(None) if f is not None]
