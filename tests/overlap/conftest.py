"""Two corpora of one simulated world, some of whose people are in both, in other videos."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest

from avsieve.cleansing.inputs import Shard, join_shard
from avsieve.overlap.people import People, gather
from avsieve.runtime.cores import one_core_for_blas
from avsieve.simulation.corpus import simulate
from avsieve.simulation.settings import ModalitySpec, NoiseSpec, WorldSpec


@dataclass
class Two:
    """A and B: their shards, their people, and the names of those in both; a person has one name behind a letter."""

    shards: tuple[Shard, Shard]
    people: tuple[People, People]
    shared: set[str]

    def right(self, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        """Tell which pairs (n,) are one person by their labels."""
        first, second = (
            [people.speaker[k][-7:] for k in rows] for people, rows in zip(self.people, (a, b), strict=True)
        )
        return np.array([x == y for x, y in zip(first, second, strict=True)], bool)


def two(seed: int, *, shared: int = 12, twice: int = 0, only: str | None = None, rate: float = 0.05) -> Two:
    """Make sixty and forty people; ``twice`` of the first corpus have two labels there."""
    world = WorldSpec(
        speakers=100 - shared, outsiders=50, videos_per_speaker=8, utterances_per_video=3,
        audio=ModalitySpec(dim=96), visual=ModalitySpec(dim=128),
    )  # fmt: skip
    made = simulate(world, NoiseSpec(rate=rate), seed=seed)
    names = np.random.default_rng(seed).permutation(made.plan["speaker"].unique())
    both, first = set(names[:shared]), set(names[shared:60])
    double = set(names[shared : shared + twice])
    speaker = made.plan["speaker"].to_numpy()
    odd = pd.factorize(made.plan["video"])[0] % 2 == 1
    side = np.where([s in both for s in speaker], odd, [s in first for s in speaker])
    again = np.where(odd & [s in double for s in speaker], "again", "")
    shards = []
    for letter, rows in (("a", np.flatnonzero(side)), ("b", np.flatnonzero(~side))):
        labels = [f"{letter}{again[k] if letter == 'a' else ''}{speaker[k]}" for k in rows]
        ids = [f"{s}/{made.plan['utterance'][k].split('/', 1)[1]}" for s, k in zip(labels, rows, strict=True)]
        embeddings = {"audio": made.audio, "visual": made.visual}
        tables = {m: (ids, E[rows], None) if only in (None, m) else None for m, E in embeddings.items()}
        shards.append(join_shard(pd.DataFrame({"utterance": ids, "speaker": labels}), tables, letter))
    with one_core_for_blas(with_scipy=True):
        people = [gather(lambda shard=shard: iter([shard]), name) for name, shard in zip("AB", shards, strict=True)]
    present = [{s[-7:] for s in p.speaker} for p in people]
    return Two((shards[0], shards[1]), (people[0], people[1]), present[0] & present[1])


@pytest.fixture(scope="session")
def corpora() -> Two:
    return two(201)
