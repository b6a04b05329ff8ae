"""The signals of a batch of utterances, as tensors: what a network that embeds and fuses is given."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields, replace

import torch
from torch import Tensor


@dataclass(frozen=True)
class SignalBatch:
    """Voices and faces of B utterances.

    Attributes
    ----------
    waves
        (B, N) float32 in [-1, 1] and somewhat beyond, at 16 kHz, filled up with zeros behind.
    samples
        (B,) int64, how many samples of a row are the voice's; 0 where there is no voice.
    faces
        (B, F, 3, H, W) uint8, planes in the order that was asked for, in the order of time; 0 where there is none.
    face_mask
        (B, F) bool, which faces there are; those of a row stand in front.
    face_times
        (B, F) float32, seconds after the beginning of the row's wave: a face before it has a negative time. 0 where
        there is none.
    """

    waves: Tensor
    samples: Tensor
    faces: Tensor
    face_mask: Tensor
    face_times: Tensor

    def __len__(self) -> int:
        return len(self.samples)

    @property
    def has_audio(self) -> Tensor:
        """Which rows have a voice, (B,) bool."""
        return self.samples > 0

    @property
    def has_visual(self) -> Tensor:
        """Which rows have a face, (B,) bool."""
        return self.face_mask.any(dim=1)

    @property
    def audio_mask(self) -> Tensor:
        """Which samples are the voice's, (B, N) bool."""
        return torch.arange(self.waves.shape[1], device=self.waves.device) < self.samples[:, None]

    def to(self, device: torch.device, *, non_blocking: bool = False) -> SignalBatch:
        """Return it on another device; what is there already is not copied."""
        if self.waves.device == device:
            return self
        return self._each(lambda tensor: tensor.to(device, non_blocking=non_blocking))

    def pin_memory(self) -> SignalBatch:
        """Return it where a GPU can fetch it while the CPU goes on."""
        return self._each(Tensor.pin_memory)

    def rows(self, rows: slice) -> SignalBatch:
        """Return some of its rows."""
        return self._each(lambda tensor: tensor[rows])

    def drop_audio(self, missing: Tensor) -> SignalBatch:
        """Take the voice away where ``missing`` (B,) bool is set."""
        return replace(
            self,
            waves=self.waves.masked_fill(missing[:, None], 0.0),
            samples=self.samples.masked_fill(missing, 0),
        )

    def drop_visual(self, missing: Tensor) -> SignalBatch:
        """Take the faces away where ``missing`` (B,) bool is set."""
        return replace(
            self,
            faces=self.faces.masked_fill(missing[:, None, None, None, None], 0),
            face_mask=self.face_mask & ~missing[:, None],
            face_times=self.face_times.masked_fill(missing[:, None], 0.0),
        )

    def _each(self, change: Callable[[Tensor], Tensor]) -> SignalBatch:
        return replace(self, **{field.name: change(getattr(self, field.name)) for field in fields(self)})
