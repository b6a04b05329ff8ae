"""A joint model in a run: trained on signals, embedding damaged trials, in the table of results."""

from __future__ import annotations

import json

import pandas as pd
import pytest

from .conftest import Project

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("workflow")]

MODEL = (
    "{name: avn_j, visual_arch: mobileface_small, visual_weights: builtin, epochs: 1, batch_size: 8, crop_s: 0.8, "
    "length: 16}"
)
FUSION = f"fusion={{models: [{MODEL}], seeds: [0]}}"
DAMAGED = "evaluation={damage: {conditions: [vut]}}"


def test_a_joint_model_is_trained_on_signals_and_scored_damaged_and_undamaged(project: Project) -> None:
    planned = project.planned("--config", FUSION, DAMAGED, "--", "evaluate")
    assert planned["train_joint"] == planned["embed_joint"] == 2
    assert not {"extract_media", "align_faces", "embed_audio", "clean_list", "train_fusion"} & set(planned)
    project.snakemake("--config", FUSION, DAMAGED, "--", "evaluate")
    results = project.work / "results"
    rows = pd.read_csv(results / "evaluation/results.csv")
    own = rows[rows["model"] == "avn_j"]
    assert set(own["trained_on"]) == {"all", "clean"}
    assert {"whole", "vut", "pooled"} <= set(own["condition"])
    assert own["eer"].between(0, 1).all()
    # Every system scored the same trials.
    whole = rows[(rows["condition"] == "whole") & (rows["protocol"] == "full")]
    assert whole["n_trials"].nunique() == 1
    told = json.loads((results / "joint/all/avn_j.0.json").read_text())
    assert told["left_out"] == ""
    assert project.planned("--config", FUSION, DAMAGED, "--", "evaluate") == {}
    # Damaged signals went when all had read them; another condition has them made anew, and trains nothing.
    assert not list((results / "damage").glob("*.tar"))
    more = project.planned("--config", FUSION, DAMAGED.replace("vut", "vut, avn"), "--", "evaluate")
    assert {"make_damage", "damage_shard", "embed_joint", "evaluate_fusion"} <= set(more)
    assert not {"train_joint", "train_fusion", "embed_audio"} & set(more)


def test_a_joint_model_of_an_encoder_without_gradients_is_refused_in_a_line(finished: Project) -> None:
    done = finished.snakemake("-n", "--config", "fusion={models: [avn_j]}", check=False)
    assert done.returncode
    shown = done.stdout + done.stderr
    assert "fusion.models: avn_j: visual_arch is 'onnx', which no joint model can be made of" in shown
    assert "Traceback" not in shown
