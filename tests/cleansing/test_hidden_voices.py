from __future__ import annotations

import numpy as np

from avsieve.cleansing.audit import audit
from avsieve.cleansing.audit_sample import Sample, known_errors
from avsieve.cleansing.cleansed import cleanse
from avsieve.cleansing.hidden_voices import mixed_voices
from avsieve.cleansing.injection import inject
from avsieve.cleansing.settings import Audit, Cleansing
from avsieve.cleansing.table import EmbeddingTable
from avsieve.simulation.corpus import simulate
from avsieve.simulation.settings import NoiseSpec, WorldSpec

WORLD = WorldSpec(speakers=40, outsiders=15, videos_per_speaker=7, utterances_per_video=4)
MIXED = NoiseSpec(rate=0.15, whole_video=0.3, audio_only=0.6, visual_only=0.1, mixed=0.9)
PLAIN = NoiseSpec(rate=0.15)


def tables_of(corpus):
    ids = corpus.plan["utterance"].tolist()
    return {"audio": EmbeddingTable(ids, corpus.audio), "visual": EmbeddingTable(ids, corpus.visual)}


def test_as_many_mixed_voices_as_a_list_hides_it_may_hide():
    corpus = simulate(WORLD, MIXED, seed=3)
    noisy = cleanse(corpus.plan, tables_of(corpus), None, Cleansing()).decisions.noisy
    missed = int(((corpus.truth["kind"] != "clean").to_numpy() & ~noisy).sum())
    result = audit(corpus.plan, tables_of(corpus), Audit(rate=0.2, mixed=1.0, seed=1), Cleansing(), draws=50)
    found = result["mixed_voices"]
    assert found["found"] == result["recall_by_kind"]["mixed"] < 0.5
    assert missed > 30
    assert 0.7 * missed < found["hidden_at_most"] < len(corpus.plan) / 6
    # Any number of them may be there: recall is what was measured, or much less.
    assert found["recall"]["low"] < found["recall"]["value"] < result["measured"]["recall"]["value"]
    true = 1 - missed / (corpus.truth["kind"] != "clean").sum()
    assert found["recall"]["low"] < true < result["measured"]["recall"]["low"]


def test_nothing_is_said_of_mixed_voices_where_none_is_injected():
    corpus = simulate(WORLD, PLAIN, seed=3)
    side = cleanse(corpus.plan, tables_of(corpus), None, Cleansing())
    injection = inject(corpus.plan, Audit(mixed=0.0))
    without = np.zeros(len(injection.frame), bool)
    after = cleanse(injection.frame, tables_of(corpus), injection.sources, Cleansing())
    known, mixed = known_errors(injection, after, "either")
    assert known.any()
    np.testing.assert_array_equal(mixed, without)
    sample = Sample(side, after, injection, known, mixed, Audit(), "either", 5, np.random.default_rng(0))
    assert mixed_voices(sample, np.full(6, 0.9)) is None
