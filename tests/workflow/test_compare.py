"""Encoders trained on both lists, evaluated and told of: `snakemake compare_lists`."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

from avsieve.lists.train_list import read_train_list

from .conftest import Project

# One worker for all of them: the finished run that they look at is made once.
pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("workflow")]

MORE = """\
training:
  audio: {steps: 2, batch: 4, crop_s: 1.0, augment: []}
  visual: {steps: 2, batch: 4}
evaluation: {protocol: both, as_norm: {cohort: clean, top: 3, per_speaker: 2}, bootstrap: 20}
comparison: {seeds: [3], in_report: true}
"""


def test_both_lists_are_compared_and_the_report_tells_of_it(project: Project) -> None:
    config = project.work / "tiny.yaml"
    config.write_text(config.read_text() + MORE)
    planned = project.planned()
    assert planned["train_audio_arm"] == planned["train_visual_arm"] == 2
    assert not {"extract_media", "embed_audio", "clean_list", "train_fusion", "train_audio"} & set(planned)
    project.snakemake()
    results = project.work / "results"
    table = pd.read_csv(results / "comparison/comparison.csv")
    assert set(table["system"]) == {"audio_encoder", "visual_encoder", "both_encoders", "gated", "linear"}
    assert set(table["scores"]) == {"raw", "as_norm"}
    facts = json.loads((results / "comparison/comparison.json").read_text())
    for name in ("all", "clean"):
        assert facts["lists"][name]["utterances"] == len(read_train_list(results / f"lists/train_{name}.txt"))
    assert (results / "comparison/comparison.txt").read_text() == facts["text"]
    assert 'id="compared"' in (results / "report/index.html").read_text()
    # Raw and normalised scores of the same system stand side by side, of full utterances and of segments.
    evaluated = pd.read_csv(results / "evaluation/results.csv")
    ways = evaluated.groupby("model")[["protocol", "scores"]].apply(lambda g: len(g.drop_duplicates()))
    assert ways[["audio", "visual", "score_average", "gated"]].tolist() == [4, 4, 4, 2]
    assert project.planned() == {}
    check_reruns(project)


def check_reruns(project: Project) -> None:
    """An edit reruns what it concerns, and another threshold the trainings on the cleansed list only."""
    module = "src/avsieve/evaluation/gains.py"
    project.edit(module, "import numpy as np\n", "import numpy as np\n\nEDITED = 1\n")
    assert set(project.planned()) == {"evaluate_fusion", "compare_lists", "write_report", "all"}
    project.edit(module, "import numpy as np\n\nEDITED = 1\n", "import numpy as np\n")
    assert "train_audio_arm" not in project.planned("--config", "evaluation={bootstrap: 10}")
    assert set(project.planned("--config", "comparison={in_report: false}")) <= {"compare_lists", "write_report", "all"}


def test_trials_of_people_whom_an_encoder_knows_are_refused(project: Project, tmp_path: Path) -> None:
    trials = (project.work / "results/evaluation/trials.txt").read_text().split()
    known = tmp_path / "vox1_dev.txt"
    known.write_text(f"{trials[1].split('/')[0]} x 1.0\n")
    done = project.snakemake("--config", f"evaluation={{trained_on: [{known}]}}", "--", "evaluate", check=False)
    assert done.returncode
    log = (project.work / "results/logs/evaluate_fusion.log").read_text()
    assert "an encoder trained on" in log
    assert "would be meaningless" in log
