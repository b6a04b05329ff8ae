"""The rows of a training for TensorBoard."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from avsieve.errors import ConfigError
from avsieve.training.history import COLUMNS, VALIDATED, Means


class Board:
    """Write every row of the log as scalars, and the speed besides.

    Parameters
    ----------
    folder
        Where; None for nowhere.
    done
        Steps done already: what an earlier run wrote after them is superseded.

    Raises
    ------
    ConfigError
        If the package is absent.
    """

    def __init__(self, folder: Path | None, done: int = 0) -> None:
        self._writer: Any = None
        if folder is None:
            return
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError as error:
            raise ConfigError(
                f"TensorBoard's files are wanted in {folder}, and its package is not there ({error}): "
                f"pip install tensorboard, or leave them out"
            ) from None
        self._writer = SummaryWriter(str(folder), purge_step=done + 1 if done else None)

    def row(self, row: list[float | None], means: Means) -> None:
        """Write a row of the log."""
        if self._writer is None:
            return
        step, *values = row
        for name, value in zip((*COLUMNS[1:], VALIDATED), values, strict=False):
            if value is not None:
                self._writer.add_scalar(name, value, int(step or 0))
        self._writer.add_scalar("steps_per_s", means.steps_per_s, int(step or 0))
        self._writer.flush()

    def close(self) -> None:
        """Write what is left."""
        if self._writer is not None:
            self._writer.close()
