"""Threads that work ahead, so that reading, decoding and computing overlap; what comes out keeps its order."""

from __future__ import annotations

import queue
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import NamedTuple, TypeVar

Item = TypeVar("Item")


class _End(NamedTuple):
    """Stands behind the last item: nothing more, or what went wrong."""

    error: BaseException | None


def prefetched(items: Iterable[Item], ahead: int = 3) -> Iterator[Item]:
    """Yield ``items``, which a thread goes through up to ``ahead`` items early.

    What reading raises is raised here, in its place. When the consumer stops early, so does the thread. NumPy, OpenCV
    and torch let other threads run while they copy, decode and compute, so one thread is worth having.
    """
    ready: queue.Queue[Item | _End] = queue.Queue(maxsize=ahead)
    stopped = threading.Event()

    def put(item: Item | _End) -> bool:
        while not stopped.is_set():
            try:
                ready.put(item, timeout=0.1)
            except queue.Full:
                continue
            return True
        return False

    def read() -> None:
        try:
            for item in items:
                if not put(item):
                    return
        except BaseException as error:  # noqa: BLE001 - handed over, and raised where the items are asked for
            put(_End(error))
        else:
            put(_End(None))

    thread = threading.Thread(target=read, name="prefetch", daemon=True)
    thread.start()
    try:
        while True:
            item = ready.get()
            if isinstance(item, _End):
                if item.error is not None:
                    raise item.error
                return
            yield item
    finally:
        stopped.set()
        thread.join()


def in_order(work: Iterable[Callable[[], Item]], workers: int) -> Iterator[Item]:
    """Run ``work`` on ``workers`` threads and yield its results in order, never more than four a thread in memory."""
    waiting: deque[Future[Item]] = deque()
    with ThreadPoolExecutor(workers) as pool:
        try:
            for item in work:
                waiting.append(pool.submit(item))
                if len(waiting) >= 4 * workers:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()
