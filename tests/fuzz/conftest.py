"""How many cases each parser gets: few in CI, ``AVSIEVE_FUZZ=100000`` (or another number) in a long run."""

from __future__ import annotations

import os
import random
from collections.abc import Callable

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st

CASES = int(os.environ.get("AVSIEVE_FUZZ", "0"))
# To draw an example takes as long as to read a small file: in a long run each stands for many cases.
BATCH = 100 if CASES >= 1000 else 1
# The same cases each time in CI: a change that has nothing to do with a parser does not fail by chance.
settings.register_profile(
    "fuzz",
    max_examples=CASES // BATCH or 40,
    derandomize=not CASES,
    database=None,
    deadline=None,
    phases=(Phase.explicit, Phase.generate, Phase.shrink) if CASES else (Phase.explicit, Phase.generate),
    suppress_health_check=list(HealthCheck),
)
FUZZ = settings.get_profile("fuzz")

cases = st.integers(0, 2**64 - 1).map(lambda number: range(number * BATCH, (number + 1) * BATCH))
"""Numbers of cases: each begins a generator of random numbers, of which a file is made."""


def try_each(numbers: range, case: Callable[[random.Random], object]) -> None:
    """Try cases; an error tells which one it was of."""
    for number in numbers:
        try:
            case(random.Random(number))
        except BaseException as error:
            error.add_note(f"case {number}")
            raise
