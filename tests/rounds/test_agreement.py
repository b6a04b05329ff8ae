from __future__ import annotations

import pytest

from avsieve.rounds.agreement import changes

from .made_up import decisions, names, truth

UTTERANCES = names(2, 5)


def test_kappa_and_jaccard_of_a_table_counted_by_hand() -> None:
    before = decisions(UTTERANCES, [0.9, 0.9, 0.9, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1], ["audio"] * 10)
    after = decisions(UTTERANCES, [0.9, 0.9, 0.1, 0.9, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1], ["visual"] * 10)
    known = truth(UTTERANCES, {UTTERANCES[0]: "video", UTTERANCES[3]: "face"})
    found = changes(before, after, known)
    assert {name: found[name] for name in ("flagged", "both", "newly_flagged", "acquitted")} == {
        "flagged": 3, "both": 2, "newly_flagged": 1, "acquitted": 1,
    }  # fmt: skip
    assert found["agreement"] == pytest.approx(0.8)
    # Both flag three of ten: by chance they agree on .3 * .3 + .7 * .7 = .58.
    assert found["kappa"] == pytest.approx((0.8 - 0.58) / 0.42)
    assert found["jaccard"] == pytest.approx(2 / 4)
    assert found["newly_flagged_by_kind"] == {"visual": 1}
    assert found["acquitted_by_kind"] == {"audio": 1}
    assert found["newly_flagged_by_truth"] == {"face": 1}
    assert found["acquitted_by_truth"] == {"clean": 1}


def test_rounds_that_flag_nothing_have_neither_kappa_nor_jaccard() -> None:
    nothing = decisions(UTTERANCES, [0.1] * 10)
    found = changes(nothing, nothing)
    assert found["kappa"] is found["jaccard"] is None
    assert found["agreement"] == 1.0
    assert "newly_flagged_by_truth" not in found
