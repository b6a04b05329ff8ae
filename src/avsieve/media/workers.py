"""Worker processes: clips are decoded side by side, and come out in order."""

from __future__ import annotations

import multiprocessing
import os
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from multiprocessing.connection import wait
from typing import TypeVar

Item = TypeVar("Item")
# Below this many items a worker's start costs more than it saves.
FEW = 16


def _end_with_parent() -> None:
    """End this process when the one that started it is gone, however it ended; nobody would take its results."""
    parent = multiprocessing.parent_process()
    if parent is None:
        return

    def watch() -> None:
        wait([parent.sentinel])
        os._exit(1)

    threading.Thread(target=watch, name="watch", daemon=True).start()


def in_processes(work: Sequence[Callable[[], Item]], workers: int) -> Iterator[Item]:
    """Run ``work`` in ``workers`` processes and yield its results in order, never more than four a worker in memory.

    Threads would share Python's lock, which costs decoding a sixth of its speed. One worker, or little work, is run in
    this process. The work must be picklable: a function of a module, with its arguments.
    """
    if workers == 1 or len(work) < FEW * workers:
        yield from (item() for item in work)
        return
    context = multiprocessing.get_context("forkserver")
    with ProcessPoolExecutor(workers, mp_context=context, initializer=_end_with_parent) as pool:
        waiting: deque[Future[Item]] = deque()
        try:
            yield from _fed(pool, work, waiting, 4 * workers)
        finally:
            for future in waiting:
                future.cancel()


def _fed(
    pool: ProcessPoolExecutor, work: Iterable[Callable[[], Item]], waiting: deque[Future[Item]], most: int
) -> Iterator[Item]:
    for item in work:
        waiting.append(pool.submit(item))
        if len(waiting) >= most:
            yield waiting.popleft().result()
    while waiting:
        yield waiting.popleft().result()
