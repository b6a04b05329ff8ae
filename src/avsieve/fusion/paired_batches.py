"""Batches of voices and faces by step: whatever is drawn for a step follows from the seed and the step's number."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from avsieve.errors import ConfigError
from avsieve.fusion.examples import Examples
from avsieve.fusion.inputs import Inputs
from avsieve.fusion.neural import NeuralFusion
from avsieve.fusion.stream_batch import StreamBatch

# Streams of random numbers that must not meet.
_ORDER, _STEP = 0, 1
_LARGE = 1 << 20  # bytes of a batch from which on reading it ahead is worth the hand-over to another thread


class PairedBatches:
    """The examples of a training by step: all of them in every epoch, in a new order.

    Batches are of nearly equal size: batch normalisation does not like a last one of a single row.

    Parameters
    ----------
    network
        Tells what is read of the sequences; its weights are left alone.
    inputs, examples
        The utterances, and the pairs of their voices and faces.
    batch, epochs
        Examples of a batch at least, unless there are fewer, and passes over them.
    drop
        Share of the rows with both modalities that lose one.
    seed
        Decides the order, what is dropped, and which items of sequences are read.

    Attributes
    ----------
    epoch_steps
        Batches of an epoch.
    ahead
        Whether they are slow enough to be read ahead.
    """

    dimensions = 2

    def __init__(
        self,
        network: NeuralFusion,
        inputs: Inputs,
        examples: Examples,
        *,
        batch: int,
        epochs: int,
        drop: float,
        seed: int,
    ) -> None:
        self._network, self._inputs, self._examples = network, inputs, examples
        self._labels = torch.from_numpy(examples.labels)
        self._drop, self._seed, self._epochs = drop, seed, epochs
        self.epoch_steps = max(1, len(examples) // batch)
        self._borders = np.linspace(0, len(examples), self.epoch_steps + 1).astype(np.int64)
        self._rank, self._world = 0, 1
        self._order: tuple[int, np.ndarray] = (-1, np.zeros(0, np.int64))
        self._reads = bool(network.readings)
        streams = inputs.streams.values()
        in_files = any(isinstance(s.pooled, np.memmap) for s in streams)  # a page may have to come from the disk
        self.ahead = self._reads or in_files or 4 * batch * sum(s.dim for s in streams) >= _LARGE

    def __len__(self) -> int:
        return self._epochs * self.epoch_steps

    def share(self, rank: int, world: int) -> None:
        """Give only the rows of process ``rank`` of ``world`` from now on; together they are the same batch.

        Raises
        ------
        ConfigError
            If a process would have none.
        """
        smallest = int(np.diff(self._borders).min())
        if smallest < world:
            raise ConfigError(
                f"batches of {smallest} examples for {world} processes; expected at least one for each: lower devices"
            )
        self._rank, self._world = rank, world

    def weight(self, step: int) -> float:
        """Return the rows of this process as a multiple of an even share of the batch."""
        if self._world == 1:
            return 1.0
        first, last = self._bounds(step)
        mine = self._mine(last - first)
        return (mine.stop - mine.start) * self._world / (last - first)

    def __getitem__(self, step: int) -> tuple[tuple[StreamBatch, StreamBatch], Tensor]:
        """Return voices and faces on the CPU, and the classes (B,) int64.

        Raises
        ------
        IndexError
            If there is no such step.
        """
        if not 0 <= step < len(self):
            raise IndexError(step)
        first, last = self._bounds(step)
        rows, mine = self._epoch(step // self.epoch_steps)[first:last], self._mine(last - first)
        rng = np.random.default_rng([self._seed, _STEP, step])
        draw = rng.random(len(rows)) if self._drop else None
        # Items of sequences are drawn for the whole batch, so that they do not depend on the number of processes.
        read = rows if self._reads else rows[mine]
        audio, visual = self._network.gather(self._inputs, self._examples.audio[read], self._examples.visual[read], rng)
        if self._reads and self._world > 1:
            audio, visual = audio.rows(mine), visual.rows(mine)
        if draw is not None:
            audio, visual = dropped(audio, visual, self._drop, torch.from_numpy(draw[mine]))
        return (audio, visual), self._labels[torch.from_numpy(rows[mine])]

    def _bounds(self, step: int) -> tuple[int, int]:
        place = step % self.epoch_steps
        return int(self._borders[place]), int(self._borders[place + 1])

    def _mine(self, size: int) -> slice:
        return slice(self._rank * size // self._world, (self._rank + 1) * size // self._world)

    def _epoch(self, epoch: int) -> np.ndarray:
        number, order = self._order
        if number != epoch:
            order = np.random.default_rng([self._seed, _ORDER, epoch]).permutation(len(self._examples))
            self._order = (epoch, order)
        return order


def dropped(audio: StreamBatch, visual: StreamBatch, share: float, draw: Tensor) -> tuple[StreamBatch, StreamBatch]:
    """Take one modality from the rows that have both, a ``share`` of them as ``draw`` (B,), from 0 to 1, decides."""
    both = audio.present & visual.present
    return audio.drop(both & (draw < share / 2)), visual.drop(both & (draw >= share / 2) & (draw < share))
