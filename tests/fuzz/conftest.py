"""How many cases each parser gets: few in CI, ``AVSIEVE_FUZZ=100000`` (or another number) in a long run."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, Phase, settings

CASES = int(os.environ.get("AVSIEVE_FUZZ", "0"))
# The same cases each time in CI: a change that has nothing to do with a parser does not fail by chance.
settings.register_profile(
    "fuzz",
    max_examples=CASES or 40,
    derandomize=not CASES,
    database=None,
    deadline=None,
    phases=(Phase.explicit, Phase.generate, Phase.shrink) if CASES else (Phase.explicit, Phase.generate),
    suppress_health_check=list(HealthCheck),
)
FUZZ = settings.get_profile("fuzz")
