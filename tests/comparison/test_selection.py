from __future__ import annotations

import numpy as np
import pytest

from avsieve.comparison.selection import gather, wanted_utterances
from avsieve.errors import AvsieveError
from avsieve.evaluation.trials import write_no_trials, write_trials

from .made_up import COHORT, TRIALS


def test_the_utterances_of_the_trials_come_first_then_those_of_the_cohort_each_once(tmp_path):
    write_trials(tmp_path / "trials.txt", TRIALS)
    write_no_trials(tmp_path / "none.txt", "nobody is trusted")
    lines = [f"{u.split('/')[0]} {u}.wav 3.0" for u in [*COHORT, TRIALS.utterances[0]]]
    (tmp_path / "cohort.txt").write_text("\n".join(lines) + "\n")
    lists = [tmp_path / "none.txt", tmp_path / "trials.txt", tmp_path / "trials.txt"]
    found = wanted_utterances(lists, None)
    assert sorted(found) == sorted(TRIALS.utterances)
    assert wanted_utterances(lists, tmp_path / "cohort.txt") == [*found, *COHORT]


def test_lists_without_trials_are_an_error_that_says_why(tmp_path):
    write_no_trials(tmp_path / "none.txt", "nobody is trusted")
    with pytest.raises(AvsieveError, match="no trials to compare on: nobody is trusted"):
        wanted_utterances([tmp_path / "none.txt"], None)


def test_vectors_come_in_the_order_that_is_asked_for_and_none_at_all_is_an_error(caplog):
    vectors = {"b": np.ones(2), "a": np.zeros(2)}
    names, matrix = gather(["a", "x", "b"], vectors, "voice")
    assert names == ["a", "b"]
    assert matrix.tolist() == [[0, 0], [1, 1]]
    assert "1 of 3 utterances have no voice" in caplog.text
    with pytest.raises(AvsieveError, match="none of 1 utterances has a face"):
        gather(["x"], vectors, "face")
