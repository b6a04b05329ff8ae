import json

import numpy as np
import pandas as pd
import pytest

from avsieve.report.fusion_table import fusion_table, markdown, read_training, write_fusion_table

LIST = {"list": "O", "labels": "official"}
WAY = {"protocol": "full", "scores": "raw"}


def results():
    """Two seeds of one model on both lists, two without training, whole and pooled."""
    rows = []
    for condition, shift in (("whole", 0.0), ("pooled", 0.02)):
        counts = {"n_trials": 100, "n_targets": 50, "n_missing": 10 if shift else 0}
        for model, arm, seed, eer, cllr in (
            ("score_average", "-", None, 0.05, np.nan),
            ("calibrated_qmf", "clean", 0, 0.04, 0.2),
            ("gated", "all", 0, 0.06, np.nan),
            ("gated", "all", 1, 0.08, np.nan),
            ("gated", "clean", 0, 0.03, np.nan),
            ("gated", "clean", 1, 0.02, np.nan),
        ):
            figures = {"eer": eer + shift, "min_dcf_0.01": 0.5, "min_dcf_0.05": 0.3, "cllr": cllr}
            rows.append({"model": model, "trained_on": arm, "seed": seed, "condition": condition, **WAY, **figures,
                         **counts, **LIST})  # fmt: skip
    rows.append(rows[0] | {"scores": "as_norm", "eer": 0.9})
    return pd.DataFrame(rows)


def against():
    worth = {"clean": {"eer_gain": 0.011, "eer_gain_low": 0.001, "eer_gain_high": 0.021},
             "all": {"eer_gain": -0.02, "eer_gain_low": -0.03, "eer_gain_high": -0.01}}  # fmt: skip
    rows = [
        {"model": "gated", "trained_on": arm, "baseline": baseline, "condition": condition, **WAY, **LIST, **gain}
        for condition in ("whole", "pooled")
        for arm, gain in worth.items()
        for baseline in ("score_average", "calibrated_qmf")
    ]
    return pd.DataFrame(rows)


def costs(tmp_path):
    paths = []
    for seed, seconds in enumerate((10.0, 20.0)):
        paths.append(tmp_path / "clean" / f"gated.{seed}.json")
        paths[-1].parent.mkdir(exist_ok=True)
        paths[-1].write_text(json.dumps({"parameters": 12345, "seconds": seconds}))
    times = pd.DataFrame([{"list": "O", "model": "gated", "trained_on": "clean", "encode_s": 1.0, "score_s": 0.5}])
    return paths, times


def test_a_row_has_the_means_over_the_seeds_and_what_the_model_is_worth(tmp_path):
    paths, times = costs(tmp_path)
    table = fusion_table(results(), against(), read_training(paths), times)
    assert len(table) == 8
    row = table[(table["model"] == "gated") & (table["trained_on"] == "clean") & (table["condition"] == "pooled")]
    row = row.iloc[0]
    assert row["seeds"] == 2
    assert row["eer"] == pytest.approx(0.045)
    assert row["eer_against_score_average_low"] == 0.001
    assert row["beats"]
    assert (row["parameters"], row["train_s"], row["encode_s"]) == (12345, 15, 1)
    beaten = table[(table["model"] == "gated") & (table["trained_on"] == "all")]
    assert not beaten["beats"].any()
    average = table[table["model"] == "score_average"]
    assert average["beats"].isna().all()
    assert average["eer"].tolist() == pytest.approx([0.05, 0.07])  # raw scores only
    assert "AVCleanse" in average["published"].iloc[0]


def test_the_text_says_who_does_not_beat_the_baselines_and_keeps_published_figures_apart(tmp_path):
    paths, times = costs(tmp_path)
    text = markdown(fusion_table(results(), against(), read_training(paths), times))
    lines = text.splitlines()
    full = next(line for line in lines if line.startswith("| gated fusion | full"))
    assert "**no**" in full
    assert "-2.00 (-3.00 to -1.00)" in full
    cleansed = next(line for line in lines if line.startswith("| gated fusion | cleansed"))
    assert "| yes | 12,345 | 15 | 1 | 0.5 |" in cleansed
    assert "110 trials, 10 of them without a score" in text
    by_condition = lines[lines.index("EER in % by condition:") + 2 :]
    assert by_condition[0] == "| model | trained on | seeds | whole | pooled |"
    assert "| gated fusion | cleansed | 2 | 2.50 | 4.50 |" in by_condition
    ours, published = text.split("## Published figures")
    assert "0.15 / 0.23 / 0.41" in published
    assert "0.15 / 0.23 / 0.41" not in ours


def test_without_seeds_times_or_comparisons_there_is_still_a_table(tmp_path):
    bare = results()[lambda t: t["model"] == "score_average"]
    table = fusion_table(bare, against().head(0), read_training([]), pd.DataFrame())
    assert len(table) == 2
    assert "| score average | – | 1 |" in markdown(table)


def test_files_become_files(tmp_path):
    paths, times = costs(tmp_path)
    for name, own in (("results", results()), ("against", against()), ("times", times)):
        own.to_csv(tmp_path / f"{name}.csv", index=False)
    names = (tmp_path / f"{name}.csv" for name in ("results", "against", "times"))
    text = write_fusion_table(*names, paths, table=tmp_path / "t.csv", text=tmp_path / "t.md")
    assert (tmp_path / "t.md").read_text() == text
    assert pd.read_csv(tmp_path / "t.csv")["eer"].notna().all()
