"""Trials, a cohort, and encoders of synthetic people."""

from __future__ import annotations

import numpy as np

from avsieve.evaluation.trial_maker import make_trials

NAMES = [f"t{s:02d}/v{v}/{u}" for s in range(20) for v in range(3) for u in range(2)]
COHORT = [f"c{s:02d}/v/{u}" for s in range(30) for u in range(3)]
TRIALS = make_trials(NAMES, max_targets=200)


def embed(names, noise, seed):
    """Embeddings of people: a direction of their own, and noise."""
    rng = np.random.default_rng(seed)
    people = sorted({n.split("/")[0] for n in names})
    own = np.random.default_rng(7).standard_normal((len(people), 12))
    place = [people.index(n.split("/")[0]) for n in names]
    return (own[place] + noise * rng.standard_normal((len(names), 12))).astype(np.float32)
