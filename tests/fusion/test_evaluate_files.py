from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from avsieve.embedding_files.own_tables import write_embeddings
from avsieve.errors import AvsieveError
from avsieve.evaluation.conditions.manifest import Candidates, make_manifest
from avsieve.evaluation.conditions.settings import conditions_of
from avsieve.evaluation.conditions.table import DamageTable, write_damage
from avsieve.evaluation.metrics import CALIBRATED
from avsieve.evaluation.results import NothingScoredError, read_evaluation
from avsieve.evaluation.trial_lists import read_trial_lists
from avsieve.evaluation.trial_maker import make_trials
from avsieve.evaluation.trials import read_trials, write_no_trials, write_trials
from avsieve.fusion.checkpoint import Trained, save_fusion, save_left_out
from avsieve.fusion.evaluate_files import EmbeddingFiles, Tables, evaluate_lists
from avsieve.fusion.registry import MODELS
from avsieve.report.errors import evaluated_lists
from avsieve.storage.tables import read_table

from .made_up import make_people, new_model

INPUTS, SPEAKERS = make_people("p", 12)
TESTED = INPUTS.utterances[:54]  # six people; the others are the cohort
USUAL = {
    "trained_on": [], "cohort": None, "top": None, "definition": "interpolated", "replicates": 10, "damage": None,
    "seed": 0, "device": torch.device("cpu"),
}  # fmt: skip


@pytest.fixture
def folder(tmp_path):
    """Embeddings in two shards, trials, and a cohort."""
    half = len(INPUTS) // 2
    for name, stream in INPUTS.streams.items():
        for k, rows in enumerate((slice(half), slice(half, None))):
            write_embeddings(tmp_path / f"{name}.{k}.parquet", INPUTS.utterances[rows], stream.pooled[rows])
    write_trials(tmp_path / "trials.txt", make_trials(TESTED, max_targets=60))
    lines = [f"{u.split('/')[0]} {u}.wav 1.0" for u in INPUTS.utterances[54:]]
    (tmp_path / "cohort.txt").write_text("\n".join(lines) + "\n")
    torch.manual_seed(0)
    (tmp_path / "all").mkdir()
    model = new_model("linear", 24, 16, dim=8)
    save_fusion(tmp_path / "all" / "linear.0.safetensors", Trained(model, "all", 0, ["somebody"], {}))
    return tmp_path


def written(folder):
    """Return where the tables go."""
    names = {"results": "r.csv", "gains": "g.csv", "curves": "c.parquet", "against": "a.csv", "times": "t.csv"}
    return {table: folder / name for table, name in names.items()}


def files(folder):
    return EmbeddingFiles(*([folder / f"{m}.{k}.parquet" for k in range(2)] for m in ("audio", "visual")))


def test_every_model_stands_in_the_tables_of_each_list_and_a_list_without_trials_says_why(folder):
    write_no_trials(folder / "trusted.txt", "nobody is trusted")
    lists = read_trial_lists([folder / "trials.txt", folder / "trusted.txt"], ["given", "trusted"])
    models = [folder / "all" / "linear.0.safetensors", folder / "all" / "gated.0.safetensors"]
    save_left_out(models[1], "too few people")
    found = evaluate_lists(lists, files(folder), models, **USUAL | {"cohort": folder / "cohort.txt", "top": 3})
    assert found.models_left_out == {"all/gated.0.safetensors": "too few people"}
    assert {facts["labels"]: facts["left_out"] for facts in found.lists} == {
        "trusted": "nobody is trusted", "given": "",
    }  # fmt: skip
    assert found.left_out == ""
    (table,) = found.results
    assert set(table["model"]) == {*(name for name, model in MODELS.items() if not model.trained), "linear"}
    assert set(table["scores"]) == {"raw", "as_norm"}
    found.write(**written(folder))
    assert (folder / "r.csv").read_text().splitlines()[0].endswith("trials_version,trials_sha256,eer_definition")
    assert set(read_table(folder / "c.parquet")["labels"]) == {"given"}


