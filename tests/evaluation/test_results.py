import numpy as np
import pytest

from avsieve.errors import AvsieveError, ListError
from avsieve.evaluation.results import evaluate, listed_speakers, refuse_seen_speakers
from avsieve.evaluation.trials import KNOWN_LISTS, Trials, make_trial_list


def some_trials():
    enrol = ["a/1/1", "b/1/1", "a/1/1", "b/1/1"]
    test = ["a/2/1", "b/2/1", "b/2/1", "a/2/1"]
    return make_trial_list([True, True, False, False], enrol, test)


def test_unscored_trials_are_counted_and_left_out():
    row = evaluate(some_trials(), np.array([0.9, np.nan, 0.1, 0.2])).row()
    assert (row["n_trials"], row["n_targets"], row["n_missing"]) == (3, 1, 1)
    assert row["eer"] == 0.0


def test_a_row_has_every_figure_with_its_interval():
    row = evaluate(some_trials(), np.array([0.9, 0.8, 0.1, 0.2]), replicates=20).row()
    for figure in ("eer", "min_dcf_0.01", "min_dcf_0.05"):
        assert row[f"{figure}_low"] <= row[figure] <= row[f"{figure}_high"]


def test_ids_that_match_nothing_are_explained():
    with pytest.raises(AvsieveError, match=r"none of the 4 trials could be scored.*same kind"):
        evaluate(some_trials(), np.full(4, np.nan))


def test_a_model_is_not_evaluated_on_its_own_speakers():
    with pytest.raises(AvsieveError, match=r"gated: 1 of 2 speakers of this trial list .*\(for example b\)"):
        refuse_seen_speakers(some_trials(), {"b", "c"}, "gated")
    refuse_seen_speakers(some_trials(), {"c"}, "gated")


def test_vox1_e_and_h_are_refused_for_a_model_trained_on_vox1_dev():
    (n, targets), _ = next(item for item in KNOWN_LISTS.items() if item[1] == ("Vox1-E", "cleaned"))
    zeros = np.zeros(n, dtype=np.int64)
    trials = Trials(["id10001/b/c"], zeros, zeros, np.arange(n) < targets)
    with pytest.raises(AvsieveError, match=r"Vox1-E draws on all 1,251 speakers of VoxCeleb1: report Vox1-O"):
        refuse_seen_speakers(trials, {"id10001"}, "audio")


def test_speakers_are_read_from_lists_of_any_width(tmp_path):
    (tmp_path / "list.txt").write_text("id1 id1/a/1.wav 3.2\nid1 id1/a/2.wav\n\nid2\n")
    assert listed_speakers(tmp_path / "list.txt") == {"id1", "id2"}
    (tmp_path / "empty.txt").write_text("\n")
    for name in ("empty.txt", "absent.txt"):
        with pytest.raises(ListError, match=name):
            listed_speakers(tmp_path / name)
