"""Worker processes: clips are decoded side by side, each under its limits.

Threads would share Python's lock, which costs decoding a sixth of its speed.
"""

from __future__ import annotations

import queue
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from types import TracebackType
from typing import Any, Self, TypeVar

import cv2

from avsieve.media.decoded import Decoded
from avsieve.media.guard import Guard, LostError
from avsieve.media.settings import Limits

Item = TypeVar("Item")


class Workers:
    """Processes that decode clips; as many threads may ask at a time as there are, others wait.

    Make it before any thread is started: a fork takes none along, but might take along what one of them has locked.
    """

    def __init__(self, count: int, limits: Limits) -> None:
        # OpenCV waits for its threads for ever when its settings change in a fork, so it must have none; and a core
        # each is what workers get.
        self._threads = cv2.getNumThreads()
        cv2.setNumThreads(1)
        self._all = ExitStack()
        self._free: queue.SimpleQueue[Guard] = queue.SimpleQueue()
        for _ in range(count):
            self._free.put(self._all.enter_context(Guard(limits.memory_mb, limits.time_s)))

    def run(self, work: Callable[[], Item]) -> Item:
        """Return what ``work`` returns, see `Guard.run`."""
        guard = self._free.get()
        try:
            return guard.run(work)
        finally:
            self._free.put(guard)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._all.close()
        cv2.setNumThreads(self._threads)


def decoded_by(workers: Workers, decode: Callable[..., Decoded], *clip: Any, **settings: Any) -> Decoded:
    """Return what comes out of a clip; where it is lost with its process, that is what is wrong with it."""
    try:
        return workers.run(partial(decode, *clip, **settings))
    except LostError as error:
        lost = Decoded()
        lost.note(error.reason, str(error))
        return lost
