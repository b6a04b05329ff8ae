"""Numbers and times as an estimate is written: with two digits."""

from __future__ import annotations

import math


def two_digits(value: float) -> str:
    """Write a number with the two digits that an estimate has.

    >>> two_digits(1234.0), two_digits(0.01234)
    ('1,200', '0.012')
    """
    if value <= 0 or math.isnan(value):
        return "0"
    digits = 1 - math.floor(math.log10(value))
    rounded = round(value, digits)
    return f"{rounded:,.{max(0, 1 - math.floor(math.log10(rounded)))}f}"


def in_words(hours: float) -> str:
    """Write a time as seconds, minutes, hours or days, with two digits.

    >>> in_words(0.001), in_words(30.0)
    ('3.6 s', '30 h')
    """
    for unit, length in (("d", 48.0), ("h", 1.0), ("min", 1 / 60)):
        if hours >= length:
            return f"{two_digits(hours / (24.0 if unit == 'd' else length))} {unit}"
    return f"{two_digits(hours * 3600)} s"
