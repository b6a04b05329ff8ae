"""What of an utterance's signals goes into a batch: which piece of the voice, and which faces."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import cv2
import numpy as np
import torch

from avsieve.errors import ModelError
from avsieve.joint.reading import SignalReading
from avsieve.joint.signal_batch import SignalBatch
from avsieve.joint.signals import FaceSequence
from avsieve.storage.wav import SAMPLE_RATE, as_float

_CHANNELS = {"rgb": (2, 1, 0), "bgr": (0, 1, 2)}
"""Of a BGR face, in the order of the planes; OpenCV takes them out four times as fast as NumPy."""


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
