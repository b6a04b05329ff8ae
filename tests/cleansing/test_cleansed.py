from __future__ import annotations

import numpy as np
import pytest

from avsieve.cleansing.cleansed import cleanse
from avsieve.cleansing.settings import Cleansing
from avsieve.embedding_files.table import EmbeddingTable
from avsieve.simulation.corpus import simulate
from avsieve.simulation.settings import NoiseSpec, WorldSpec


@pytest.fixture(scope="module")
def corpus():
    world = WorldSpec(speakers=30, outsiders=10, videos_per_speaker=6, utterances_per_video=3)
    return simulate(world, NoiseSpec(rate=0.1), seed=2)


@pytest.fixture(scope="module")
def tables(corpus):
    ids = corpus.plan["utterance"].tolist()
    return {"audio": EmbeddingTable(ids, corpus.audio), "visual": None}


def test_an_utterance_is_what_the_embedding_that_it_takes_is(corpus, tables):
    names = corpus.plan["utterance"].to_numpy(dtype=object)
    anybodys = np.random.default_rng(0).permutation(names).tolist()
    own, others = (
        float(np.nanmean(cleanse(corpus.plan, tables, sources, Cleansing()).scores.audio.plain))
        for sources in (None, {"audio": anybodys, "visual": names.tolist()})
    )
    assert own > 0.4
    assert others < 0.3


def test_what_is_flagged_or_has_no_embedding_is_not_trusted(corpus, tables):
    side = cleanse(corpus.plan, tables, None, Cleansing())
    found = dict(side.of_each(tables))
    assert set(found) == {"audio"}
    np.testing.assert_array_equal(found["audio"].trusted, side.scores.audio.present & ~side.decisions.noisy)
    assert 0 < (~found["audio"].trusted).sum() < len(corpus.plan) / 4
