from __future__ import annotations

import pandas as pd
import pytest

from avsieve.report.errors import error_rows, evaluated_lists, headline

from .made_up import make_results, on_two_lists

RESULTS, GAINS, CURVES = make_results()


def test_a_row_per_model_has_its_arms_and_its_gain() -> None:
    rows = {row["model"]: row for row in error_rows(RESULTS, GAINS)}
    assert list(rows) == ["audio", "score_average", "gated"]
    assert rows["audio"]["untrained"]["eer"] == 0.08
    assert rows["audio"]["before"] is rows["audio"]["gain"] is None
    gated = rows["gated"]
    assert (gated["before"]["eer"], gated["before"]["seeds"]) == (pytest.approx(0.05), 2)
    assert gated["gain"]["verdict"] == "better"
    # The mean of two seeds has the interval of that mean, which the gains have, not the mean of theirs.
    assert (gated["before"]["eer_low"], gated["before"]["eer_high"]) == (0.031, 0.072)


def test_a_mean_without_an_interval_of_its_own_has_none() -> None:
    row = error_rows(RESULTS, None)[-1]
    assert "eer_low" not in row["before"]
    assert row["gain"] is None


def test_the_list_of_the_headline_comes_first() -> None:
    items = evaluated_lists(*on_two_lists())
    assert [(item.name, item.labels) for item in items] == [("trusted", "trusted"), ("given", "given")]
    assert items[0].first["total"] == 200
    assert items[1].rows()[0]["untrained"]["eer"] == pytest.approx(0.18)
    assert evaluated_lists(pd.DataFrame(), pd.DataFrame(), pd.DataFrame()) == []
    assert [item.labels for item in evaluated_lists(RESULTS, GAINS, CURVES)] == [""]


def test_lists_of_the_users_stay_in_their_order() -> None:
    tables = (pd.concat([t.assign(list=n, labels="official") for n in "OEH"]) for t in (RESULTS, GAINS, CURVES))
    items = evaluated_lists(*tables)
    assert [(item.name, item.what) for item in items] == [(n, f"the trial list {n}") for n in "OEH"]
    assert [len(item.results) for item in items] == [len(RESULTS)] * 3


def test_the_headline_is_the_model_that_was_chosen_or_an_average() -> None:
    rows = error_rows(RESULTS, GAINS)
    for wanted, shown in (("gated", "gated"), ("linear", "score_average")):
        row = headline(rows, wanted)
        assert row is not None
        assert row["model"] == shown
    assert headline([], "gated") is None
