"""Which sample stands where in which batch: every one once, in a new order, before any comes again."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from torch.utils.data import Dataset

from avsieve.errors import ConfigError

# Streams of random numbers that must not meet.
_ORDER, _SAMPLES = 0, 1


class EpochBatches(Dataset):
    """The order of the samples as a function of seed and step; a subclass makes the batches of them.

    Parameters
    ----------
    length
        Number of samples.
    steps
        Number of batches.
    batch
        Samples per batch.
    seed
        Decides the order, and what a subclass draws for each sample.
    """

    def __init__(self, length: int, *, steps: int, batch: int, seed: int) -> None:
        self.length, self.steps, self.batch, self.seed = length, steps, batch, seed
        self._orders: dict[int, np.ndarray] = {}
        self.rows = range(batch)

    def share(self, rank: int, world: int) -> None:
        """Give only the rows of process ``rank`` of ``world`` from now on; together they are the same batch.

        Raises
        ------
        ConfigError
            If the batch cannot be divided evenly.
        """
        if self.batch % world:
            raise ConfigError(
                f"batch: {self.batch} samples for {world} processes; expected a multiple of {world}, since each "
                f"counts the same"
            )
        each = self.batch // world
        self.rows = range(rank * each, (rank + 1) * each)

    def __len__(self) -> int:
        return self.steps

    def _order(self, epoch: int) -> np.ndarray:
        if epoch not in self._orders:
            rng = np.random.default_rng([self.seed, _ORDER, epoch])
            self._orders = {e: o for e, o in self._orders.items() if e == epoch - 1}
            self._orders[epoch] = rng.permutation(self.length)
        return self._orders[epoch]

    def drawn(self, step: int) -> Iterator[tuple[int, np.random.Generator]]:
        """Yield the samples of a batch, or of this process's share of it, each with random numbers of its own.

        Raises
        ------
        IndexError
            If there is no such step.
        """
        if not 0 <= step < self.steps:
            raise IndexError(step)
        for row in self.rows:
            epoch, place = divmod(step * self.batch + row, self.length)
            yield int(self._order(epoch)[place]), np.random.default_rng([self.seed, _SAMPLES, step, row])