def test_several_lists_of_the_users_are_named_in_every_table(folder):
    write_trials(folder / "hard.txt", make_trials(TESTED[:27], max_targets=30))
    lists = read_trial_lists([folder / "hard.txt", folder / "trials.txt"], ["official"] * 2, names=["1", "NA"])
    models = [folder / name / "linear.0.safetensors" for name in ("all", "clean")]
    models[1].parent.mkdir()
    save_fusion(models[1], Trained(new_model("linear", 24, 16, dim=8), "clean", 0, ["somebody"], {}))
    found = evaluate_lists(lists, files(folder), models, **USUAL)
    found.write(**written(folder))
    assert [(facts["list"], facts["n_speakers"]) for facts in found.lists] == [("1", 3), ("NA", 6)]
    tables = [read_evaluation(folder / "r.csv"), read_evaluation(folder / "g.csv"), read_table(folder / "c.parquet")]
    assert [list(dict.fromkeys(table["list"])) for table in tables] == [["1", "NA"]] * 3
    assert tables[0].groupby("list")["n_speakers"].unique().to_dict() == {"1": [3], "NA": [6]}
    parts = evaluated_lists(*tables)
    assert [(item.name, item.first["n_speakers"]) for item in parts] == [("1", 3), ("NA", 6)]
    assert all(len(item.gains) and len(item.curves) for item in parts)
    # Cosines are no log-likelihood ratios: the columns of their costs are there, and empty.
    header = (folder / "r.csv").read_text().splitlines()[0]
    assert "min_dcf_0.05,act_dcf_0.01,act_dcf_0.05,cllr," in header
    assert tables[0][list(CALIBRATED)].isna().all(axis=None)


def test_figures_that_some_systems_have_stand_behind_those_that_all_have(folder):
    (found,) = evaluate_lists(read_trial_lists([folder / "trials.txt"], []), files(folder), [], **USUAL).results
    tables = Tables("interpolated", results=[found, found.head(1).assign(cllr=0.5, cllr_low=0.25)])
    tables.write(**written(folder))
    table = read_evaluation(folder / "r.csv")
    assert list(table)[list(table).index("min_dcf_0.05") + 1 :][:3] == list(CALIBRATED)
    assert table["cllr"].dropna().tolist() == [0.5]
    assert table["cllr_low"].dropna().tolist() == [0.25]


def test_people_who_were_seen_in_one_of_several_lists_are_refused_before_any_is_evaluated(folder):
    write_trials(folder / "others.txt", make_trials(INPUTS.utterances[54:], max_targets=60))
    (folder / "dev.txt").write_text(f"{SPEAKERS[-1]} {INPUTS.utterances[-1]}.wav 1.0\n")
    lists = read_trial_lists([folder / "trials.txt", folder / "others.txt"], [], names=["O", "E"])
    nobody = EmbeddingFiles([], [])  # scoring the first would fail
    with pytest.raises(AvsieveError, match=r"dev.txt: 1 of 6 speakers of the trial list E are in its training list"):
        evaluate_lists(lists, nobody, [], **USUAL | {"trained_on": [folder / "dev.txt"]})
    with pytest.raises(NothingScoredError, match="the trial list O: none of the"):
        evaluate_lists(lists, nobody, [], **USUAL)


def test_where_no_list_can_be_evaluated_the_tables_are_empty_and_have_their_columns(folder):
    write_no_trials(folder / "trials.txt", "too few people")
    found = evaluate_lists(read_trial_lists([folder / "trials.txt"], ["given"]), files(folder), [], **USUAL)
    assert found.left_out == "too few people"
    found.write(**written(folder))
    assert (folder / "r.csv").read_text().startswith("model,trained_on,seed,condition,protocol,scores,eer")
    assert (folder / "g.csv").read_text().startswith("model,condition,protocol,scores,seeds")


def test_a_list_of_the_users_that_cannot_be_scored_is_an_error_and_one_of_the_runs_is_left_out(folder):
    nobody = EmbeddingFiles([], [])
    with pytest.raises(NothingScoredError, match="none of the"):
        evaluate_lists(read_trial_lists([folder / "trials.txt"], ["official"]), nobody, [], **USUAL)
    found = evaluate_lists(read_trial_lists([folder / "trials.txt"], ["given"]), nobody, [], **USUAL)
    assert found.left_out.startswith("none of the")


