from __future__ import annotations

import numpy as np
import pytest

from avsieve.cleansing.audit import audit, inject
from avsieve.cleansing.settings import Audit, Cleansing
from avsieve.cleansing.table import EmbeddingTable
from avsieve.config.model import parse_config
from avsieve.errors import ConfigError
from avsieve.simulation.corpus import simulate
from avsieve.simulation.settings import NoiseSpec, WorldSpec


@pytest.fixture(scope="module")
def corpus():
    world = WorldSpec(speakers=60, outsiders=10, videos_per_speaker=8, utterances_per_video=4)
    return simulate(world, NoiseSpec(rate=0.03), seed=1)


def test_broken_utterances_take_embeddings_of_utterances_that_left_the_list(corpus):
    frame = corpus.plan[["utterance", "speaker"]]
    injection = inject(frame, Audit(rate=0.1, seed=4))
    left = set(frame["utterance"]) - set(injection.frame["utterance"])
    kind = injection.frame["kind"].to_numpy()
    assert np.mean(kind != "") == pytest.approx(0.1, abs=0.03)
    for m, other in (("audio", "visual"), ("visual", "audio")):
        own = injection.frame["utterance"].to_numpy() == np.array(injection.sources[m])
        np.testing.assert_array_equal(own, (kind == "") | (kind == other))
        assert set(np.array(injection.sources[m])[~own]) <= left
        used = np.array(injection.sources[m])[~own].tolist()
        assert len(used) == len(set(used))


def test_a_broken_video_is_one_other_video_throughout(corpus):
    injection = inject(corpus.plan[["utterance", "speaker"]], Audit(rate=0.1, seed=4))
    rows = injection.frame[injection.frame["kind"] == "video"].index
    given = {}
    for i in rows:
        video, source = (u.rsplit("/", 1)[0] for u in (injection.frame["utterance"][i], injection.sources["audio"][i]))
        given.setdefault(video, set()).add(source)
        assert injection.sources["audio"][i] == injection.sources["visual"][i]
        assert source.split("/")[0] != injection.frame["speaker"][i]
    assert given
    assert all(len(v) == 1 for v in given.values())


def test_the_estimate_agrees_with_the_audit(corpus):
    ids = corpus.plan["utterance"].tolist()
    tables = {"audio": EmbeddingTable(ids, corpus.audio), "visual": EmbeddingTable(ids, corpus.visual)}
    result = audit(corpus.plan, tables, Audit(rate=0.15, seed=2), Cleansing(), draws=50)
    measured = result["measured"]
    assert measured["f1"]["low"] <= measured["f1"]["value"] <= measured["f1"]["high"]
    assert measured["f1"]["value"] > 0.9
    assert result["estimated"]["precision"] == pytest.approx(measured["precision"]["value"], abs=0.08)
    assert result["estimated"]["recall"] == pytest.approx(measured["recall"]["value"], abs=0.08)
    assert set(result["recall_by_kind"]) == {"video", "audio", "visual"}


def test_a_face_that_nobody_found_is_neither_a_hit_nor_a_miss(corpus):
    ids, rng = corpus.plan["utterance"].tolist(), np.random.default_rng(5)
    some = np.flatnonzero(rng.random(len(ids)) > 0.3)
    tables = {
        "audio": EmbeddingTable(ids, corpus.audio),
        "visual": EmbeddingTable([ids[i] for i in some], corpus.visual[some]),
    }
    every, settings = tables | {"visual": EmbeddingTable(ids, corpus.visual)}, Audit(rate=0.15, seed=2)
    whole = audit(corpus.plan, every, settings, Cleansing(), draws=20)
    found = audit(corpus.plan, tables, settings, Cleansing(), draws=20)
    # Three clips in ten lack a face. As flags, they would bring the precision below a half.
    assert found["measured"]["precision"]["value"] > 0.9
    assert found["recall_by_kind"]["visual"] > 0.8
    assert found["set_aside"] < 1.5 * whole["set_aside"] + 20
    assert found["injected"] < whole["injected"]


@pytest.mark.parametrize(
    ("values", "message"), [({"rate": 0.9}, "audit.rate is 0.9"), ({"kinds": {"face": 1.0}}, "audit.kinds.face")]
)
def test_shares_out_of_range_are_refused(values, message):
    with pytest.raises(ConfigError, match=message):
        parse_config({"audit": values})
