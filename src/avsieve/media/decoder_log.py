"""The decoder's own words: its messages while a clip is read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

import av.logging

_MOST = 3
_LONGEST = 200


@contextmanager
def decoder_words() -> Iterator[list[tuple[int, str, str]]]:
    """Yield a list that gathers the decoder's errors of this thread, as (level, who, message)."""
    if av.logging.get_level() != av.logging.ERROR:
        av.logging.set_skip_repeated(False)  # repetition is told by comparing with any thread's last message
        av.logging.set_level(av.logging.ERROR)
    with av.logging.Capture() as words:
        yield words


def last_words(words: list[tuple[int, str, str]]) -> str:
    """Return the last different messages on one line, ``who: message``, with how often each came."""
    lines = Counter(f"{who}: {' '.join(message.split())[:_LONGEST]}" for _, who, message in words)
    shown = [f"{line} ({times} times)" if times > 1 else line for line, times in lines.items()]
    return ", ".join(shown[-_MOST:])
