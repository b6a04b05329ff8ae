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
from multiprocessing.connection import wait
from typing import TypeVar

import cv2

from avsieve.errors import AvsieveError
from avsieve.runtime.memory import MORE_MEMORY

Item = TypeVar("Item")
# Long enough that this process has something to do until the others have started.
QUEUE = 8


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
    waiting: deque[tuple[Callable[[], Item], Future[Item]]] = deque()
    with ProcessPoolExecutor(workers - 1, mp_context=context, initializer=_end_with_parent) as pool:
        try:
            for item in work:
                waiting.append((item, pool.submit(item)))
                if len(waiting) >= QUEUE * workers:
                    yield _next(waiting)
            while waiting:
                yield _next(waiting)
        except BrokenProcessPool:
            raise AvsieveError(
                f"one of {workers - 1} worker processes was killed, most likely for want of memory (dmesg tells of an "
                f"oom-kill); {MORE_MEMORY}. What is finished is kept"
            ) from None
        finally:
            for _, future in waiting:
                future.cancel()
            cv2.setNumThreads(threads)


def _next(waiting: deque[tuple[Callable[[], Item], Future[Item]]]) -> Item:
    """Return the result that is due, working until it is ready."""
    while not waiting[0][1].done():
        stolen = next((i for i in reversed(range(len(waiting))) if waiting[i][1].cancel()), None)
        if stolen is None:
            break  # all that is left is being worked on
        here: Future[Item] = Future()
        here.set_result(waiting[stolen][0]())
        waiting[stolen] = (waiting[stolen][0], here)
    return waiting.popleft()[1].result()
