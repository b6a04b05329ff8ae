"""Batches of aligned faces as a function of the step, read from face shards."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from avsieve.errors import ListError, ShardError
from avsieve.lists import read_train_list
from avsieve.shards import ShardReader
from avsieve.training.face_augment import FaceAugmentation

logger = logging.getLogger(__name__)
# Streams of random numbers that must not meet.
_ORDER, _FACES = 0, 1


class Faces:
    """The utterances of a training list that have aligned faces, with their classes.

    Classes are the ranks of the speakers present in the list: a speaker taken out shifts the later ones.

    Parameters
    ----------
    train_list
        ``speaker wav seconds`` lines.
    tars
        Shards of aligned faces, their indexes beside them.
    max_missing
        Largest share of the list that the shards may lack (utterances without a face).

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
                f"{train_list}: {missing} of {len(listed)} utterances have no face in {len(tars)} shards; expected at "
                f"most {max_missing:.0%}: are they the shards of this list?"
            )
        if missing:
            logger.warning("%s: %d of %d utterances have no face and are left out", train_list, missing, len(listed))
        ranks = {speaker: i for i, speaker in enumerate(sorted(listed["speaker"].unique()))}
        self.utterances: list[str] = present["utterance"].tolist()
        self.labels = present["speaker"].map(ranks).to_numpy(np.int64)
        self.classes = len(ranks)
        self._homes = [home[u] for u in self.utterances]

    def __len__(self) -> int:
        return len(self.utterances)

    def face(self, index: int, rng: np.random.Generator) -> np.ndarray:
        """Return a random face of an utterance, (112, 112, 3) uint8 BGR."""
        reader, utterance = self._readers[self._homes[index]], self.utterances[index]
        members = list(reader.of(utterance))
        name, content = members[int(rng.integers(len(members)))]
        image = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)
        if image is None:
            raise ShardError(f"{reader.path}: member {name} is no image; run align_faces again")
        return image


class FaceBatches(Dataset):
    """``batches[step]`` -> faces (B, 3, 112, 112) float32 RGB in [-1, 1] and labels (B,) int64.

    Every utterance comes once, with one of its faces, before any comes again.

    Parameters
    ----------
    faces
        The utterances.
    steps
        Number of batches.
    batch
        Faces per batch.
    augmentation
        Treats each face; None leaves it.
    seed
        Decides order, faces and treatments.
    """

    def __init__(
        self, faces: Faces, *, steps: int, batch: int, augmentation: FaceAugmentation | None = None, seed: int = 0
    ) -> None:
        self.faces, self.steps, self.batch, self.augmentation, self.seed = faces, steps, batch, augmentation, seed
        self._orders: dict[int, np.ndarray] = {}

    def __len__(self) -> int:
        return self.steps

    def _order(self, epoch: int) -> np.ndarray:
        if epoch not in self._orders:
            rng = np.random.default_rng([self.seed, _ORDER, epoch])
            self._orders = {e: o for e, o in self._orders.items() if e == epoch - 1}
            self._orders[epoch] = rng.permutation(len(self.faces))
        return self._orders[epoch]

    def __getitem__(self, step: int) -> tuple[Tensor, Tensor]:
        if not 0 <= step < self.steps:
            raise IndexError(step)
        images = np.empty((self.batch, 112, 112, 3), np.uint8)
        labels = np.empty(self.batch, np.int64)
        for row in range(self.batch):
            epoch, place = divmod(step * self.batch + row, len(self.faces))
            index = int(self._order(epoch)[place])
            rng = np.random.default_rng([self.seed, _FACES, step, row])
            face = self.faces.face(index, rng)
            images[row] = face if self.augmentation is None else self.augmentation(face, rng)
            labels[row] = self.faces.labels[index]
        return as_input(images), torch.from_numpy(labels)


def as_input(faces: np.ndarray) -> Tensor:
    """Return faces (B, 112, 112, 3) uint8 BGR as a network takes them: (B, 3, 112, 112) float32 RGB in [-1, 1]."""
    ordered = np.ascontiguousarray(faces[..., ::-1].transpose(0, 3, 1, 2))
    return (torch.from_numpy(ordered).float() - 127.5) / 127.5
