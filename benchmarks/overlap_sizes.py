"""Time and memory of `avsieve overlap` after pooling: made-up centres of two corpora, a hundred people in both.

python benchmarks/overlap_sizes.py                      # 5,994 and 1,251 people, voices and faces
python benchmarks/overlap_sizes.py 360232 1251 visual   # Glint360K and VoxCeleb1, faces alone
"""

from __future__ import annotations

import resource
import sys
import time

import numpy as np

from avsieve.cleansing.two_covariance import Scatter
from avsieve.overlap.people import LEARNED_FROM, People
from avsieve.overlap.search import overlap
from avsieve.runtime.cores import one_core_for_blas

DIM = {"audio": 192, "visual": 512}
SHARED, VIDEOS, LENGTH = 100, 6, 0.6
BLOCK = 256


def identities(who: np.ndarray, dim: int) -> np.ndarray:
    """Return the voices or faces of people by their numbers, (n, dim) float32."""
    found = np.empty((len(who), dim), np.float32)
    for block in np.unique(who // BLOCK):
        rows = np.flatnonzero(who // BLOCK == block)
        drawn = np.random.default_rng((dim, int(block))).standard_normal((BLOCK, dim), np.float32)
        found[rows] = drawn[who[rows] % BLOCK]
    return found


def made_up(who: np.ndarray, seed: int, modalities: list[str]) -> People:
    """Return people ``who``, whose identities depend on their number alone."""
    rng = np.random.default_rng(seed)
    people = People([f"{seed}{k:07d}" for k in who], {}, {}, {}, {}, {}, {}, {}, [["-"]] * len(who))
    for m, dim in DIM.items():
        if m not in modalities:
            dim = 0
        people.centre[m] = np.zeros((len(who), dim), np.float32)
        people.videos[m] = np.full(len(who), VIDEOS if dim else 0)
        people.utterances[m] = people.videos[m] * 4
        halves, scatter = [], Scatter(dim)
        rest = VIDEOS**-0.5 if dim else 0.0
        for block in range(0, len(who) if dim else 0, BLOCK):  # identities are drawn by blocks of numbers
            some = slice(block, block + BLOCK)
            own = identities(who[some], dim)
            noise = rng.standard_normal(own.shape, np.float32) * rest
            people.centre[m][some] = (LENGTH * own + (1 - LENGTH**2) ** 0.5 * noise) / dim**0.5
        for row in range(min(LEARNED_FROM, len(who)) if dim else 0):
            noise = rng.standard_normal((VIDEOS, dim), np.float32)
            E = LENGTH * identities(who[row : row + 1], dim) + (1 - LENGTH**2) ** 0.5 * noise
            E /= np.sqrt(dim)
            people.centre[m][row] = E.mean(axis=0)
            halves.append((E[::2].mean(axis=0), E[1::2].mean(axis=0)))
            scatter.add(E, np.arange(VIDEOS), np.ones(VIDEOS))
        people.half[m] = np.array(halves, np.float32).reshape(len(halves), 2, dim).transpose(1, 0, 2)
        people.half_videos[m] = np.full((2, len(halves)), VIDEOS // 2)
        people.half_of[m] = np.arange(len(halves))
        people.scatter[m] = scatter if dim else None
    return people


def main() -> None:
    """Make both up and compare."""
    first, second = (int(x) for x in (sys.argv[1:3] or ("5994", "1251")))
    modalities = sys.argv[3:] or list(DIM)
    a = made_up(np.arange(first), 1, modalities)
    b = made_up(np.arange(second) + first - SHARED, 2, modalities)
    before, start = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, time.perf_counter()
    found = overlap(a, b)
    seconds, peak = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    right = found.a - (first - SHARED) == found.b
    flagged = found.probability >= 0.5
    print(
        f"{first:,} x {second:,} by {' and '.join(modalities)}: {seconds:.1f} s, {peak:,.0f} MB at most "
        f"({before:,.0f} before); {int(flagged.sum())} pairs from .5, {int((flagged & right).sum())} of them right of "
        f"{SHARED}; expected {found.shared.mean:.1f} ({found.shared.low} to {found.shared.high})"
    )


if __name__ == "__main__":
    with one_core_for_blas(with_scipy=True):
        main()
