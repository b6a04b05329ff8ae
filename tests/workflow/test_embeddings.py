"""Embeddings made elsewhere, through the whole pipeline: lists, error rates and a report, and nothing that needs
clips."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from avsieve.evaluation.trials import read_trials
from avsieve.lists.train_list import read_clean_list, read_train_list
from avsieve.storage.tables import read_table

from .conftest import Project, copy_project

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("embeddings")]

CONFIG = """\
source:
  kind: embeddings
  embeddings: {train_list: sim/train_all.txt, audio: sim/audio.npz, visual: sim/visual.npz,
    audio_segments: {hops: sim/audio_segments.parquet}, visual_frames: sim/visual_frames.parquet}
  truth: sim/truth.csv
shards: 3
fusion: {models: [gated], seeds: [0], epochs: 2}
evaluation: {bootstrap: 20, protocol: both}
report: {title: From tables}
"""


def avsieve(project: Project, *words: str) -> None:
    environment = project.environment() | {"PYTHONPATH": str(project.root / "src")}
    subprocess.run([sys.executable, "-m", "avsieve", *words], cwd=project.work, env=environment, check=True)


@pytest.fixture(scope="module")
def split(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Return a finished run over a simulated corpus; tests must leave it as they found it."""
    project = copy_project(repository, tmp_path_factory.mktemp("embeddings"))
    avsieve(project, "simulate", "--out", "sim", "--speakers", "24", "--videos", "5", "--utterances", "3", "--rate",
            "0.12", "--sequences")  # fmt: skip
    arrays = dict(np.load(project.work / "sim/visual.npz"))
    np.savez(project.work / "sim/visual.npz", **{name: a[2:] for name, a in arrays.items()})
    (project.work / "tiny.yaml").write_text(CONFIG)
    project.snakemake()
    return project


def test_tables_become_lists_error_rates_and_a_report(split: Project) -> None:
    results = split.work / "results"
    assert read_train_list(results / "lists/train_all.txt").equals(read_train_list(split.work / "sim/train_all.txt"))
    flagged = read_clean_list(results / "lists/train_all_clean.txt")
    truth = pd.read_csv(split.work / "sim/truth.csv").set_index("utterance").loc[flagged["utterance"]]
    wrong, found = (truth["kind"] != "clean").to_numpy(), (flagged["clean"] == 0).to_numpy()
    assert (wrong & found).sum() / found.sum() > 0.7
    assert (wrong & found).sum() / wrong.sum() > 0.7
    evaluated = pd.read_csv(results / "evaluation/results.csv")
    assert {"audio", "visual", "score_average", "gated"} <= set(evaluated["model"])
    assert set(evaluated.loc[evaluated["protocol"] == "segments", "model"]) == {"audio", "visual", "score_average"}
    page = (results / "report/index.html").read_text(encoding="utf-8")
    assert "From tables" in page
    assert not (results / "media").exists()
    assert not (results / "extract").exists()


def test_with_the_truth_the_trials_stand_on_it_and_without_it_trusted_ones_stand_beside_the_raw(split: Project) -> None:
    results = split.work / "results"
    assert set(pd.read_csv(results / "evaluation/results.csv")["labels"]) == {"truth"}
    page = (results / "report/index.html").read_text(encoding="utf-8")
    assert "EER has a floor" not in page
    # The same run without the truth, from the embeddings on.
    own = split.work / "own"
    own.mkdir()
    (own / "sim").symlink_to(split.work / "sim")
    (own / "tiny.yaml").write_text(CONFIG.replace("  truth: sim/truth.csv\n", ""))
    blind = Project(split.root, own)
    blind.snakemake()
    truth = pd.read_csv(split.work / "sim/truth.csv").set_index("utterance")["kind"]

    def wrong(name: str) -> float:
        trials = read_trials(own / "results/evaluation" / name)
        return float((truth[trials.utterances] != "clean").mean())

    assert wrong("trials_trusted.txt") < 0.3 * wrong("trials.txt")
    evaluated = pd.read_csv(own / "results/evaluation/results.csv")
    assert list(dict.fromkeys(evaluated["labels"])) == ["trusted", "given"]
    whole = evaluated[evaluated["protocol"] == "full"]
    eer = whole[whole["model"] == "score_average"].set_index("labels")["eer"]
    assert eer["trusted"] < eer["given"]
    assert set(pd.read_csv(own / "results/evaluation/gains.csv")["labels"]) == {"trusted", "given"}
    told = (own / "results/report/summary.txt").read_text()
    assert "trials on utterances that the cleansing trusts (the headline)" in told
    assert "EER has a floor" in (own / "results/report/index.html").read_text(encoding="utf-8")
    assert blind.planned() == {}
    assert set(blind.planned("--config", "evaluation={max_targets: 90}")) == {
        "make_trials", "make_trusted_trials", "evaluate_fusion", "write_report", "all",
    }  # fmt: skip
    assert "make_trusted_trials" in blind.planned("--config", "cleansing={threshold: 0.7}")


