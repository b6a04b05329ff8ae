from __future__ import annotations

import numpy as np
import pytest

from avsieve.rounds.confirmation import assembled, confirmation, ranked
from avsieve.rounds.draws import Draws
from avsieve.rounds.lists import parts_of

from .made_up import decisions, names, truth

UTTERANCES = names(6, 4)
WRONG = [f"id{s}/v0/0" for s in range(6)]
TRUTH = truth(UTTERANCES, dict.fromkeys(WRONG, "video"))
RIGHT_P = np.linspace(0.05, 0.3, len(UTTERANCES))


def p_of(wrong: float) -> list[float]:
    return [wrong if u in WRONG else float(p) for u, p in zip(UTTERANCES, RIGHT_P, strict=True)]


def test_the_area_is_the_share_of_pairs_in_order_and_ties_count_half() -> None:
    draws = Draws(["a", "b", "c", "d"], 5, 0)
    wrong = np.array([True, True, False, False])
    area = draws.area(np.array([0.9, 0.4, 0.4, 0.1]), wrong, ~wrong)
    assert area[0] == pytest.approx((1 + 1 + 0.5 + 1) / 4)
    assert np.isnan(draws.area(np.arange(4.0), ~wrong & wrong, wrong)[0])


def test_the_area_of_a_draw_counts_each_speaker_as_often_as_it_was_drawn() -> None:
    speakers, scores = ["a", "a", "b", "b"], np.array([0.8, 0.2, 0.1, 0.5])
    wrong = np.array([True, False, True, False])
    draws = Draws(speakers, 50, 3)
    area = draws.area(scores, wrong, ~wrong)
    # Only a: in order; only b: not; both: 2 of 4 pairs (.8 > .2, .8 > .5).
    assert set(area.tolist()) == {1.0, 0.0, 0.5}


def test_each_utterance_is_judged_by_the_encoders_that_lack_its_part_or_have_it() -> None:
    part = parts_of(UTTERANCES, 3)
    arms = [decisions(UTTERANCES, [0.9 if p == number else 0.1 for p in part]) for number in range(3)]
    held, trained = (assembled(arms, held_out=of) for of in (True, False))
    assert held["utterance"].tolist() == trained["utterance"].tolist() == UTTERANCES
    assert (held["p_wrong"] == 0.9).all()
    assert (trained["p_wrong"] == 0.1).all()


def test_ranks_are_shares_of_what_was_judged() -> None:
    rows = decisions(UTTERANCES[:5], [0.4, 0.1, float("nan"), 0.4, 0.2])
    assert ranked(rows)["rank"].tolist()[:2] == [(3.5 - 0.5) / 4, 0.5 / 4]
    assert np.isnan(ranked(rows)["rank"][2])


def test_encoders_that_accept_what_they_were_trained_with_are_seen() -> None:
    before = decisions(UTTERANCES, p_of(0.4))
    folds = {
        "held_out": ranked(decisions(UTTERANCES, p_of(0.8))),
        "trained": ranked(decisions(UTTERANCES, p_of(0.01))),
    }
    after = decisions(UTTERANCES, p_of(0.01))
    found = confirmation(before, after, set(UTTERANCES), truth=TRUTH, folds=folds, replicates=100)
    assert found["trained_on"] == 24
    known, by_folds = found["by_truth"], found["by_folds"]
    assert (known["wrong"], known["found_late"], known["newly_flagged_right"]) == (6, 0, 0)
    assert known["area_before"]["value"] == 1.0
    assert known["area_after"]["value"] == 0.0
    assert by_folds["flagged_held_out_only"] == 6
    assert by_folds["flagged_trained_only"] == 0
    assert by_folds["excess"]["value"] == pytest.approx(6 / 24)
    for name in ("hidden", "found_gain", "area_gain"):
        assert by_folds[name] == {"value": 1.0, "low": 1.0, "high": 1.0}, name
    assert (by_folds["wrong"]["flagged_held_out_only"], by_folds["right"]["flagged_held_out_only"]) == (6, 0)
    assert (by_folds["found_held_out"]["value"], by_folds["found_trained"]["value"]) == (1.0, 0.0)


def test_encoders_that_merely_know_their_own_examples_best_confirm_nothing() -> None:
    # Every utterance seems more wrong when it is held out, right ones as much as wrong ones.
    trained = p_of(0.2)
    folds = {
        "held_out": ranked(decisions(UTTERANCES, [p + 0.4 for p in trained])),
        "trained": ranked(decisions(UTTERANCES, trained)),
    }
    before = decisions(UTTERANCES, trained)
    found = confirmation(before, before, set(UTTERANCES), truth=TRUTH, folds=folds, replicates=50)
    for name in ("found_gain", "area_gain"):
        assert found["by_folds"][name] == {"value": 0.0, "low": 0.0, "high": 0.0}, name
    assert found["by_folds"]["flagged_held_out_only"] > 0


def test_only_what_was_trained_on_and_judged_counts() -> None:
    rows = decisions(UTTERANCES, p_of(0.4))
    kept = set(UTTERANCES) - {WRONG[0]}
    unjudged = rows.assign(p_wrong=rows["p_wrong"].where(rows["utterance"] != WRONG[1]))
    found = confirmation(rows, unjudged, kept, truth=TRUTH, replicates=5)
    assert found["trained_on"] == 22
    assert found["by_truth"]["wrong"] == 4
    assert "by_folds" not in found
    assert confirmation(rows, rows, set(), replicates=5) == {"trained_on": 0}
