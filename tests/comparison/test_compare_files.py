import json
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from avsieve.embedding_files.own_tables import write_embeddings
from avsieve.evaluation.trials import Trials, write_no_trials, write_trials
from avsieve.storage.tables import read_table

from .made_up import COHORT, TRIALS, embed


@pytest.fixture
def command(tmp_path, repository):
    """Return a run of the rule's script over files of made-up encoders."""
    write_trials(tmp_path / "trials.txt", TRIALS)
    lines = [f"{n.split('/')[0]} {n}.wav 3.0" for n in COHORT]
    (tmp_path / "all.txt").write_text("\n".join(lines) + "\n")
    (tmp_path / "clean.txt").write_text("\n".join(lines[:-20]) + "\n")
    for name, noise in (("all", 2.0), ("clean", 0.9)):
        for s in (0, 1):
            vectors = np.concatenate([embed(TRIALS.utterances, noise, s), embed(COHORT, noise, 50 + s)])
            write_embeddings(tmp_path / f"{name}.{s}.parquet", [*TRIALS.utterances, *COHORT], vectors)
    words = ["--trials", "trials.txt", "--list-all", "all.txt", "--list-clean", "clean.txt", "--seeds", "0", "1"]
    words += ["--audio-all", "all.0.parquet", "all.1.parquet", "--audio-clean", "clean.0.parquet", "clean.1.parquet"]
    words += ["--cohort", "all.txt", "--top", "10", "--bootstrap", "50", "--table", "comparison.csv"]
    (tmp_path / "gains.csv").write_text("model,condition,protocol,scores,seeds\n")
    words += ["--fusion", "gains.csv", "--eer", "interpolated", "--bootstrap-seed", "0"]
    words += ["--facts", "comparison.json", "--curves", "curves.parquet", "--text", "comparison.txt"]
    script = repository / "workflow" / "scripts" / "compare_lists.py"

    def start(*more):
        return subprocess.run(
            [sys.executable, script, *words, *more], cwd=tmp_path, capture_output=True, text=True, check=False
        )

    return tmp_path, start


def test_the_command_writes_table_facts_and_text(command):
    folder, start = command
    done = start()
    assert done.returncode == 0, done.stderr
    table = pd.read_csv(folder / "comparison.csv")
    assert table["system"].tolist() == ["audio_encoder", "audio_encoder"]
    assert table["scores"].tolist() == ["raw", "as_norm"]
    assert (table[["trials", "trials_version", "eer_definition"]] == ["trials", "-", "interpolated"]).all(axis=None)
    facts = json.loads((folder / "comparison.json").read_text())
    assert facts["lists"]["clean"]["utterances"] == 70
    assert len(facts["runs"]) == 8
    text = (folder / "comparison.txt").read_text()
    assert done.stdout == text == facts["text"]
    assert "voice encoder, AS-norm" in text
    assert "the gain shows" in text
    assert "too narrow" in text


def test_an_encoder_that_was_trained_on_people_of_the_trials_is_refused(command):
    folder, start = command
    with (folder / "all.txt").open("a") as lines:
        lines.write("t00 t00/v0/0.wav 3.0\n")
    done = start()
    assert done.returncode == 1
    assert "what was trained on all.txt: 1 of 20 speakers" in done.stderr


def test_each_list_of_trials_is_compared_apart_and_the_trusted_one_comes_first(command):
    folder, start = command
    given = TRIALS.is_target.copy()
    given[::7] = ~given[::7]
    write_trials(folder / "given.txt", Trials(TRIALS.utterances, TRIALS.enrol, TRIALS.test, given))
    done = start("--trials", "given.txt", "trials.txt", "--labels", "given", "trusted")
    assert done.returncode == 0, done.stderr
    table = pd.read_csv(folder / "comparison.csv")
    raw = table[table["scores"] == "raw"].set_index("labels")
    assert raw.index.tolist() == ["trusted", "given"]
    assert raw.loc["given", "eer_clean"] > raw.loc["trusted", "eer_clean"]
    facts = json.loads((folder / "comparison.json").read_text())
    assert facts["labels"] == "trusted"
    assert [item["labels"] for item in facts["trial_lists"]] == ["trusted", "given"]
    text = (folder / "comparison.txt").read_text()
    assert text.index("that the cleansing trusts") < text.index("as they were given")
    assert "floor that no model gets below" in text


def test_lists_of_the_users_are_told_apart_by_their_names(command):
    folder, start = command
    few = TRIALS.is_target.copy()
    few[::3] = True
    kept = slice(None, None, 2)
    write_trials(folder / "e.txt", Trials(TRIALS.utterances, TRIALS.enrol[kept], TRIALS.test[kept], few[kept]))
    (folder / "gains.csv").write_text(
        "model,condition,protocol,scores,seeds,seeds_better,eer_all,eer_clean,eer_gain,list,labels\n"
        "gated,whole,full,raw,1,1,0.5,0.25,0.25,2,official\n"
    )
    done = start("--trials", "trials.txt", "e.txt", "--labels", "official", "official", "--trials-name", "1", "2")
    assert done.returncode == 0, done.stderr
    table = pd.read_csv(folder / "comparison.csv", dtype={"list": str})
    assert table.groupby("list", sort=False)["system"].unique().map(list).to_dict() == {
        "1": ["audio_encoder"],
        "2": ["audio_encoder", "gated"],
    }
    facts = json.loads((folder / "comparison.json").read_text())
    assert [item["list"] for item in facts["trial_lists"]] == ["1", "2"]
    assert facts["list"] == "1"
    assert {(run["list"], run["trained_on"]) for run in facts["runs"]} == {
        (name, arm) for name in ("1", "2") for arm in ("all", "clean")
    }
    assert set(read_table(folder / "curves.parquet")["list"]) == {"1", "2"}
    first, second = (folder / "comparison.txt").read_text().split("the trial list 1.")[1].split("the trial list 2.")
    assert "gated fusion" not in first
    assert "gated fusion" in second


def test_a_list_without_trials_is_left_out_and_none_at_all_is_an_error(command):
    folder, start = command
    write_no_trials(folder / "trusted.txt", "nobody is trusted")
    done = start("--trials", "trials.txt", "trusted.txt", "--labels", "given", "trusted")
    assert done.returncode == 0, done.stderr
    assert "left out: nobody is trusted" in (folder / "comparison.txt").read_text()
    done = start("--trials", "trusted.txt", "--labels", "trusted")
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith("error: there is nothing to compare on: nobody is trusted")
