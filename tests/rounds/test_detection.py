from __future__ import annotations

import pytest

from avsieve.rounds.detection import against_truth

from .made_up import decisions, names, truth

UTTERANCES = names(4, 3)
WRONG = truth(UTTERANCES, {f"id{s}/v0/0": "video" if s < 2 else "voice" for s in range(4)})


def p_of(flagged: set[str]) -> list[float]:
    return [0.9 if u in flagged else 0.1 for u in UTTERANCES]


def test_both_rounds_are_counted_over_the_same_utterances_and_their_difference_is_paired() -> None:
    first = decisions(UTTERANCES, p_of({"id0/v0/0", "id1/v1/0"}))
    second = decisions(UTTERANCES, p_of({"id0/v0/0", "id1/v0/0", "id2/v0/0"}))
    found = against_truth({"1": first, "2": second}, WRONG, replicates=200, seed=0)
    assert {k: found["1"][k] for k in ("judged", "wrong", "flagged", "hits")} == {
        "judged": 12, "wrong": 4, "flagged": 2, "hits": 1,
    }  # fmt: skip
    assert found["1"]["precision"]["value"] == 0.5
    assert found["1"]["recall"]["value"] == 0.25
    assert found["2"]["recall"]["value"] == 0.75
    assert found["2"]["recall_gain"]["value"] == 0.5
    assert found["2"]["f1_gain"]["value"] == pytest.approx(2 * 3 / 7 - 2 * 1 / 6)
    assert 0 <= found["2"]["recall_gain"]["low"] < 0.5 < found["2"]["recall_gain"]["high"] <= 1
    assert found["2"]["found_by_kind"] == {"video": [2, 2], "voice": [1, 2]}
    assert "f1_gain" not in found["1"]


def test_a_round_without_changes_gains_exactly_nothing_in_every_draw() -> None:
    same = decisions(UTTERANCES, p_of({"id0/v0/0", "id3/v1/0"}))
    gain = against_truth({"1": same, "2": same}, WRONG, replicates=50, seed=0)["2"]["f1_gain"]
    assert gain == {"value": 0.0, "low": 0.0, "high": 0.0}


def test_what_one_round_could_not_judge_counts_for_none() -> None:
    first = decisions(UTTERANCES, p_of(set()))
    second = first.assign(p_wrong=first["p_wrong"].where(first["utterance"] != "id0/v0/0"))
    found = against_truth({"1": first, "2": second}, WRONG, replicates=5, seed=0)
    assert found["1"]["judged"] == found["2"]["judged"] == 11
    assert found["1"]["wrong"] == 3
    assert found["1"]["precision"] == {"value": None, "low": None, "high": None}
