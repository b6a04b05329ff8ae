"""A small simulated corpus, pooled and scored once for the whole folder."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from avsieve.cleansing.centres import Centres, pool
from avsieve.cleansing.evidence import score_shard
from avsieve.cleansing.inputs import Shard, join_shard
from avsieve.cleansing.scores import Scores
from avsieve.simulation.corpus import SimulatedCorpus, simulate
from avsieve.simulation.settings import NoiseSpec, WorldSpec


@dataclass
class Scored:
    """A corpus with everything that follows from it."""

    corpus: SimulatedCorpus
    shard: Shard
    centres: Centres
    scores: Scores

    @property
    def wrong_audio(self) -> np.ndarray:
        return (self.corpus.truth["audio_of"] != self.corpus.truth["speaker"]).to_numpy()

    @property
    def wrong_visual(self) -> np.ndarray:
        return (self.corpus.truth["visual_of"] != self.corpus.truth["speaker"]).to_numpy()

    @property
    def wrong(self) -> np.ndarray:
        return self.wrong_audio | self.wrong_visual


def shard_of(corpus: SimulatedCorpus) -> Shard:
    ids = corpus.plan["utterance"].tolist()
    return join_shard(
        corpus.plan, {"audio": (ids, corpus.audio, None), "visual": (ids, corpus.visual, None)}, "simulated"
    )


def score(corpus: SimulatedCorpus) -> Scored:
    shard = shard_of(corpus)
    centres = pool(lambda: iter([shard]))
    return Scored(corpus, shard, centres, score_shard(shard, centres))


def f1(wrong: np.ndarray, flagged: np.ndarray) -> float:
    return 2 * (wrong & flagged).sum() / max(wrong.sum() + flagged.sum(), 1)


@pytest.fixture(scope="session")
def scored() -> Scored:
    """Seventy speakers, a fifth of the utterances wrong."""
    world = WorldSpec(speakers=70, outsiders=30, videos_per_speaker=7, utterances_per_video=3)
    return score(simulate(world, NoiseSpec(rate=0.2), seed=3))