def test_damaged_trials_are_chosen_once_and_another_condition_reruns_nothing_before_them(split: Project) -> None:
    own = split.work / "damaged"
    own.mkdir()
    for name in ("results", "sim", ".snakemake"):
        shutil.copytree(split.work / name, own / name)
    run = Project(split.root, own)

    def configure(conditions: str) -> None:
        damage = f"evaluation: {{damage: {{conditions: {conditions}}}, "
        (own / "tiny.yaml").write_text(CONFIG.replace("evaluation: {", damage))

    configure("[vut, {name: no_voice, kind: missing, modality: audio}]")
    again = {"make_damage", "evaluate_fusion", "write_report", "all"}
    assert set(run.planned()) == again
    run.snakemake()
    rows = read_table(own / "results/evaluation/damage.parquet")
    assert set(rows["level"]) == {"embedding"}  # there is no signal
    evaluated = pd.read_csv(own / "results/evaluation/results.csv")
    assert list(dict.fromkeys(evaluated["condition"])) == ["whole", "no_voice", "vut", "pooled"]
    whole = evaluated[evaluated["protocol"] == "full"]
    eer = whole[whole["model"] == "score_average"].set_index("condition")["eer"]
    assert eer["whole"] < eer["pooled"]
    assert " under one threshold: these, and as damaged by 2\n" in (own / "results/report/summary.txt").read_text()
    assert run.planned() == {}
    configure("[vut]")
    assert set(run.planned()) == again


def test_several_trial_lists_of_the_users_are_one_evaluation_and_another_list_reruns_nothing_else(
    split: Project,
) -> None:
    own = split.work / "lists"
    own.mkdir()
    for name in ("results", "sim", ".snakemake"):
        shutil.copytree(split.work / name, own / name)
    lines = (own / "results/evaluation/trials.txt").read_text().splitlines(keepends=True)
    for name, part in (("o", lines), ("e", lines[::2]), ("h", lines[::3])):
        (own / f"{name}.txt").write_text("".join(part))
    run = Project(split.root, own)

    def configure(trials: str) -> None:
        (own / "tiny.yaml").write_text(CONFIG.replace("evaluation: {", f"evaluation: {{trials: {trials}, "))

    configure("{O: o.txt, Extended: e.txt}")
    again = {"evaluate_fusion", "write_report", "all"}
    assert set(run.planned()) == again
    run.snakemake()
    for name in ("results", "gains"):
        table = pd.read_csv(own / f"results/evaluation/{name}.csv")
        assert list(dict.fromkeys(table["list"])) == ["O", "Extended"]
    told = (own / "results/report/summary.txt").read_text()
    assert told.index("the trial list O (the headline)") < told.index("the trial list Extended")
    assert "on the trial list Extended" in (own / "results/report/index.html").read_text(encoding="utf-8")
    assert run.planned() == {}
    for trials in (
        "{O: o.txt, Extended: e.txt, H: h.txt}", "{O: o.txt, E: e.txt}", "{Extended: e.txt, O: o.txt}", "o.txt"
    ):  # fmt: skip
        configure(trials)
        assert set(run.planned()) == again
    configure("{O: o.txt, Extended: e.txt}")
    assert run.planned() == {}
    (own / "e.txt").write_text("".join(lines[1::2]))
    assert set(run.planned()) == again


