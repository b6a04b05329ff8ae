from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from avsieve.cleansing.settings import Cleansing
from avsieve.cleansing.table import score_table
from avsieve.cleansing.write import cleanse
from avsieve.cli import main as command
from avsieve.embedding_files.table import EmbeddingTable
from avsieve.errors import AvsieveError
from avsieve.inspection.audit_of_run import digest_of
from avsieve.inspection.decided import read_decided
from avsieve.review.entry import ReviewError
from avsieve.review.log import ReviewLog
from avsieve.review.plan import read_plan
from avsieve.review.plan_command import reviews_folder, run_estimate, run_plan
from avsieve.simulation.corpus import simulate
from avsieve.simulation.settings import ModalitySpec, NoiseSpec, WorldSpec
from avsieve.storage.atomic import write_json

SIZES = {"audio": ModalitySpec(dim=48), "visual": ModalitySpec(dim=48)}
WORLD = WorldSpec(speakers=24, outsiders=8, videos_per_speaker=5, utterances_per_video=3, **SIZES)


def main(arguments: list[str]) -> int:
    """Run the command; return its exit status."""
    with pytest.MonkeyPatch.context() as patch, pytest.raises(SystemExit) as stopped:
        patch.setattr("sys.argv", ["avsieve", *arguments])
        command()
    return int(stopped.value.code or 0)


def cleansed(folder: Path, modalities: tuple[str, ...] = ("audio", "visual"), rate: float = 0.15, seed: int = 2):
    """Cleanse a simulated list of embeddings into a folder; return utterance -> whether it is wrong."""
    corpus = simulate(WORLD, NoiseSpec(rate=rate), seed)
    names = corpus.plan["utterance"].tolist()
    tables = {m: EmbeddingTable(names, getattr(corpus, m)) if m in modalities else None for m in ("audio", "visual")}
    cleanse(score_table(corpus.plan[["utterance", "speaker"]], tables), ["2.50"] * len(names), folder, Cleansing())
    parts = {m: (corpus.truth[f"{m}_of"] != corpus.truth["speaker"]).to_numpy() for m in modalities}
    return dict(zip(names, np.logical_or.reduce(list(parts.values())).tolist(), strict=True))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory):
    folder = tmp_path_factory.mktemp("run") / "cleansed"
    return folder, cleansed(folder)


@pytest.fixture
def run(made, tmp_path: Path):
    shutil.copytree(made[0], tmp_path / "cleansed")
    return tmp_path / "cleansed", made[1]


def judge(folder: Path, truth: dict[str, bool], names: list[str], who: str = "ann") -> None:
    log = ReviewLog(folder, who)
    for name in names:
        log.append(name, "wrong_clip" if truth[name] else "right")


def test_a_plan_lies_beside_results_or_in_another_folder_of_a_run(run, tmp_path: Path) -> None:
    folder, _ = run
    assert reviews_folder(tmp_path / "results") == tmp_path / "reviews"
    told = run_plan(folder, 40)
    plan = read_plan(folder / "reviews" / "review_plan.parquet")
    assert abs(len(plan) - 40) <= 6
    assert told[0].startswith(f"{len(plan)} clips of ")
    (tmp_path / "results" / "lists").mkdir(parents=True)
    for name in ("decisions.parquet", "summary.json"):
        shutil.copy(folder / name, tmp_path / "results" / "lists")
    run_plan(tmp_path / "results", 40)
    assert read_plan(tmp_path / "reviews" / "review_plan.parquet").utterance == plan.utterance


def test_an_unfinished_plan_is_not_drawn_anew_unless_told_to(run) -> None:
    folder, truth = run
    file = folder / "reviews" / "review_plan.parquet"
    run_plan(folder, 30)
    before, plan = file.read_bytes(), read_plan(file)
    with pytest.raises(ReviewError, match=rf"{len(plan)} of {len(plan)} clips .* not judged yet.*--new-plan"):
        run_plan(folder, 30, seed=2)
    assert file.read_bytes() == before
    judge(folder / "reviews", truth, plan.utterance[:-1])
    with pytest.raises(ReviewError, match=f"1 of {len(plan)} clips"):
        run_plan(folder, 30, seed=2)
    run_plan(folder, 30, seed=2, new_plan=True)
    assert file.read_bytes() != before
    judge(folder / "reviews", truth, read_plan(file).utterance)
    run_plan(folder, 30, seed=3)  # a finished one may be followed by the next
    assert read_plan(file).seed == 3


