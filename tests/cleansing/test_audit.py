from __future__ import annotations

import numpy as np
import pytest

from avsieve.cleansing.audit import audit
from avsieve.cleansing.decisions import decide
from avsieve.cleansing.judge import judge
from avsieve.cleansing.settings import Audit, Cleansing
from avsieve.cleansing.table import EmbeddingTable, score_table
from avsieve.config.model import parse_config
from avsieve.errors import ConfigError
from avsieve.simulation.corpus import simulate
from avsieve.simulation.settings import ModalitySpec, NoiseSpec, WorldSpec


@pytest.fixture(scope="module")
def corpus():
    world = WorldSpec(speakers=60, outsiders=10, videos_per_speaker=8, utterances_per_video=4)
    return simulate(world, NoiseSpec(rate=0.03), seed=1)


def tables_of(corpus):
    ids = corpus.plan["utterance"].tolist()
    return {"audio": EmbeddingTable(ids, corpus.audio), "visual": EmbeddingTable(ids, corpus.visual)}


def true_figures(corpus, cleansing):
    """Precision and recall of the list that is audited."""
    scores = score_table(corpus.plan[["utterance", "speaker"]], tables_of(corpus))
    noisy = decide(scores, judge(scores, cleansing.method, cleansing.options), "either", cleansing.threshold).noisy
    wrong = (corpus.truth["kind"] != "clean").to_numpy()
    hit = (wrong & noisy).sum()
    return {"precision": hit / noisy.sum(), "recall": hit / wrong.sum()}


@pytest.mark.parametrize(
    ("noise", "spread", "seed"),
    [(NoiseSpec(rate=0.5), 0.13, 3), (NoiseSpec(rate=0.1, outside=1.0), 0.13, 4)],
)
def test_the_intervals_hold_the_precision_and_recall_of_the_list_itself(noise, spread, seed):
    world = WorldSpec(
        speakers=60,
        outsiders=30,
        videos_per_speaker=8,
        utterances_per_video=4,
        audio=ModalitySpec(dim=96, clean_spread=spread),
        visual=ModalitySpec(dim=128, clean_spread=spread),
    )
    corpus = simulate(world, noise, seed)
    measured = audit(corpus.plan, tables_of(corpus), Audit(seed=1), Cleansing(), draws=100)["measured"]
    for name, true in true_figures(corpus, Cleansing()).items():
        assert measured[name]["low"] <= true <= measured[name]["high"]
        assert measured[name]["value"] == pytest.approx(true, abs=0.08)
        assert measured[name]["high"] - measured[name]["low"] < 0.4


def test_right_labels_that_a_careless_threshold_flags_are_seen(corpus):
    # Fixed thresholds flag the whole low tail of what is right, and their flags are no probabilities.
    careless = Cleansing(method="fixed_threshold", options={"thresholds": [0.55]})
    result = audit(corpus.plan, tables_of(corpus), Audit(seed=2), careless, draws=50)
    true = true_figures(corpus, careless)
    assert true["precision"] < 0.3
    assert result["measured"]["precision"]["value"] < 0.5
    assert result["measured"]["recall"]["value"] > 0.9


def test_a_list_in_which_nothing_is_flagged_has_no_precision(corpus):
    strict = Cleansing(threshold=1.0)
    result = audit(corpus.plan, tables_of(corpus), Audit(rate=0.1, seed=2), strict, draws=20)
    assert result["flagged"] == 0
    assert result["measured"]["precision"] == {"value": None, "low": None, "high": None}
    assert result["measured"]["recall"]["value"] < 0.1


def test_the_estimate_agrees_with_the_audit(corpus):
    result = audit(corpus.plan, tables_of(corpus), Audit(rate=0.15, seed=2), Cleansing(), draws=50)
    measured = result["measured"]
    assert measured["f1"]["low"] <= measured["f1"]["value"] <= measured["f1"]["high"]
    assert measured["f1"]["value"] > 0.9
    assert result["estimated"]["precision"] == pytest.approx(measured["precision"]["value"], abs=0.08)
    assert result["estimated"]["recall"] == pytest.approx(measured["recall"]["value"], abs=0.08)
    assert set(result["recall_by_kind"]) == {"video", "audio", "visual", "mixed"}


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
    # Three clips in ten lack a face. As flags, they would bring the precision below a half; as misses, recall to .7.
    assert found["measured"]["precision"]["value"] > 0.9
    assert found["measured"]["recall"]["value"] > 0.9
    assert found["set_aside"] < 1.5 * whole["set_aside"] + 20
    assert found["injected"] < whole["injected"]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"rate": 0.9}, "audit.rate is 0.9"),
        ({"similar": 1.5}, "audit.similar is 1.5"),
        ({"kinds": {"face": 1.0}}, "audit.kinds.face"),
    ],
)
def test_shares_out_of_range_are_refused(values, message):
    with pytest.raises(ConfigError, match=message):
        parse_config({"audit": values})
