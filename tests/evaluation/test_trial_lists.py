"""Several lists of trials, each with what its labels stand on."""

import pandas as pd
import pytest

from avsieve.errors import ConfigError, ListError
from avsieve.evaluation import trial_lists
from avsieve.evaluation.trial_lists import kept_for_trials, read_trial_lists
from avsieve.evaluation.trial_maker import known_right, trusted
from avsieve.evaluation.trials import (
    KNOWN_LISTS,
    ListName,
    make_trial_list,
    read_trials,
    write_no_trials,
    write_trials,
)
from avsieve.storage.tables import write_table

LIST = make_trial_list([True, False], ["a/1/1", "a/1/1"], ["a/2/1", "b/1/1"])


@pytest.fixture
def folder(tmp_path):
    write_trials(tmp_path / "trials.txt", LIST)
    write_trials(tmp_path / "trusted.txt", LIST)
    write_no_trials(tmp_path / "none.txt", "nobody is trusted")
    return tmp_path


def test_trusted_trials_come_before_those_with_the_labels_as_given(folder):
    found = read_trial_lists([folder / "trials.txt", folder / "trusted.txt"], ["given", "trusted"])
    assert [item.labels for item in found] == ["trusted", "given"]
    assert found[0].columns()["labels"] == "trusted"
    assert found[0].facts()["n_targets"] == 1
    assert found[0].facts("why")["left_out"] == "why"


def test_a_list_without_trials_says_why(folder):
    none, given = read_trial_lists([folder / "none.txt", folder / "trials.txt"], ["trusted", "given"])
    assert (none.trials, none.left_out) == (None, "nobody is trusted")
    assert given.trials is not None


def test_without_labels_a_list_is_the_users_own(folder):
    assert read_trial_lists([folder / "trials.txt"], [])[0].labels == "official"
    with pytest.raises(ListError, match=r"nowhere\.txt"):
        read_trial_lists([folder / "nowhere.txt"], [])


def test_labels_are_true_only_where_the_truth_knows_every_utterance(folder):
    everybody = {"a/1/1", "a/2/1", "b/1/1"}
    assert read_trial_lists([folder / "trials.txt"], ["truth"], everybody)[0].labels == "truth"
    assert read_trial_lists([folder / "trials.txt"], ["truth"], everybody - {"b/1/1"})[0].labels == "given"
    assert read_trial_lists([folder / "trials.txt"], ["truth"])[0].labels == "truth"  # made of people with right labels


def names_of(paths, **more):
    return [(item.name, item.trials is not None) for item in read_trial_lists(paths, ["official"] * len(paths), **more)]


def test_the_users_lists_have_the_configurations_names_in_its_order(folder):
    paths = [folder / "trusted.txt", folder / "trials.txt", folder / "trials.txt"]
    assert names_of(paths, names=["O", "E", "H"]) == [("O", True), ("E", True), ("H", True)]
    assert names_of(paths[:2]) == [("trusted", True), ("trials", True)]


def test_a_list_of_voxceleb1s_has_its_name_and_a_list_that_a_run_made_that_of_its_labels(folder, monkeypatch):
    monkeypatch.setitem(KNOWN_LISTS, (2, 1), ListName("Vox1-O", "cleaned"))
    (official,) = read_trial_lists([folder / "trials.txt"], [])
    columns = {"list": "Vox1-O", "labels": "official", "trials": "Vox1-O", "trials_version": "cleaned"}
    assert columns.items() <= official.columns().items()
    assert official.words == "the trial list Vox1-O"
    (named,) = read_trial_lists([folder / "trials.txt"], [], names=["mine"])
    assert (named.name, named.known.name) == ("mine", "Vox1-O")
    (given,) = read_trial_lists([folder / "trials.txt"], ["given"])
    assert (given.name, given.known.name, given.words) == (
        "given",
        "trials",
        "trials with the labels as they were given",
    )


def test_two_lists_of_one_name_are_refused_with_both_files(folder, monkeypatch):
    (folder / "other").mkdir()
    write_trials(folder / "other" / "trials.txt", LIST)
    both = r"trials\.txt and .*other/trials\.txt would both be called trials in the results; give each a name"
    with pytest.raises(ConfigError, match=both):
        names_of([folder / "trials.txt", folder / "other" / "trials.txt"])
    monkeypatch.setitem(KNOWN_LISTS, (2, 1), ListName("Vox1-O", "cleaned"))
    with pytest.raises(ConfigError, match=r"trials\.txt and .*trusted\.txt would both be called Vox1-O"):
        names_of([folder / "trials.txt", folder / "trusted.txt"])
    with pytest.raises(ConfigError, match=r"2 trial lists with the names \['O'\]"):
        names_of([folder / "trials.txt", folder / "trusted.txt"], names=["O"])


def test_a_file_under_two_names_is_read_once(folder, monkeypatch):
    calls = []
    monkeypatch.setattr(trial_lists, "read_trials", lambda path: calls.append(path) or read_trials(path))
    assert len(names_of([folder / "trials.txt"] * 2, names=["O", "E"])) == 2
    assert len(calls) == 1


@pytest.mark.parametrize("labels", [["given"], ["given", "given"], ["given", "best"]])
def test_labels_that_do_not_fit_are_refused(folder, labels):
    with pytest.raises(ConfigError, match="2 trial lists with the labels"):
        read_trial_lists([folder / "trials.txt", folder / "trusted.txt"], labels)


def test_the_test_set_is_tested_or_else_who_is_held_out(tmp_path):
    plan = pd.DataFrame({"utterance": ["a", "b", "c"], "subset": ["train", "train", "test"], "held_out": [0, 1, 0]})
    plan["held_out"] = plan["held_out"].astype(bool)
    write_table(tmp_path / "all.parquet", plan)
    write_table(tmp_path / "train.parquet", plan[:2])
    assert kept_for_trials(tmp_path / "all.parquet") == ["c"]
    assert kept_for_trials(tmp_path / "train.parquet") == ["b"]


def test_only_what_was_judged_and_found_clean_is_trusted():
    rows = {
        "a": ("clean", "ok"), "b": ("noisy", "wrong_video"), "c": ("clean", "not_judged"),
        "d": ("incomplete", "no_audio"), "e": ("clean", "single_utterance_speaker"), "f": ("clean", "ok"),
        "g": ("clean", "reviewed"), "h": ("noisy", "reviewed"),
    }  # fmt: skip
    decisions = pd.DataFrame([(u, *r) for u, r in rows.items()], columns=["utterance", "decision", "reason"])
    assert trusted(list("abcde"), decisions) == (["a"], "")
    assert trusted(list("efgh"), decisions) == (["f", "g"], "")
    assert trusted(list("bcde"), decisions) == ([], "the cleansing trusts none of the 4 utterances to test on")
    assert "not in the training list" in trusted(["x", "y"], decisions)[1]
    assert trusted([], decisions) == ([], "")


def test_only_utterances_whose_labels_are_right_are_taken_where_the_truth_knows_any(caplog):
    truth = pd.DataFrame({"utterance": ["a", "b"], "kind": ["clean", "voice"]})
    assert known_right(["a", "b", "c"], truth) == ["a"]
    assert known_right(["a", "b", "c"], None) == ["a", "b", "c"]
    assert known_right(["x", "y"], truth) == ["x", "y"]
    assert "the truth knows none of the 2 utterances to test on" in caplog.text
