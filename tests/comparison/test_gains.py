import json
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from avsieve.comparison.gains import Embedded, compare_arms
from avsieve.embedding_files.own_tables import write_embeddings
from avsieve.errors import AvsieveError
from avsieve.evaluation.as_norm import Cohort
from avsieve.evaluation.scoring import Part
from avsieve.evaluation.trial_maker import make_trials
from avsieve.evaluation.trials import Trials, write_no_trials, write_trials

NAMES = [f"t{s:02d}/v{v}/{u}" for s in range(20) for v in range(3) for u in range(2)]
COHORT = [f"c{s:02d}/v/{u}" for s in range(30) for u in range(3)]
TRIALS = make_trials(NAMES, max_targets=200)


def embed(names, noise, seed):
    """Embeddings of people: a direction of their own, and noise."""
    rng = np.random.default_rng(seed)
    people = sorted({n.split("/")[0] for n in names})
    own = np.random.default_rng(7).standard_normal((len(people), 12))
    place = [people.index(n.split("/")[0]) for n in names]
    return (own[place] + noise * rng.standard_normal((len(names), 12))).astype(np.float32)


def arm(noise, seeds, cohort=True):
    return {
        s: Embedded(
            Part.of(embed(TRIALS.utterances, noise, s)), Part.of(embed(COHORT, noise, 50 + s)) if cohort else None
        )
        for s in seeds
    }


def test_a_list_that_makes_better_encoders_gains_in_every_system_raw_and_normalised():
    embedded = {
        "audio": {"all": arm(2.0, range(3)), "clean": arm(0.9, range(3))},
        "visual": {"all": arm(1.6, range(3)), "clean": arm(0.8, range(3))},
    }
    found = compare_arms(TRIALS, embedded, cohort=Cohort(COHORT, 10), replicates=100)
    systems = ["audio_encoder", "visual_encoder", "both_encoders"]
    assert list(zip(found.gains["system"], found.gains["scores"], strict=True)) == [
        (s, kind) for s in systems for kind in ("raw", "as_norm")
    ]
    assert (found.gains["eer_gain_low"] > 0).all()
    assert len(found.runs) == 3 * 2 * 2 * 3
    gain = found.gains.set_index(["system", "scores"]).loc[("audio_encoder", "raw")]
    own = found.runs[(found.runs["system"] == "audio_encoder") & (found.runs["scores"] == "raw")]
    assert gain["eer_all"] == pytest.approx(own.loc[own["list"] == "all", "eer"].mean())
    assert set(found.curves["trained_on"]) == {"all", "clean"}


def test_with_one_modality_there_is_one_system_and_without_a_cohort_no_normalised_score():
    embedded = {"audio": {"all": arm(2.0, (4,), cohort=False), "clean": arm(0.9, (4,), cohort=False)}}
    found = compare_arms(TRIALS, embedded, replicates=20)
    assert found.gains[["system", "scores"]].to_numpy().tolist() == [["audio_encoder", "raw"]]


def test_seeds_that_do_not_fit_are_refused():
    embedded = {"audio": {"all": arm(2.0, (0,)), "clean": arm(2.0, (1,))}}
    with pytest.raises(AvsieveError, match="a paired comparison needs the same"):
        compare_arms(TRIALS, embedded, replicates=0)


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


def test_a_list_without_trials_is_left_out_and_none_at_all_is_an_error(command):
    folder, start = command
    write_no_trials(folder / "trusted.txt", "nobody is trusted")
    done = start("--trials", "trials.txt", "trusted.txt", "--labels", "given", "trusted")
    assert done.returncode == 0, done.stderr
    assert "left out: nobody is trusted" in (folder / "comparison.txt").read_text()
    done = start("--trials", "trusted.txt", "--labels", "trusted")
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith("error: there is nothing to compare on: nobody is trusted")
