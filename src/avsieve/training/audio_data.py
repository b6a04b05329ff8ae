"""Batches of speech crops as a function of the step, read from wav shards."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from avsieve.encoders.waves import as_float, samples_of
from avsieve.errors import ListError
from avsieve.lists import read_train_list
from avsieve.shards import ShardReader
from avsieve.training.augment import Augmenter, speed

logger = logging.getLogger(__name__)
RATE = 16_000
# Streams of random numbers that must not meet.
_ORDER, _CROPS = 0, 1


class Speech:
    """The utterances of a training list that the shards hold, with their classes.

    Classes are the ranks of the speakers present in the list: a speaker taken out shifts the later ones.

    Parameters
    ----------
    train_list
        ``speaker wav seconds`` lines.
    tars
        Wav shards of the extraction stage, their indexes beside them.
    max_missing
        Largest share of the list that the shards may lack (utterances whose sound could not be decoded).

    Attributes
    ----------
    utterances, labels
        Ids, and (N,) int64 classes.
    classes
        Number of speakers in the list.

    Raises
    ------
    ListError
        If the shards lack more than ``max_missing`` of the list.
    """

    def __init__(self, train_list: Path, tars: Sequence[Path], max_missing: float = 0.5) -> None:
        listed = read_train_list(train_list)
        self._readers = [ShardReader(tar) for tar in tars]
        home = {u: i for i, reader in enumerate(self._readers) for u in reader.utterances}
        present = listed[listed["utterance"].isin(home)]
        missing = len(listed) - len(present)
        if not len(present) or missing > max_missing * len(listed):
            raise ListError(
                f"{train_list}: {missing} of {len(listed)} utterances are in none of {len(tars)} shards; expected at "
                f"most {max_missing:.0%}: are they the shards of this list?"
            )
        if missing:
            logger.warning("%s: %d of %d utterances have no sound and are left out", train_list, missing, len(listed))
        ranks = {speaker: i for i, speaker in enumerate(sorted(listed["speaker"].unique()))}
        self.utterances: list[str] = present["utterance"].tolist()
        self.labels = present["speaker"].map(ranks).to_numpy(np.int64)
        self.classes = len(ranks)
        self._homes = [home[u] for u in self.utterances]

    def __len__(self) -> int:
        return len(self.utterances)

    def wave(self, index: int) -> np.ndarray:
        """Return the samples of an utterance, (n,) int16."""
        utterance = self.utterances[index]
        return samples_of(self._readers[self._homes[index]].read(f"{utterance}.wav"), utterance)

    def crop(self, index: int, n: int, rng: np.random.Generator) -> np.ndarray:
        """Return ``n`` samples from a random place, (n,) float32; a shorter utterance is repeated."""
        samples = self.wave(index)
        if len(samples) > n:
            start = int(rng.integers(len(samples) - n + 1))
            return as_float(samples[start : start + n])
        return np.resize(as_float(samples), n)


class CropBatches(Dataset):
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
        Treats each crop; None leaves it.
    seed
        Decides order, crops and treatments.
    """

    def __init__(
        self,
        speech: Speech,
        *,
        steps: int,
        batch: int,
        crop_s: float = 2.0,
        speeds: tuple[float, ...] = (1.0,),
        augmenter: Augmenter | None = None,
        seed: int = 0,
    ) -> None:
        self.speech, self.steps, self.batch, self.seed = speech, steps, batch, seed
        self.n = round(crop_s * RATE)
        self.speeds = speeds
        self.augmenter = augmenter
        self._several = len(np.unique(speech.labels)) > 1
        self._orders: dict[int, np.ndarray] = {}

    @property
    def classes(self) -> int:
        """Number of classes: speakers times speeds."""
        return self.speech.classes * len(self.speeds)

    def __len__(self) -> int:
        return self.steps

    def _order(self, epoch: int) -> np.ndarray:
        if epoch not in self._orders:
            rng = np.random.default_rng([self.seed, _ORDER, epoch])
            self._orders = {e: o for e, o in self._orders.items() if e == epoch - 1}
            self._orders[epoch] = rng.permutation(len(self.speech) * len(self.speeds))
        return self._orders[epoch]

    def __getitem__(self, step: int) -> tuple[Tensor, Tensor]:
        if not 0 <= step < self.steps:
            raise IndexError(step)
        length = len(self.speech) * len(self.speeds)
        waves = np.empty((self.batch, self.n), np.float32)
        labels = np.empty(self.batch, np.int64)
        for row in range(self.batch):
            epoch, place = divmod(step * self.batch + row, length)
            played, index = divmod(int(self._order(epoch)[place]), len(self.speech))
            rng = np.random.default_rng([self.seed, _CROPS, step, row])
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