def test_the_estimate_has_three_lines_with_the_audit_where_there_is_one(run, capsys) -> None:
    folder, truth = run
    assert not main(["review", str(folder), "--plan", "60", "--seed", "4"])
    plan = read_plan(folder / "reviews" / "review_plan.parquet")
    judge(folder / "reviews", truth, plan.utterance)
    judge(folder / "reviews", truth, plan.utterance[:10], "bob")
    capsys.readouterr()
    assert not main(["review", str(folder), "--estimate"])
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith(f"judged              {len(plan)} of {len(plan)} clips")
    assert lines[1].startswith("model-assisted      precision 0.")
    assert lines[2] == "injection audit     -, there is none (avsieve audit RESULTS)"
    assert lines[3].startswith("assuming nothing    precision at least 0.")
    assert "ann and bob: 10 of 10 clips alike" in lines[4]
    audit = {"measured": {"precision": {"value": 0.95, "low": 0.9, "high": 0.98}, "recall": {"value": None}}}
    write_json(folder / "audit.json", audit)
    without = run_estimate(folder)
    assert without.lines()[2] == lines[2]
    assert "note: the audit does not say of which list it is; its figures are left out" in without.lines()
    write_json(folder / "audit.json", audit | {"list_sha256": digest_of(read_decided(folder / "decisions.parquet"))})
    found = run_estimate(folder)
    assert found.lines()[2] == "injection audit     precision 0.900 to 0.980 (about 0.950)"
    assert not main(["review", str(folder), "--estimate", "--json"])
    assert json.loads(capsys.readouterr().out) == json.loads(json.dumps(found.as_json()))
    assert not main(["inspect", str(folder), "--reviews", str(folder / "reviews")])
    shown = capsys.readouterr().out
    assert "what the reviewed plan tells:" in shown
    assert all(f"  {line}" in shown for line in found.lines())
    assert not main(["inspect", str(folder), "--reviews", str(folder / "reviews"), "--json"])
    assert json.loads(capsys.readouterr().out)["reviewed"]["format"] == "avsieve.review_estimate/1"


def test_a_list_that_was_cleansed_anew_is_refused_with_the_remedy(run, capsys) -> None:
    folder, _ = run
    run_plan(folder, 30)
    cleansed(folder, seed=3)
    assert main(["review", str(folder), "--estimate"]) == 1
    told = capsys.readouterr().err
    assert "the list was cleansed anew" in told
    assert "--new-plan" in told


@pytest.mark.parametrize("modality", ["audio", "visual"])
def test_runs_of_one_modality_have_plans_and_estimates(tmp_path: Path, modality: str) -> None:
    truth = cleansed(tmp_path / "out", (modality,))
    run_plan(tmp_path / "out", 40)
    plan = read_plan(tmp_path / "out" / "reviews" / "review_plan.parquet")
    judge(tmp_path / "out" / "reviews", truth, plan.utterance)
    found = run_estimate(tmp_path / "out")
    assert found.judged == len(plan)
    assert 0 < found.assisted["right"]["precision"].low <= 1


def test_a_list_of_which_nothing_is_wrong_has_a_plan(tmp_path: Path) -> None:
    truth = cleansed(tmp_path / "out", rate=0.0)
    run_plan(tmp_path / "out", 40)
    plan = read_plan(tmp_path / "out" / "reviews" / "review_plan.parquet")
    judge(tmp_path / "out" / "reviews", truth, plan.utterance)
    found = run_estimate(tmp_path / "out")
    assert found.counted == len(plan)
    assert "recall" in found.assisted["right"]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--plan", "0"], "--plan 0; expected how many clips to judge, from 1"),
        (["--plan", "5", "--seed", "-1"], "--seed -1; expected a whole number from 0"),
        (["--estimate"], "review_plan.parquet: no such table"),
        (["--json"], "--json without --estimate; expected both, or neither"),
        (["--new-plan"], "--new-plan without --plan; expected both, or neither"),
    ],
)
def test_what_cannot_be_is_an_error_in_a_line(run, capsys, arguments, told) -> None:
    assert main(["review", str(run[0]), *arguments]) == 1
    assert told in capsys.readouterr().err


def test_the_estimate_goes_with_the_overview_alone(run, capsys) -> None:
    assert main(["inspect", str(run[0]), "--reviews", "x", "--worst", "3"]) == 1
    assert "--reviews goes with the overview" in capsys.readouterr().err


def test_a_folder_without_a_plan_names_what_makes_one(run) -> None:
    with pytest.raises(AvsieveError, match="avsieve review RESULTS --plan"):
        run_estimate(run[0])
