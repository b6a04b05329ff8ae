from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest

from avsieve.runtime.prefetch import prefetched


def test_items_come_whole_and_in_order() -> None:
    assert list(prefetched(range(100), ahead=2)) == list(range(100))
    assert list(prefetched([])) == []


def test_the_next_item_is_read_while_the_consumer_works_on_one() -> None:
    reading = threading.Event()

    def read() -> Iterator[int]:
        yield 1
        reading.set()
        yield 2

    items = prefetched(read())
    assert next(items) == 1
    assert reading.wait(timeout=10)
    assert list(items) == [2]


def test_no_more_is_read_than_asked_for() -> None:
    seen: list[int] = []

    def read() -> Iterator[int]:
        for i in range(100):
            seen.append(i)
            yield i

    items = prefetched(read(), ahead=2)
    assert next(items) == 0
    time.sleep(0.1)
    assert len(seen) <= 4  # the one in hand, two waiting, one at the door


def test_an_error_comes_after_what_was_read_before_it() -> None:
    def read() -> Iterator[int]:
        yield 1
        raise OSError("disk")

    items = prefetched(read())
    assert next(items) == 1
    with pytest.raises(OSError, match="disk"):
        next(items)


def test_the_thread_ends_with_its_consumer() -> None:
    before = threading.active_count()
    items = prefetched(iter(int, 1))
    next(items)
    items.close()  # type: ignore[attr-defined]
    assert threading.active_count() == before
