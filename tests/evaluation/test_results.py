import numpy as np
import pytest

from avsieve.errors import AvsieveError, ListError
from avsieve.evaluation.metrics import CALIBRATED
from avsieve.evaluation.results import evaluate, listed_speakers, read_evaluation, refuse_seen_speakers
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


def test_ratios_have_more_figures_and_their_intervals_and_other_scores_have_none():
    scores = np.array([9.0, 2.0, -1.0, -3.0])
    row = evaluate(some_trials(), scores, calibrated=True, replicates=20).row()
    for figure in CALIBRATED:
        assert row[f"{figure}_low"] <= row[figure] <= row[f"{figure}_high"]
    assert not [c for c in evaluate(some_trials(), scores, replicates=20).row() if c.startswith(tuple(CALIBRATED))]


def test_tables_are_read_with_the_names_of_lists_as_text_and_without_a_value_as_nan(tmp_path):
    (tmp_path / "r.csv").write_text("list,trained_on,eer,cllr,cllr_low\n01,-,0.1,-,-\nNA,all,0.2,0.5,0.4\n")
    table = read_evaluation(tmp_path / "r.csv")
    assert table["list"].tolist() == ["01", "NA"]
    assert table["trained_on"].tolist() == ["-", "all"]
    assert table[["cllr", "cllr_low"]].mean(numeric_only=True).tolist() == [0.5, 0.4]


def test_ids_that_match_nothing_are_explained():
    with pytest.raises(AvsieveError, match=r"none of the 4 trials could be scored.*same kind"):
        evaluate(some_trials(), np.full(4, np.nan))


def test_a_model_is_not_evaluated_on_its_own_speakers():
    with pytest.raises(AvsieveError, match=r"gated: 1 of 2 speakers of this trial list .*\(for example b\)"):
        refuse_seen_speakers(some_trials(), {"b", "c"}, "gated")
    with pytest.raises(AvsieveError, match="of the trial list E are in its training list"):
        refuse_seen_speakers(some_trials(), {"b"}, "gated", "the trial list E")
    refuse_seen_speakers(some_trials(), {"c"}, "gated")


def test_vox1_e_and_h_are_refused_for_a_model_trained_on_vox1_dev():
    (n, targets), _ = next(item for item in KNOWN_LISTS.items() if item[1] == ("Vox1-E", "cleaned"))
    zeros = np.zeros(n, dtype=np.int64)
    trials = Trials(["id10001/b/c"], zeros, zeros, np.arange(n) < targets)
    with pytest.raises(AvsieveError, match=r"Vox1-E draws on all 1,251 speakers of VoxCeleb1: report Vox1-O"):
        refuse_seen_speakers(trials, {"id10001"}, "audio")
    for called, expected in (("the trial list E", r"the trial list E \(Vox1-E\)"), ("the trial list Vox1-E", "Vox1-E")):
        with pytest.raises(AvsieveError, match=f"speakers of {expected} are in"):
            refuse_seen_speakers(trials, {"id10001"}, "audio", called)


def test_speakers_are_read_from_lists_of_any_width(tmp_path):
    (tmp_path / "list.txt").write_text("id1 id1/a/1.wav 3.2\nid1 id1/a/2.wav\n\nid2\n")
    assert listed_speakers(tmp_path / "list.txt") == {"id1", "id2"}
    (tmp_path / "empty.txt").write_text("\n")
    for name in ("empty.txt", "absent.txt"):
        with pytest.raises(ListError, match=name):
            listed_speakers(tmp_path / name)
