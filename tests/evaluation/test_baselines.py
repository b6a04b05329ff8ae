import numpy as np
import pandas as pd
import pytest

from avsieve.evaluation.baselines import against, beats, rows_against
from avsieve.evaluation.results import evaluate

from .test_gains import TRIALS, results, scores

PLAIN = {None: evaluate(TRIALS, scores(1.5), replicates=200)}


def test_a_model_is_compared_with_what_has_no_training_seed_by_seed():
    model = results(2.5, range(3))
    row = against(PLAIN, model)
    assert row["seeds"] == 3
    assert row["eer_baseline"] == PLAIN[None].value("eer")
    assert row["eer_model"] == pytest.approx(np.mean([r.value("eer") for r in model.values()]))
    assert row["eer_gain"] == pytest.approx(row["eer_baseline"] - row["eer_model"])
    assert 0 < row["eer_gain_low"] < row["eer_gain"] < row["eer_gain_high"]


def test_seeds_go_with_their_own_and_others_are_passed_over():
    one, other = results(1.5, (0, 1)), results(2.0, (1, 2))
    row = against(one, other)
    assert row["seeds"] == 1
    assert row["eer_gain"] == pytest.approx(one[1].value("eer") - other[1].value("eer"))
    assert against(results(1.5, [0]), results(1.5, [1])) == {}


def test_a_trained_baseline_is_that_of_the_same_list():
    qmf = {arm: results(q, [0]) for arm, q in (("all", 1.5), ("clean", 2.0))}
    found = {("score_average", "-"): PLAIN}
    found |= {("calibrated_qmf", arm): own for arm, own in qmf.items()}
    found |= {("gated", arm): results(2.2, [0]) for arm in ("all", "clean")}
    rows = {(r["model"], r["trained_on"], r["baseline"]): r for r in rows_against(found)}
    for arm in ("all", "clean"):
        assert rows["gated", arm, "calibrated_qmf"]["eer_baseline"] == qmf[arm][0].value("eer")
        assert rows["gated", arm, "score_average"]["eer_baseline"] == PLAIN[None].value("eer")
    assert rows["score_average", "-", "calibrated_qmf"]["eer_baseline"] == qmf["clean"][0].value("eer")
    assert ("score_average", "-", "score_average") not in rows
    assert len(rows) == 2 * 2 + 2 + 1


def test_a_model_beats_the_baselines_only_if_it_beats_each_beyond_the_interval():
    table = pd.DataFrame(
        [("a", 0.01), ("a", 0.002), ("b", 0.01), ("b", -0.001), ("c", float("nan")), ("c", 0.1)],
        columns=["model", "eer_gain_low"],
    ).assign(trained_on="clean", list="O", baseline=["x", "y"] * 3)
    assert beats(table).set_index("model")["beats"].to_dict() == {"a": True, "b": False, "c": False}
    assert not beats(table.drop(columns="eer_gain_low"))["beats"].any()
