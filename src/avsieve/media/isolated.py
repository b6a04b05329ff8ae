"""Single calls in a guarded process: what looks at a clip outside the extraction, whose workers are guarded themselves.

One process serves all calls of a kind, one after the other.
"""

from __future__ import annotations

import math
import os
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TypeVar

from avsieve.media import decode
from avsieve.media.guard import Guard, LostError
from avsieve.media.settings import Limits
from avsieve.media.slices import MediaSlice

Item = TypeVar("Item")
_LIMITS = Limits()
_GUARDS: dict[tuple[int, bool], Guard] = {}
_ONE = threading.Lock()


def isolated(work: Callable[[], Item], *, writes: bool = False) -> Item:
    """Return what ``work`` returns, see `Guard.run`.

    Parameters
    ----------
    work
        A function of a module with its arguments.
    writes
        Whether it writes files.
    """
    with _ONE:
        key = os.getpid(), writes  # a fork has the guards of its parent, and must not talk to them
        if key not in _GUARDS:
            _GUARDS[key] = Guard(_LIMITS.memory_mb, _LIMITS.time_s, writes=writes)
        return _GUARDS[key].run(work)


def end_guards() -> None:
    """End the processes; the next call has another. They hold the pipes that were open when they were started."""
    with _ONE:
        for pid, writes in list(_GUARDS):
            guard = _GUARDS.pop((pid, writes))
            if pid == os.getpid():
                guard.close()


def probe_duration_s(media: MediaSlice | str | Path) -> float:
    """Return the length in seconds that a clip's header gives, or NaN if it cannot be opened or does not say."""
    try:
        return isolated(partial(decode.probe_duration_s, media))
    except LostError:
        return math.nan  # the extraction says what is wrong with it
