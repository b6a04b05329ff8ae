"""Batches of aligned faces as a function of the step, read from face shards."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from avsieve.errors import TarError
from avsieve.storage.jpeg import image_of
from avsieve.training.encoder.examples import Listed
from avsieve.training.encoder.face_augment import FaceAugmentation
from avsieve.training.sampler import EpochBatches


class Faces(Listed):
    """The utterances of a training list that have aligned faces in the shards, with their classes.

    Parameters
    ----------
    train_list, tars, max_missing
        As `Listed` has them.
    channels
        Order of the planes that a network is given, ``rgb`` or ``bgr``.
    """

    ABSENT = "have no face in"
    LACKING = "have no face"

    def __init__(
        self, train_list: Path, tars: Sequence[Path], max_missing: float = 0.5, *, channels: str = "rgb"
    ) -> None:
        super().__init__(train_list, tars, max_missing)
        self.channels = channels

    def face(self, index: int, rng: np.random.Generator) -> np.ndarray:
        """Return a random face of an utterance, (side, side, 3) uint8 BGR."""
        members = self._members(index)
        return self._decoded(index, *members[int(rng.integers(len(members)))])

    def middle(self, index: int) -> Tensor:
        """Return the face in the middle of an utterance, (3, side, side) uint8."""
        members = self._members(index)
        return as_planes(self._decoded(index, *members[len(members) // 2])[None], self.channels)[0]

    def _members(self, index: int) -> list[tuple[str, bytes]]:
        return list(self.reader(index).of(self.utterances[index]))

    def _decoded(self, index: int, name: str, content: bytes) -> np.ndarray:
        image = image_of(content)
        if image is None:
            raise TarError(f"{self.reader(index).path}: member {name} is not an image; run align_faces again")
        return image


class FaceBatches(EpochBatches):
    """``batches[step]`` -> faces (B, 3, side, side) uint8 and labels (B,) int64.

    Whole bytes, since a quarter of the memory passes between processes and to the device; `Scaled` takes them. Every
    utterance comes once, with one of its faces, before any comes again.

    Parameters
    ----------
    faces
        The utterances.
    steps
        Number of batches.
    batch
        Faces per batch.
    augmentation
        Augments each face; None leaves it.
    seed
        Decides order, faces and augmentation.
    """

    dimensions = 4

    def __init__(
        self, faces: Faces, *, steps: int, batch: int, augmentation: FaceAugmentation | None = None, seed: int
    ) -> None:
        super().__init__(len(faces), steps=steps, batch=batch, seed=seed)
        self.faces, self.augmentation = faces, augmentation

    def __getitem__(self, step: int) -> tuple[Tensor, Tensor]:
        images: list[np.ndarray] = []
        labels = np.empty(len(self.rows), np.int64)
        for row, (index, rng) in enumerate(self.drawn(step)):
            face = self.faces.face(index, rng)
            images.append(face if self.augmentation is None else self.augmentation(face, rng))
            labels[row] = self.faces.labels[index]
        return as_planes(np.stack(images), self.faces.channels), torch.from_numpy(labels)


def as_planes(faces: np.ndarray, channels: str) -> Tensor:
    """Return faces (B, side, side, 3) uint8 BGR as planes (B, 3, side, side) uint8 in the order of ``channels``."""
    ordered = faces[..., ::-1] if channels == "rgb" else faces
    return torch.from_numpy(np.ascontiguousarray(ordered.transpose(0, 3, 1, 2)))


class Scaled(nn.Module):
    """An encoder that takes faces of whole bytes, (B, 3, side, side) uint8, and gets them in [-1, 1]."""

    def __init__(self, encoder: nn.Module) -> None:
        super().__init__()
        self.encoder = encoder

    def forward(self, faces: Tensor) -> Tensor:
        """Map faces to (B, dim)."""
        embeddings: Tensor = self.encoder((faces.float() - 127.5) / 127.5)
        return embeddings