def test_what_the_tables_lack_is_a_row_with_a_reason(split: Project) -> None:
    paths = sorted((split.work / "results/embed_visual").glob("*.status.parquet"))
    status = pd.concat([read_table(p) for p in paths])
    assert status["code"].value_counts().to_dict()["embedding_missing"] == 2
    plan = read_table(split.work / "results/plan/utterances.parquet")
    assert sorted(status["utterance"]) == sorted(plan["utterance"])


def test_the_command_cleanse_finds_the_same(split: Project) -> None:
    avsieve(split, "cleanse", "--train-list", "sim/train_all.txt", "--audio", "sim/audio.npz", "--visual",
            "sim/visual.npz", "--out", "by_hand")  # fmt: skip
    lists = ["train_all", "train_all_clean", "train_clean", "train_clean_audio", "train_clean_visual"]
    for name in [f"{stem}.txt" for stem in lists]:
        by_hand = (split.work / "by_hand" / name).read_bytes()
        assert (split.work / "results/lists" / name).read_bytes() == by_hand, name
    shutil.rmtree(split.work / "by_hand")


def test_another_table_runs_only_its_modality_and_what_follows(split: Project) -> None:
    table = split.work / "sim/visual.npz"
    before, times = table.read_bytes(), table.stat()
    arrays = dict(np.load(table))
    np.savez(table, **{name: a[1:] for name, a in arrays.items()})
    planned = split.planned()
    assert planned["split_embeddings"] == 1
    assert "plan_shards" not in planned
    table.write_bytes(before)
    os.utime(table, ns=(times.st_atime_ns, times.st_mtime_ns))


def test_what_lacks_a_face_is_in_the_list_for_voices_alone(split: Project) -> None:
    lists = split.work / "results/lists"
    lacking = set(read_train_list(lists / "train_all.txt")["utterance"][:2])
    assert not lacking & set(read_train_list(lists / "train_clean.txt")["utterance"])
    assert not lacking & set(read_train_list(lists / "train_clean_visual.txt")["utterance"])
    decisions = read_table(lists / "decisions.parquet").set_index("utterance").loc[sorted(lacking)]
    assert set(decisions["decision"]) <= {"incomplete", "noisy"}
    assert (decisions["decision"] == "incomplete").any()
    kept = set(decisions.index[decisions["p_audio_wrong"] <= 0.5])
    assert kept == lacking & set(read_train_list(lists / "train_clean_audio.txt")["utterance"])


@pytest.mark.parametrize(
    ("cleansing", "message"),
    [
        ("options: {treshold: 0.5}", "posterior: unknown option 'treshold'; it has rounds, sceptical, seed"),
        ("policy: most", "cleansing.policy is 'most'"),
        ("policy: visual", "policy visual judges faces, and no face embeddings were given"),
    ],
)
def test_a_cleansing_that_cannot_be_is_refused_by_a_dry_run(split: Project, cleansing: str, message: str) -> None:
    odd = split.work / "odd.yaml"
    odd.write_text(
        "source: {kind: embeddings, embeddings: {train_list: sim/train_all.txt, audio: sim/audio.npz}}\n"
        f"fusion: {{models: []}}\ncleansing: {{{cleansing}}}\n"
    )
    done = split.snakemake("-n", "--configfile", str(odd), check=False)
    assert done.returncode
    assert message in done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    odd.unlink()


def test_what_needs_clips_is_refused_with_a_reason(split: Project) -> None:
    done = split.snakemake("-n", "compare_lists", check=False)
    assert done.returncode
    assert "compare_lists: source.kind is embeddings" in done.stdout + done.stderr
