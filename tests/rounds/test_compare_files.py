from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from avsieve.cleansing.settings import Audit, Cleansing
from avsieve.errors import ConfigError
from avsieve.rounds.compare_files import compare_rounds
from avsieve.rounds.write import write_rounds

from .made_up import make_files

QUICK = Cleansing(method="fixed_threshold", options={"thresholds": [0.4]})


def test_two_rounds_and_the_parts_of_the_second_are_one_table_and_a_text(tmp_path: Path) -> None:
    files, truth = make_files(tmp_path)
    found = compare_rounds(files, [], Audit(rate=0.2), QUICK, truth=truth, replicates=20)
    out = [tmp_path / name for name in ("rounds.csv", "rounds.json", "utterances.parquet", "rounds.txt")]
    told = write_rounds(found, *out)
    table = pd.read_csv(out[0], na_values="-", dtype={"round": str}).set_index("round")
    assert table.index.tolist() == ["1", "2", "2 held out", "2 trained"]
    assert table.loc["2", "truth_recall"] == 1.0
    assert table.loc["2", "truth_f1_gain"] == pytest.approx(1 - table.loc["1", "truth_f1"], abs=1e-5)
    assert table.loc["2", "newly_flagged"] == table.loc["2", "flagged"] - table.loc["1", "flagged"]
    assert table.loc["2", "acquitted"] == 0
    assert table.loc["1", "expected_recall"] == 0.8
    facts = json.loads(out[1].read_text())
    assert facts["last"] == "2"
    assert facts["folds"] == 2
    second = facts["rounds"][1]
    assert second["confirmation"]["by_truth"]["found_late"] == second["confirmation"]["by_truth"]["wrong"] > 0
    # The embeddings of both rounds are the same, and so is what the audit finds.
    assert second["audit"]["found_gain"]["value"] == 0.0
    assert facts["text"] == told == out[3].read_text()
    assert max(map(len, told.splitlines())) <= 100
    assert "it is better" in told
    assert "cannot see wrong labels that an encoder has learnt" in told.replace("\n", " ")
    utterances = pd.read_parquet(out[2])
    assert utterances["utterance"].tolist() == truth["utterance"].tolist()
    assert (utterances["decision_2"] == "noisy").equals(utterances["truth"] != "clean")
    assert utterances["trained_on_2"].sum() == second["trained_on"]["utterances"]


def test_without_truth_and_parts_the_rounds_are_still_compared(tmp_path: Path) -> None:
    files, _ = make_files(tmp_path, folds=0)
    found = compare_rounds(replace(files, kept=["visual"]), [], Audit(rate=0.2), QUICK, replicates=5)
    assert found.table["round"].tolist() == ["1", "2"]
    assert not [name for name in found.table if name.startswith("truth")]
    assert set(found.facts["rounds"][1]["confirmation"]) == {"trained_on"}
    assert found.facts["trained"] == ["audio"]
    told = write_rounds(found, *(tmp_path / name for name in ("a.csv", "a.json", "a.parquet", "a.txt")))
    assert "the encoder of faces is kept" in told.replace("\n", " ")


def test_other_numbers_of_files_than_rounds_are_refused(tmp_path: Path) -> None:
    files, _ = make_files(tmp_path)
    with pytest.raises(ConfigError, match=r"3 decisions for the rounds 1, 2, 2-without-0, 2-without-1; expected 4"):
        compare_rounds(replace(files, decisions=files.decisions[:-1]), [], Audit(), QUICK)
    with pytest.raises(ConfigError, match="1 audio for the rounds"):
        compare_rounds(replace(files, embeddings={"audio": [[]]}), [], Audit(), QUICK)
