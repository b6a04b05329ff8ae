"""Batches of speech crops as a function of the step, read from wav shards."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from avsieve.storage.wav import SAMPLE_RATE, as_float, samples_of
from avsieve.training.encoder.augment import Augmenter, speed
from avsieve.training.encoder.examples import Listed
from avsieve.training.sampler import EpochBatches


class Speech(Listed):
    """The utterances of a training list that wav shards of the extraction stage hold, with their classes.

    Missing are those whose sound could not be decoded.
    """

    ABSENT = "are in none of"
    LACKING = "have no sound"

    def wave(self, index: int) -> np.ndarray:
        """Return the samples of an utterance, (n,) int16."""
        utterance = self.utterances[index]
        return samples_of(self.reader(index).read(f"{utterance}.wav"), utterance)

    def crop(self, index: int, n: int, rng: np.random.Generator) -> np.ndarray:
        """Return ``n`` samples from a random place, (n,) float32; a shorter utterance is repeated."""
        samples = self.wave(index)
        if len(samples) > n:
            start = int(rng.integers(len(samples) - n + 1))
            return as_float(samples[start : start + n])
        return np.resize(as_float(samples), n)

    def centre(self, index: int, n: int) -> Tensor:
        """Return the ``n`` samples in the middle, (n,) float32; a shorter utterance is repeated."""
        samples = as_float(self.wave(index))
        start = max(0, (len(samples) - n) // 2)
        return torch.from_numpy(np.resize(samples[start : start + n], n))


class CropBatches(EpochBatches):
    """``batches[step]`` -> waves (B, n) float32 and labels (B,) int64.

    Every utterance comes once before any comes again. With ``speeds``, each utterance is also played faster and slower,
    and each speed of a speaker is a class of its own, since the voice changes with it.

    Parameters
    ----------
    speech
        The utterances.
    steps
        Number of batches.
    batch
        Crops per batch.
    crop_s
        Length of a crop, seconds.
    speeds
        Speed factors in hundredths; 1.0 is the voice as it is.
    augmenter
        Augments each crop; None leaves it.
    seed
        Decides order, crops and augmentation.
    """

    dimensions = 2

    def __init__(
        self,
        speech: Speech,
        *,
        steps: int,
        batch: int,
        crop_s: float,
        speeds: Sequence[float] = (1.0,),
        augmenter: Augmenter | None = None,
        seed: int,
    ) -> None:
        super().__init__(len(speech) * len(speeds), steps=steps, batch=batch, seed=seed)
        self.speech = speech
        self.n = round(crop_s * SAMPLE_RATE)
        self.speeds = speeds
        self.augmenter = augmenter
        self._several = len(np.unique(speech.labels)) > 1

    @property
    def classes(self) -> int:
        """Number of classes: speakers times speeds."""
        return self.speech.classes * len(self.speeds)

    def __getitem__(self, step: int) -> tuple[Tensor, Tensor]:
        waves = np.empty((len(self.rows), self.n), np.float32)
        labels = np.empty(len(self.rows), np.int64)
        for row, (sample, rng) in enumerate(self.drawn(step)):
            played, index = divmod(sample, len(self.speech))
            waves[row] = self._crop(index, self.speeds[played], rng)
            labels[row] = played * self.speech.classes + self.speech.labels[index]
        return torch.from_numpy(waves), torch.from_numpy(labels)

    def _crop(self, index: int, factor: float, rng: np.random.Generator) -> np.ndarray:
        if factor == 1.0:
            wave = self.speech.crop(index, self.n, rng)
        else:
            wave = np.resize(speed(self.speech.crop(index, round(self.n * factor) + 1, rng), factor), self.n)
        if self.augmenter is None:
            return wave

        def others(n: int) -> np.ndarray:
            other = int(rng.integers(len(self.speech)))
            while self._several and self.speech.labels[other] == self.speech.labels[index]:
                other = int(rng.integers(len(self.speech)))
            return self.speech.crop(other, n, rng)

        return self.augmenter(wave, rng, others)
