"""Worker processes: clips are decoded side by side, and come out in order."""

from __future__ import annotations

import multiprocessing
import os
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing.connection import wait
from typing import Generic, TypeVar

import cv2

from avsieve.errors import AvsieveError
from avsieve.runtime.memory import MORE_MEMORY

Item = TypeVar("Item")
# Long enough that this process has something to do until the others have started.
QUEUE = 8
# Of them the others hold this many each: enough that none waits while this process works on a piece of its own. What
# they hold stays with them: where a process is killed, the executor of Python 3.11 cannot mark a piece that was taken
# back, and all behind it would be waited for without an end.
HELD = 3


@dataclass
class _Piece(Generic[Item]):
    """A piece of work, and where its result will be; nowhere until it is begun or handed over."""

    work: Callable[[], Item]
    future: Future[Item] | None = None

    @property
    def is_done(self) -> bool:
        return self.future is not None and self.future.done()


def _end_with_parent() -> None:
    """End this process when the one that started it is gone, however it ended; nobody would take its results."""
    parent = multiprocessing.parent_process()
    if parent is None:
        return

    def watch() -> None:
        wait([parent.sentinel])
        os._exit(1)

    threading.Thread(target=watch, name="watch", daemon=True).start()


def in_processes(work: Iterable[Callable[[], Item]], workers: int) -> Iterator[Item]:
    """Run ``work`` in ``workers`` processes, this one among them, and yield its results in order.

    Threads would share Python's lock, which costs decoding a sixth of its speed. While the next result is not ready,
    this process takes a piece from the far end of the queue: so nothing waits for the others to start. The work must be
    picklable: a function of a module, with its arguments. Never more than `QUEUE` results a worker are in memory.

    Raises
    ------
    AvsieveError
        If one of the processes was killed, as the system does with the largest when memory runs out.
    """
    if workers == 1:
        yield from (item() for item in work)
        return
    # A fork starts at once. It takes no thread along, and the decoder needs none of those that there may be. OpenCV
    # waits for its own for ever when its settings change, so it must have none; and a core each is what workers get.
    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)
    context = multiprocessing.get_context("fork" if sys.platform == "linux" else None)
    waiting: deque[_Piece[Item]] = deque()
    most = HELD * (workers - 1)
    with ProcessPoolExecutor(workers - 1, mp_context=context, initializer=_end_with_parent) as pool:
        try:
            for item in work:
                waiting.append(_Piece(item))
                _hand_over(waiting, pool, most)
                if len(waiting) >= QUEUE * workers:
                    yield _next(waiting, pool, most)
            while waiting:
                yield _next(waiting, pool, most)
        except BrokenProcessPool:
            raise AvsieveError(
                f"one of {workers - 1} worker processes was killed, most likely for want of memory (dmesg tells of an "
                f"oom-kill); {MORE_MEMORY}. What is finished is kept"
            ) from None
        finally:
            for piece in waiting:
                if piece.future is not None:
                    piece.future.cancel()
            cv2.setNumThreads(threads)


def _hand_over(waiting: deque[_Piece[Item]], pool: ProcessPoolExecutor, most: int) -> None:
    """Give pieces to the other processes, so that they hold ``most``."""
    room = most - sum(piece.future is not None and not piece.is_done for piece in waiting)
    for piece in waiting:
        if room <= 0:
            return
        if piece.future is None:
            piece.future = pool.submit(piece.work)
            room -= 1


def _next(waiting: deque[_Piece[Item]], pool: ProcessPoolExecutor, most: int) -> Item:
    """Return the result that is due, working until it is ready."""
    while not waiting[0].is_done:
        _hand_over(waiting, pool, most)
        own = next((piece for piece in reversed(waiting) if piece.future is None), None)
        if own is None:
            break  # all that is left is being worked on
        own.future = Future()
        own.future.set_result(own.work())
    first = waiting.popleft()
    assert first.future is not None  # handed over, as all before it
    return first.future.result()
