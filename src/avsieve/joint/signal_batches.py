"""Voices and faces in batches: for training as a function of the step, for evaluation utterance by utterance."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from avsieve.errors import ConfigError, ListError
from avsieve.joint.reading import SignalReading
from avsieve.joint.signal_batch import SignalBatch
from avsieve.joint.signal_reading import Augmentation, Example, batch_of, example_of
from avsieve.joint.signals import Signals
from avsieve.runtime.prefetch import prefetched
from avsieve.storage.packed_names import PackedNames
from avsieve.storage.wav import SAMPLE_RATE, as_float
from avsieve.training.listed import ListedUtterances
from avsieve.training.sampler import EpochBatches

logger = logging.getLogger(__name__)

_LACKING = {"both": "have no voice or no face", "either": "have neither voice nor face"}
_TRIES = 100  # to find another speaker's voice


class ListedSignals(ListedUtterances):
    """The utterances of a training list whose voices and faces shards hold, with their classes.

    Parameters
    ----------
    train_list
        ``speaker wav seconds`` lines.
    signals
        The shards.
    need
        ``both``: an utterance without one of the modalities is left out; ``either``: it comes without it.
    max_missing
        Largest share of the list that may be left out.

    Raises
    ------
    ListError
        If more than ``max_missing`` of the list is left out.
    """

    def __init__(self, train_list: Path, signals: Signals, *, need: str = "both", max_missing: float = 0.5) -> None:
        self.signals, self.need = signals, need

        def held(utterances: Sequence[str]) -> np.ndarray:
            voices, faces = signals.wavs.hold(utterances), signals.images.hold(utterances)
            return voices & faces if need == "both" else voices | faces

        lacking = _LACKING[need]
        shards = f"{len(signals.wavs.readers)} shards of voices and {len(signals.images.readers)} of faces"
        super().__init__(train_list, held, absent=f"{lacking} in {shards}", lacking=lacking, max_missing=max_missing)


class SignalBatches(EpochBatches):
    """``batches[step]`` -> ``((SignalBatch,), labels)``, labels (B,) int64: always the same for seed and step.

    Every utterance comes once before any comes again. Each row has random numbers of its own: worker processes, and
    processes that share a batch, change nothing.

    Parameters
    ----------
    listed
        The utterances.
    steps
        Number of batches.
    batch
        Utterances per batch.
    reading
        What of an utterance is read.
    augmentation
        Damages each row, see `avsieve.joint.augmentation`; None leaves it.
    seed
        Decides order, pieces, faces and augmentation.

    Raises
    ------
    ConfigError
        If whole voices are to be read, or the list was read for another need.
    """

    dimensions = 4
    """Those of images: networks lie in memory as theirs do."""

    def __init__(
        self,
        listed: ListedSignals,
        *,
        steps: int,
        batch: int,
        reading: SignalReading,
        augmentation: Augmentation | None = None,
        seed: int,
    ) -> None:
        if reading.n is None:
            raise ConfigError("batches of whole voices, and their lengths differ; give crop_s")
        if reading.need != listed.need:
            raise ConfigError(
                f"need is {reading.need!r}, and {listed.need!r} when the list was read; give both the same"
            )
        super().__init__(len(listed), steps=steps, batch=batch, seed=seed)
        self.listed, self.reading, self.augmentation = listed, reading, augmentation
        self._several = len(np.unique(listed.labels)) > 1

    @property
    def classes(self) -> int:
        """Number of classes."""
        return self.listed.classes

    def __getitem__(self, step: int) -> tuple[tuple[SignalBatch], Tensor]:
        drawn = list(self.drawn(step))
        examples = [self._example(index, rng) for index, rng in drawn]
        labels = self.listed.labels[[index for index, _ in drawn]]
        batch = batch_of(examples, self.reading, self.listed.signals.face_size)
        return (batch,), torch.from_numpy(labels)

    def _example(self, index: int, rng: np.random.Generator) -> Example:
        signals, utterance = self.listed.signals, self.listed.utterances[index]
        found = example_of(signals.wave(utterance), signals.faces(utterance), self.reading, signals.face_size, rng)
        if self.augmentation is None:
            return found

        def others(n: int) -> np.ndarray:
            return self._voice_beside(index, n, rng)

        changed = self.augmentation(found, rng, others)
        if changed.wave is None:
            return changed
        return changed._replace(wave=self.reading.piece(changed.wave, 0))  # as long as before, where a piece was left

    def _voice_beside(self, index: int, n: int, rng: np.random.Generator) -> np.ndarray:
        """Return samples (n,) float32 of another speaker; of anybody where there is no other."""
        for _ in range(_TRIES):
            other = int(rng.integers(len(self.listed)))
            if self._several and self.listed.labels[other] == self.listed.labels[index]:
                continue
            wave = self.listed.signals.wave(self.listed.utterances[other])
            if wave is not None:
                start = int(rng.integers(max(0, len(wave) - n) + 1))
                return np.resize(as_float(wave[start : start + n]), n)
        raise ListError(f"{_TRIES} utterances drawn for a babble, and none has a voice of another speaker")


Pair = tuple[str, str]


class SignalItems(Dataset):
    """``items[k]`` -> ``(rows, SignalBatch)``: utterances for evaluation, those of similar length together.

    Nothing is random: the middle of a voice where ``reading`` has a length, or all of it, and evenly spaced faces.

    Parameters
    ----------
    voices
        Where the voices are.
    wanted
        Utterances, or pairs of one whose voice and one whose faces are read; "" for a modality that is missing. Damaged
        versions are utterances like others, in shards of their own.
    reading
        What of an utterance is read.
    faces
        Where the faces are; None for ``voices``.
    batch
        Largest number of utterances in a batch.
    batch_s
        Longest sound of a batch, filled up, in seconds; an utterance longer than that is a batch.
    max_missing
        Largest share of the wanted voices, or faces, that the shards may lack; those are missing modalities.

    Raises
    ------
    ListError
        If the shards lack more.
    """

    def __init__(
        self,
        voices: Signals,
        wanted: Sequence[str] | Sequence[Pair],
        reading: SignalReading,
        *,
        faces: Signals | None = None,
        batch: int = 32,
        batch_s: float = 200.0,
        max_missing: float = 0.5,
    ) -> None:
        self.reading = reading
        self._voices, self._faces = voices, faces or voices
        pairs = [(item, item) if isinstance(item, str) else item for item in wanted]
        self._audio, self._visual = (PackedNames(pair[side] for pair in pairs) for side in (0, 1))
        for what, names, shards in (
            ("voices", self._audio, self._voices.wavs),
            ("faces", self._visual, self._faces.images),
        ):
            asked = [name for name in names if name]
            _check_held(what, asked, shards.hold(asked), max_missing)
        lengths = np.array([self._voices.samples(name) if name else 0 for name in self._audio], np.int64)
        if reading.n is not None:
            lengths = np.full(len(lengths), reading.n)
        self._batches = _batches(lengths, batch, round(batch_s * SAMPLE_RATE))

    def __len__(self) -> int:
        return len(self._batches)

    def __getitem__(self, k: int) -> tuple[np.ndarray, SignalBatch]:
        rows = self._batches[k]
        return rows, batch_of([self._example(row) for row in rows.tolist()], self.reading, self._faces.face_size)

    def _example(self, row: int) -> Example:
        audio, visual = self._audio[row], self._visual[row]
        wave = self._voices.wave(audio) if audio else None
        return example_of(wave, self._faces.faces(visual), self.reading, self._faces.face_size)

    def read(self, workers: int = 0) -> Iterator[tuple[np.ndarray, SignalBatch]]:
        """Yield rows (n,) int64 of what is wanted, and their batch, read ahead by a thread or by worker processes."""
        if not workers:
            return prefetched(self[k] for k in range(len(self)))
        return iter(DataLoader(self, batch_size=None, num_workers=workers, collate_fn=_as_it_is, prefetch_factor=2))


def _as_it_is(item: Any) -> Any:
    return item


def _batches(lengths: np.ndarray, batch: int, samples: int) -> list[np.ndarray]:
    """Return the rows of each batch: by length, so many at most, and so many samples when filled up."""
    order = np.argsort(lengths, kind="stable")
    found, begin = [], 0
    for end in range(1, len(order) + 1):
        full = end - begin >= batch
        if end == len(order) or full or (end + 1 - begin) * int(lengths[order[end]]) > samples:
            found.append(order[begin:end])
            begin = end
    return found


def _check_held(what: str, asked: Sequence[str], held: np.ndarray, max_missing: float) -> None:
    missing = int(len(held) - held.sum())
    if missing > max_missing * len(asked):
        first = asked[int(np.argmin(held))]
        raise ListError(
            f"{missing} of {len(asked)} {what} are in no shard ({first}, ...); expected at most {max_missing:.0%}: are "
            "they the shards of these utterances?"
        )
    if missing:
        logger.warning("%d of %d %s are in no shard: they count as missing", missing, len(asked), what)
