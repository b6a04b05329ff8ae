from __future__ import annotations

import argparse
import json

import pandas as pd

from avsieve.cli import cleanse, compare, simulate
from avsieve.lists.train_list import read_clean_list

from .conftest import f1


def arguments(module, *words):
    ap = argparse.ArgumentParser()
    module.add_arguments(ap)
    return ap.parse_args([*map(str, words)])


def test_the_commands_simulate_cleanse_and_compare(tmp_path, capsys):
    made, one, two = tmp_path / "made", tmp_path / "one", tmp_path / "two"
    words = ["--speakers", 40, "--videos", 6, "--utterances", 3, "--rate", 0.15]
    assert simulate.run(arguments(simulate, "--out", made, *words)) == 0
    inputs = ["--train-list", made / "train_all.txt", "--audio", made / "audio.npz", "--visual", made / "visual.npz"]
    assert cleanse.run(arguments(cleanse, *inputs, "--out", one)) == 0
    assert cleanse.run(arguments(cleanse, *inputs, "--out", two, "--method", "two_step")) == 0
    assert compare.run(arguments(compare, one / "train_all_clean.txt", two / "train_all_clean.txt", "--out", two)) == 0
    assert "Cohen's kappa" in capsys.readouterr().out
    assert (one / "train_all.txt").read_bytes() == (made / "train_all.txt").read_bytes()
    assert json.loads((two / "agreement.json").read_text())["kappa"] > 0.3
    truth = pd.read_csv(made / "truth.csv")
    clean = read_clean_list(one / "train_all_clean.txt")
    assert f1((truth["kind"] != "clean").to_numpy(), ~clean["clean"].to_numpy()) > 0.85
