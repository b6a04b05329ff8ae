"""What a training says when it is stopped from outside, as a cluster does when a job's time is over."""

from __future__ import annotations

import logging
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from avsieve.training.state import State

logger = logging.getLogger(__name__)
# As a shell reports a program that SIGTERM ended.
TERMINATED = 128 + signal.SIGTERM


@contextmanager
def told_when_stopped(first: bool, state: State, total: int, checkpoint: Path | None) -> Iterator[None]:
    """Say how far the training is, and how it goes on, when SIGTERM comes; then end as that signal would.

    Parameters
    ----------
    first
        Whether this is the first of several processes: the others say nothing.
    state, total
        How far it is, and how many steps it has.
    checkpoint
        Where its state lies, once there is one.

    Raises
    ------
    SystemExit
        On SIGTERM.
    """
    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread may say what becomes of signals
        return
    own = os.getpid()

    def stop(number: int, frame: Any) -> None:
        if os.getpid() != own:
            # A process that prepares batches, which has inherited this.
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)
        if first:
            kept = "no state was left behind yet, so it begins anew"
            if checkpoint is not None and checkpoint.exists():
                kept = f"it goes on from {checkpoint}"
            logger.warning(
                "stopped after step %d of %d (SIGTERM: cancelled, or the job's time was over): run the same command "
                "again, and %s",
                state.step,
                total,
                kept,
            )
        raise SystemExit(TERMINATED)

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
