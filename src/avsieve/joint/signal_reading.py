"""What of an utterance's signals goes into a batch: which piece of the voice, and which faces."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, NamedTuple

import cv2
import numpy as np
import torch

from avsieve.errors import ConfigError, ModelError
from avsieve.joint.signal_batch import SignalBatch
from avsieve.joint.signals import FaceSequence
from avsieve.storage.wav import SAMPLE_RATE, as_float

_CHANNELS = {"rgb": (2, 1, 0), "bgr": (0, 1, 2)}
"""Of a BGR face, in the order of the planes; OpenCV takes them out four times as fast as NumPy."""

Choice = Literal["random", "even", "crop"]


@dataclass(frozen=True)
class SignalReading:
    """What is read of an utterance.

    Parameters
    ----------
    crop_s
        Length of the piece of the voice, seconds; None for the whole of it, which only `SignalItems` can read.
    faces
        Faces of an utterance, F. Fewer are padded.
    choice
        ``random``: any of them; ``even``: evenly over all; ``crop``: those within the piece of the voice, evenly where
        they are more than F. In training a voice's piece is drawn among those that hold a face. Where none holds one,
        the face nearest to its middle is taken.
    within
        ``crop`` lets ``random`` and ``even`` choose among the faces within the piece of the voice, as ``choice`` of
        that name does; ``utterance`` among all.
    short
        What becomes of a voice shorter than the piece: ``repeat``, or ``pad`` with zeros.
    need
        Which utterances are read: those with ``both`` modalities, or with ``either``.
    channels
        Order of the planes of a face, ``rgb`` or ``bgr``.

    Raises
    ------
    ConfigError
        If one of them is none of these.
    """

    crop_s: float | None = 3.0
    faces: int = 1
    choice: Choice = "random"
    within: Literal["utterance", "crop"] = "utterance"
    short: Literal["repeat", "pad"] = "repeat"
    need: Literal["both", "either"] = "both"
    channels: Literal["rgb", "bgr"] = "rgb"

    def __post_init__(self) -> None:
        if self.faces < 1 or (self.crop_s is not None and round(self.crop_s * SAMPLE_RATE) < 1):
            raise ConfigError(f"{self.faces} faces, a piece of {self.crop_s} s; expected 1 face and 1 sample at least")
        for name, expected in (
            ("choice", ("random", "even", "crop")),
            ("within", ("utterance", "crop")),
            ("short", ("repeat", "pad")),
            ("need", ("both", "either")),
            ("channels", ("rgb", "bgr")),
        ):
            if getattr(self, name) not in expected:
                raise ConfigError(f"{name} is {getattr(self, name)!r}; expected {' or '.join(expected)}")

    @property
    def n(self) -> int | None:
        """Samples of a piece; None for the whole voice."""
        return None if self.crop_s is None else round(self.crop_s * SAMPLE_RATE)

    @property
    def in_crop(self) -> bool:
        """Whether faces are those of the same time as the piece of the voice."""
        return self.choice == "crop" or self.within == "crop"

    def drawn_start(self, length: int, times_s: np.ndarray, rng: np.random.Generator) -> int:
        """Return a sample to begin at, among the places that hold a face where the faces are those of the piece.

        Parameters
        ----------
        length
            Of the voice in samples.
        times_s
            Of the faces.
        """
        assert self.n is not None
        last = length - self.n
        if last <= 0:
            return 0
        at = np.floor(times_s[np.isfinite(times_s)] * SAMPLE_RATE).astype(np.int64)
        low, high = np.maximum(at - self.n + 1, 0), np.minimum(at, last)
        spans = [(a, b) for a, b in zip(low.tolist(), high.tolist(), strict=True) if a <= b]
        if not self.in_crop or not spans:
            return int(rng.integers(last + 1))
        apart: list[tuple[int, int]] = []  # the same places, none twice
        for a, b in spans:
            a = max(a, apart[-1][1] + 1) if apart else a
            if a <= b:
                apart.append((a, b))
        place = int(rng.integers(sum(b - a + 1 for a, b in apart)))
        for a, b in apart:
            if place <= b - a:
                return a + place
            place -= b - a + 1
        raise AssertionError("a place beyond the last one")

    def piece(self, wave: np.ndarray, start: int) -> np.ndarray:
        """Return the piece of a voice (n,) from a sample on, of the type of ``wave``."""
        if self.n is None:
            return wave
        found = wave[start : start + self.n]
        return np.resize(found, self.n) if self.short == "repeat" and len(found) < self.n else found

    def chosen(
        self, faces: FaceSequence, start_s: float, length_s: float, rng: np.random.Generator | None = None
    ) -> np.ndarray:
        """Return which faces are read, in the order of time.

        Parameters
        ----------
        start_s, length_s
            The piece of the voice.
        rng
            Draws where the choice is ``random``; without one it is even.

        Raises
        ------
        ModelError
            If faces of the same time are wanted and their times are not known.
        """
        among = np.arange(len(faces))
        if self.in_crop and len(faces):
            if np.isnan(faces.times_s).any():
                raise ModelError(
                    f"{faces.name}: faces from the time of the crop are wanted, and names like this tell no time "
                    f"(0010.jpg is 0.4 s); choose faces over the whole utterance"
                )
            inside = (faces.times_s >= start_s) & (faces.times_s < start_s + length_s)
            among = np.flatnonzero(inside)
            if not len(among):
                among = np.array([np.abs(faces.times_s - start_s - length_s / 2).argmin()])
        if len(among) <= self.faces:
            return among
        if self.choice == "random" and rng is not None:
            return np.sort(rng.choice(among, self.faces, replace=False))
        return among[(2 * np.arange(self.faces) + 1) * len(among) // (2 * self.faces)]


class Example(NamedTuple):
    """A row of a batch.

    Attributes
    ----------
    wave
        (n,) float32, or None without a voice.
    faces, times_s
        (k, H, W, 3) uint8 BGR and (k,) seconds after the beginning of the wave.
    """

    wave: np.ndarray | None
    faces: np.ndarray
    times_s: np.ndarray


Others = Callable[[int], np.ndarray]
"""``others(n)`` returns ``n`` samples of another speaker, (n,) float32."""
Augmentation = Callable[[Example, np.random.Generator, Others], Example]
"""Returns a row as a paper's training damages it; the generator decides everything."""


