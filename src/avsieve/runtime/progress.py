"""Progress: a bar on a terminal, a plain line now and then in a log."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Iterable, Iterator, Sized
from typing import TypeVar

Item = TypeVar("Item")
logger = logging.getLogger(__name__)


def progress(items: Iterable[Item], what: str, total: int | None = None, every_s: float = 10.0) -> Iterator[Item]:
    """Yield ``items`` while telling how far it is, how fast, and how long it will take.

    On a terminal this is a bar; elsewhere one log line every ``every_s`` seconds and one at the end.
    """
    if total is None and isinstance(items, Sized):
        total = len(items)
    if sys.stderr.isatty():
        from tqdm import tqdm

        yield from tqdm(items, desc=what, total=total, leave=False)
        return
    start = last = time.monotonic()
    done = 0
    for done, item in enumerate(items, start=1):
        yield item
        now = time.monotonic()
        if now - last >= every_s:
            last = now
            rate = done / (now - start)
            left = f", {(total - done) / rate:.0f} s left" if total else ""
            logger.info("%s: %d of %s, %.1f/s%s", what, done, total or "?", rate, left)
    seconds = time.monotonic() - start
    logger.info("%s: %d done in %.1f s (%.1f/s)", what, done, seconds, done / max(seconds, 1e-9))
