"""Names of frames: their times, in a unit that keeps them apart.

Frames 0.04 s apart or more are named by 25ths of a second, four digits at least, as AVCleanse names them. Closer ones
are named by thousandths, six digits at least. Either way two frames never have one name, the names have no dots (the
keys of WebDataset end at one), and up to 400 s and 1000 s they sort as the times do.
"""

from __future__ import annotations

import math

from avsieve.errors import AvsieveError

COARSE_S, FINEST_S = 0.04, 0.001
"""From the first on, frames are named by 25ths; closer than the second they cannot be named."""
_FINE_DIGITS = 6
"""Of a name in thousandths, at least; one in 25ths has fewer, up to 4000 s."""
# Products of a number and an interval, such as 3 x 0.1, miss what they stand for by less.
_ROUNDING_S = 1e-6


def frame_name(number: int, interval_s: float) -> str:
    """Return the name of the frame at time ``number`` x ``interval_s``.

    Examples
    --------
    >>> frame_name(1, 0.4), frame_name(2, 0.04), frame_name(2, 0.02)
    ('0010', '0002', '000040')

    Raises
    ------
    AvsieveError
        If ``interval_s`` is below ``FINEST_S``.
    """
    if interval_s < FINEST_S:
        raise AvsieveError(f"interval_s {interval_s}: frames cannot be named closer than {FINEST_S} s; raise it")
    if interval_s < COARSE_S:
        return f"{round(1000 * (number * interval_s)):06d}"
    return f"{round(25 * (number * interval_s)):04d}"


def frame_time_s(name: str) -> float:
    """Return the time that `frame_name` named a frame by, in seconds.

    Examples
    --------
    >>> frame_time_s("0010"), frame_time_s("000040")
    (0.4, 0.04)

    Raises
    ------
    AvsieveError
        If the name is no number.
    """
    if not (name.isascii() and name.isdecimal()):
        raise AvsieveError(f"frame {name!r}; expected a time in 25ths (0010) or thousandths (000400) of a second")
    return int(name) / (1000 if len(name) >= _FINE_DIGITS else 25)


def frames_before(length_s: float, interval_s: float) -> int:
    """Return how many frames a picture of a length has: the numbers k of 1 and more with k x ``interval_s`` before it.

    Examples
    --------
    >>> [frames_before(2.0, s) for s in (0.4, 0.04, 0.0333333, 0.03, 0.02)]
    [4, 49, 60, 66, 99]
    """
    return max(0, math.ceil((length_s - _ROUNDING_S) / interval_s) - 1)