def example_of(
    wave: np.ndarray | None,
    faces: FaceSequence,
    reading: SignalReading,
    size: tuple[int, int],
    rng: np.random.Generator | None = None,
) -> Example:
    """Return what is read of a voice (n,) int16 and of faces: at random, or without ``rng`` the middle and evenly.

    Raises
    ------
    TarError
        If a face is not what was written, or no image.
    ModelError
        As `SignalReading.chosen` and `decoded` say.
    """
    times = faces.times_s
    # Without a voice the piece lies where the faces are.
    length = len(wave) if wave is not None else int(SAMPLE_RATE * np.nan_to_num(times).max(initial=0)) + 1
    n = length if reading.n is None else reading.n
    start = max(0, length - n) // 2 if rng is None else reading.drawn_start(length, times, rng)
    start_s = start / SAMPLE_RATE
    chosen = reading.chosen(faces, start_s, np.inf if reading.n is None else n / SAMPLE_RATE, rng)
    piece = None if wave is None else as_float(reading.piece(wave, start))
    return Example(piece, decoded(faces, chosen, size), times[chosen] - start_s)


def decoded(faces: FaceSequence, chosen: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Return some faces, (k, H, W, 3) uint8 BGR.

    Raises
    ------
    ModelError
        If one is not of the size (H, W).
    """
    found = np.empty((len(chosen), *size, 3), np.uint8)
    for k, which in enumerate(chosen.tolist()):
        _, face = faces[which]
        if face.shape[:2] != size:
            raise ModelError(
                f"{faces.name}: a face of {face.shape[1]} x {face.shape[0]} pixels; expected {size[1]} x {size[0]}, as "
                "the first has: faces of one kind in all shards"
            )
        found[k] = face
    return found


def batch_of(examples: list[Example], reading: SignalReading, size: tuple[int, int]) -> SignalBatch:
    """Return examples as a batch; without a fixed length of the pieces it is that of the longest."""
    lengths = [0 if e.wave is None else len(e.wave) for e in examples]
    waves = np.zeros((len(examples), reading.n or max([1, *lengths])), np.float32)
    planes = np.zeros((len(examples), reading.faces, 3, *size), np.uint8)
    mask = np.zeros((len(examples), reading.faces), bool)
    times = np.zeros((len(examples), reading.faces), np.float32)
    for row, (wave, faces, times_s) in enumerate(examples):
        if wave is not None:
            waves[row, : len(wave)] = wave
        for k, face in enumerate(faces):
            for channel, plane in zip(_CHANNELS[reading.channels], planes[row, k], strict=True):
                cv2.extractChannel(face, channel, plane)
        mask[row, : len(faces)] = True
        times[row, : len(faces)] = times_s
    arrays = (waves, np.array(lengths, np.int64), planes, mask, times)
    return SignalBatch(*map(torch.from_numpy, arrays))
