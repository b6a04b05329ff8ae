from __future__ import annotations

import numpy as np
import pytest

from avsieve.cleansing.cleansed import cleanse
from avsieve.cleansing.likeness import likeness_to_label
from avsieve.cleansing.settings import Cleansing
from avsieve.embedding_files.table import EmbeddingTable
from avsieve.simulation.corpus import simulate
from avsieve.simulation.settings import NoiseSpec, WorldSpec


@pytest.fixture(scope="module")
def corpus():
    world = WorldSpec(speakers=50, outsiders=20, videos_per_speaker=8, utterances_per_video=4, one_video_share=0.0)
    return simulate(world, NoiseSpec(rate=0.1, similar=0.0), seed=2)


@pytest.fixture(scope="module")
def tables(corpus):
    ids = corpus.plan["utterance"].tolist()
    return {"audio": EmbeddingTable(ids, corpus.audio), "visual": EmbeddingTable(ids, corpus.visual)}


@pytest.fixture(scope="module")
def side(corpus, tables):
    return cleanse(corpus.plan, tables, None, Cleansing())


def test_a_wrong_label_is_like_a_draw_among_the_others_and_a_right_one_is_not(corpus, tables, side):
    z = likeness_to_label(side, tables, np.ones(len(corpus.plan), bool), np.random.default_rng(0))
    kind = corpus.truth["kind"].to_numpy()
    wrong, right = z[(kind == "video") & ~np.isnan(z)], z[(kind == "clean") & ~np.isnan(z)]
    assert np.abs(wrong.mean()) < 0.5
    assert wrong.std() == pytest.approx(1, abs=0.4)
    assert np.quantile(right, 0.05) > np.quantile(wrong, 0.95)


def test_only_what_is_asked_for_is_compared(corpus, tables, side):
    some = np.arange(len(corpus.plan)) % 7 == 0
    z = likeness_to_label(side, tables, some, np.random.default_rng(0))
    assert np.isnan(z[~some]).all()
    assert np.isfinite(z[some]).mean() > 0.9