def test_encoders_that_know_people_of_the_trials_are_refused(folder):
    (folder / "dev.txt").write_text(f"{SPEAKERS[0]} {TESTED[0]}.wav 1.0\n")
    lists = read_trial_lists([folder / "trials.txt"], ["given"])
    with pytest.raises(AvsieveError, match=r"an encoder trained on .*dev.txt: 1 of 6 speakers"):
        evaluate_lists(lists, files(folder), [], **USUAL | {"trained_on": [folder / "dev.txt"]})


def damage_table(folder, level, **entry):
    conditions = conditions_of([{"name": "c", **entry}])
    trials = read_trials(folder / "trials.txt")
    write_damage(folder / "damage.parquet", make_manifest(conditions, Candidates.of([trials]), level=level))
    return DamageTable(folder / "damage.parquet").rows("c")


def test_damaged_signals_are_read_from_the_tables_of_their_versions(folder, caplog):
    rows = damage_table(folder, "signal", kind="noise", snr_db=0)
    own = {u: k for k, u in enumerate(INPUTS.utterances)}
    # Two are lost; the others are as they were, so that a stratum without them is the list itself.
    kept = rows.iloc[2:]
    vectors = INPUTS.audio.pooled[[own[u] for u in kept["utterance"]]]
    half = len(kept) // 2
    for k, part in enumerate((slice(half), slice(half, None))):
        write_embeddings(folder / f"damaged.{k}.parquet", kept["version"].tolist()[part], vectors[part])
    given = replace(files(folder), damaged_audio=[folder / f"damaged.{k}.parquet" for k in range(2)])
    lists = read_trial_lists([folder / "trials.txt"], [])
    (table,) = evaluate_lists(lists, given, [], **USUAL | {"damage": folder / "damage.parquet"}).results
    of = table.set_index(["model", "condition"])
    assert f"c: 2 of {len(rows)} damaged audio utterances have no embedding" in caplog.text
    lost = int(of.loc[("audio", "c"), "n_missing"])
    assert lost > 0
    assert of.loc[("audio", "pooled"), ["n_missing", "n_trials"]].tolist() == [lost, 2 * 120 - lost]
    assert of.loc[("score_average", "c"), "n_missing"] == 0
    assert of.loc[("visual", "c"), "eer"] == of.loc[("visual", "whole"), "eer"] == of.loc[("visual", "pooled"), "eer"]


def test_damaged_signals_without_any_table_are_an_error_that_names_the_remedy(folder):
    rows = damage_table(folder, "signal", kind="blur")
    lists = read_trial_lists([folder / "trials.txt"], [])
    words = rf"{len(rows)} damaged visual signals .* give --damaged-visual, or set evaluation.damage.level"
    with pytest.raises(AvsieveError, match=words):
        evaluate_lists(lists, files(folder), [], **USUAL | {"damage": folder / "damage.parquet"})


def test_people_of_other_lists_may_lend_their_faces(folder):
    write_trials(folder / "others.txt", make_trials(INPUTS.utterances[54:], max_targets=60))
    trials = [read_trials(folder / name) for name in ("trials.txt", "others.txt")]
    entry = {"name": "c", "kind": "other_person", "modality": "visual"}
    write_damage(folder / "damage.parquet", make_manifest(conditions_of([entry]), Candidates.of(trials)))
    lists = read_trial_lists([folder / "trials.txt"], [])
    (table,) = evaluate_lists(lists, files(folder), [], **USUAL | {"damage": folder / "damage.parquet"}).results
    of = table.set_index(["model", "condition"])
    assert of.loc[("visual", "c"), "eer"] > 0.3 > of.loc[("visual", "whole"), "eer"]
    assert of.loc[("visual", "c"), "n_missing"] == 0


def test_segments_and_faces_are_read_for_the_modalities_that_have_files(folder):
    names = [u for u in TESTED for _ in range(2)]
    write_embeddings(folder / "segments.parquet", names, np.repeat(INPUTS.audio.pooled[:54], 2, axis=0))
    given = EmbeddingFiles([], [], audio_segments=[folder / "segments.parquet"], frames=5)
    segments = given.segments(list(TESTED))
    assert set(segments) == {"audio"}
    assert segments["audio"].present.all()
