from __future__ import annotations

import numpy as np

from avsieve.cleansing.audit import audit
from avsieve.cleansing.settings import Audit, Cleansing
from avsieve.cleansing.table import EmbeddingTable
from avsieve.rounds.audits import audit_rounds

from .made_up import made_corpus

QUICK = Cleansing(method="fixed_threshold", options={"thresholds": [0.4]})


def tables(corpus, alike=0.0):
    ids = corpus.plan["utterance"].tolist()
    of = {"audio": corpus.audio, "visual": corpus.visual}
    return {m: EmbeddingTable(ids, (x + alike).astype(np.float32)) for m, x in of.items()}


def test_every_round_meets_the_same_broken_labels_and_the_first_is_the_audit_of_the_list():
    corpus = made_corpus()
    rounds = [("1", tables(corpus)), ("2", tables(corpus)), ("3", tables(corpus, alike=9.0))]
    found = audit_rounds(corpus.plan, iter(rounds), Audit(rate=0.2), QUICK, replicates=50)
    assert found["1"]["measured"] == audit(corpus.plan, tables(corpus), Audit(rate=0.2), QUICK)["measured"]
    assert len({found[name]["injected"] for name in found}) == 1
    assert found["1"]["injected"] > 10
    # The same embeddings find the same; where everybody is alike nothing is found.
    assert found["2"]["found"] == found["1"]["found"]
    assert found["2"]["found_only_first"] == found["2"]["found_only_here"] == 0
    assert found["2"]["found_gain"] == {"value": 0.0, "low": 0.0, "high": 0.0}
    assert found["3"]["found_gain"]["high"] < 0
    lost = found["3"]["found_only_first"] - found["3"]["found_only_here"]
    assert lost == found["1"]["found"] - found["3"]["found"] > 0


def test_a_list_that_is_too_small_to_audit_has_a_reason():
    corpus = made_corpus()
    few = corpus.plan[corpus.plan["speaker"].isin(sorted(set(corpus.plan["speaker"]))[:2])].reset_index(drop=True)
    assert "audit a larger list" in audit_rounds(few, iter([("1", tables(corpus))]), Audit(), QUICK)["left_out"]
