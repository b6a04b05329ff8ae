import pandas as pd
import pytest

from avsieve.errors import ListError
from avsieve.report.detection import compare, expectation, found_wrong, read_truth

from .made_up import make_decisions, make_summary, make_truth


def test_perfect_decisions_reach_one_and_unjudged_rows_do_not_count():
    decisions = make_decisions()
    found = compare(decisions, make_truth(decisions))
    assert (found.judged, found.true, found.flagged, found.hits) == (47, 6, 6, 6)
    assert (found.precision, found.recall, found.f1) == (1.0, 1.0, 1.0)
    assert [(k.label, k.true, k.found, k.named) for k in found.kinds] == [
        ("whole video", 4, 4, 4),
        ("voice", 1, 1, 1),
        ("face", 1, 1, 1),
    ]


def test_a_miss_a_false_alarm_and_a_wrong_kind_are_told_apart():
    decisions = make_decisions()
    truth = make_truth(decisions)
    truth.loc[0, "kind"] = "clean"  # flagged as video: a false alarm
    truth.loc[10, "kind"] = "voice"  # kept: a miss
    truth.loc[1, "kind"] = "face"  # flagged as video: found, under another name
    found = compare(decisions, truth)
    assert (found.true, found.flagged, found.hits) == (6, 6, 5)
    video, voice, face = found.kinds
    assert (video.precision, video.named) == (0.75, 2)
    assert voice.recall == 0.5
    assert (face.true, face.found, face.flagged) == (2, 2, 1)


def test_what_lacks_a_face_is_not_called_wrong_and_its_face_cannot_be_missed():
    decisions = make_decisions()
    truth = make_truth(decisions)
    lacking = [9, 10, 11]
    decisions.loc[lacking, ["p_visual_wrong", "visual_similarity"]] = float("nan")
    decisions.loc[lacking, ["decision", "reason"]] = ["incomplete", "no_visual"]
    truth.loc[9, "kind"] = "face"  # nobody could have seen it
    truth.loc[10, "kind"] = "voice"  # this one could have been heard
    found = compare(decisions, truth)
    assert (found.judged, found.true, found.flagged, found.hits) == (46, 7, 6, 6)
    assert (found.precision, found.recall) == (1.0, 6 / 7)
    assert sum(found_wrong(decisions).values()) == 6


def test_nothing_flagged_has_no_precision_and_a_truth_of_others_no_detection():
    decisions = make_decisions().assign(decision="clean", kind="")
    found = compare(decisions, make_truth(make_decisions()))
    assert (found.precision, found.recall) == (None, 0.0)
    assert compare(decisions, pd.DataFrame({"utterance": ["x/y/z"], "kind": ["clean"]})) is None


def test_found_wrong_counts_each_kind():
    assert found_wrong(make_decisions()) == {"video": 4, "audio": 1, "visual": 1}


def test_a_method_without_probabilities_expects_nothing():
    summary = make_summary(make_decisions(), estimated=None)
    assert expectation(summary) == {"precision": None, "recall": None, "f1": None}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("utterance,what\na/b/c,x\n", "no column .'kind'."),
        ("utterance,kind\na/b/c,noise\n", "kind 'noise'; expected clean"),
    ],
)
def test_a_truth_table_that_cannot_be_used_is_refused(tmp_path, text, message):
    (tmp_path / "truth.csv").write_text(text)
    with pytest.raises(ListError, match=message):
        read_truth(tmp_path / "truth.csv")
    with pytest.raises(ListError, match="no such truth table"):
        read_truth(tmp_path / "absent.csv")


def test_ids_of_digits_stay_text(tmp_path):
    (tmp_path / "truth.csv").write_text("utterance,kind\n001/002/00003,clean\n")
    assert read_truth(tmp_path / "truth.csv")["utterance"].tolist() == ["001/002/00003"]
