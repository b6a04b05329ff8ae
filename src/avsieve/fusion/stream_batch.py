"""One modality of a batch, as tensors on the device: what a fusion network is given."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields, replace

import numpy as np
import torch
from torch import Tensor

from avsieve.errors import ModelError
from avsieve.fusion.inputs import Stream
from avsieve.fusion.sequences import Reading


@dataclass(frozen=True)
class StreamBatch:
    """One modality of B utterances.

    Attributes
    ----------
    pooled, present
        (B, D) float32 and (B,) bool: an embedding per utterance, and whether there is one.
    sequence, mask
        (B, T, D) float32 and (B, T) bool: segments or faces in the order of time, and which of them exist. None where
        the network reads none (`NeuralFusion.readings`).
    start_s, length_s, quality
        (B, T) float32, see `avsieve.fusion.sequences.SequenceBatch`.
    """

    pooled: Tensor
    present: Tensor
    sequence: Tensor | None = None
    mask: Tensor | None = None
    start_s: Tensor | None = None
    length_s: Tensor | None = None
    quality: Tensor | None = None

    @classmethod
    def of(
        cls,
        stream: Stream,
        rows: np.ndarray,
        device: torch.device,
        reading: Reading | None = None,
        rng: np.random.Generator | None = None,
    ) -> StreamBatch:
        """Bring rows of a stream to the device, with what ``reading`` wants of its sequences.

        An ``rng`` draws the items of training examples (`avsieve.fusion.sequences.places_of`).
        """
        arrays = {"pooled": stream.pooled[rows], "present": stream.present[rows]}
        if reading is not None:
            found = reading.read(stream.sequences, rows, rng)
            arrays |= {"sequence": found.vectors, "mask": found.mask & arrays["present"][:, None]}
            arrays |= {name: getattr(found, name) for name in ("start_s", "length_s", "quality")}
        return cls(**{name: torch.from_numpy(np.ascontiguousarray(a)).to(device) for name, a in arrays.items()})

    def to(self, device: torch.device, *, non_blocking: bool = False) -> StreamBatch:
        """Return it on another device; what is there already is not copied."""
        if self.pooled.device == device:
            return self
        return self._each(lambda tensor: tensor.to(device, non_blocking=non_blocking))

    def pin_memory(self) -> StreamBatch:
        """Return it where a GPU can fetch it while the CPU goes on."""
        return self._each(Tensor.pin_memory)

    def rows(self, rows: slice) -> StreamBatch:
        """Return some of its rows."""
        return self._each(lambda tensor: tensor[rows])

    def _each(self, change: Callable[[Tensor], Tensor]) -> StreamBatch:
        found = {f.name: getattr(self, f.name) for f in fields(self)}
        return replace(self, **{name: change(value) for name, value in found.items() if value is not None})

    def drop(self, missing: Tensor) -> StreamBatch:
        """Take the modality away where ``missing`` (B,) is set."""
        pooled = self.pooled.masked_fill(missing[:, None], 0.0)
        if self.sequence is None or self.mask is None:
            return replace(self, pooled=pooled, present=self.present & ~missing)
        sequence = self.sequence.masked_fill(missing[:, None, None], 0.0)
        mask = self.mask & ~missing[:, None]
        return replace(self, pooled=pooled, present=self.present & ~missing, sequence=sequence, mask=mask)

    def items(self) -> tuple[Tensor, Tensor]:
        """Return the sequence and its mask, for a network that reads one.

        Raises
        ------
        ModelError
            If the batch has none.
        """
        if self.sequence is None or self.mask is None:
            raise ModelError("a batch without the sequence that the network reads; name it in `readings`")
        return self.sequence, self.mask
