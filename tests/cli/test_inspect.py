"""The commands that look at a run, on the folder of a real cleansing."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from avsieve.cleansing.scores import write_scores
from avsieve.cleansing.settings import Cleansing
from avsieve.cleansing.table import score_table
from avsieve.cleansing.write import cleanse
from avsieve.embedding_files.own_tables import write_embeddings
from avsieve.embedding_files.table import EmbeddingTable
from avsieve.lists.train_list import write_train_list
from avsieve.runtime.cores import one_core_for_blas
from avsieve.simulation.corpus import simulate
from avsieve.simulation.settings import ModalitySpec, NoiseSpec, WorldSpec
from avsieve.storage import paths as P
from avsieve.storage.tables import write_table


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("corpus")
    sizes = {"audio": ModalitySpec(dim=48), "visual": ModalitySpec(dim=48)}
    world = WorldSpec(speakers=30, outsiders=8, videos_per_speaker=6, utterances_per_video=3, **sizes)
    made = simulate(world, NoiseSpec(rate=0.1), seed=5)
    names, seconds = made.plan["utterance"].tolist(), ["2.00"] * len(made.plan)
    for name, vectors in (("audio", made.audio), ("visual", made.visual)):
        np.savez(folder / f"{name}.npz", utterance=np.array(names), embedding=vectors)
    write_train_list(folder / "cleansed" / "train_all.txt", names, seconds)
    tables = {"audio": EmbeddingTable(names, made.audio), "visual": EmbeddingTable(names, made.visual)}
    with one_core_for_blas(with_scipy=True):
        scores = score_table(made.plan[["utterance", "speaker"]], tables)
        write_scores(folder / "cleansed" / "scores.parquet", scores)
        cleanse(scores, seconds, folder / "cleansed", Cleansing())
    return folder


@pytest.fixture(scope="module")
def cleansed(corpus: Path) -> Path:
    return corpus / "cleansed"


@pytest.fixture
def flagged(cleansed: Path) -> str:
    table = pd.read_parquet(cleansed / "decisions.parquet")
    return str(table[table["decision"] == "noisy"].sort_values("p_wrong", kind="stable")["utterance"].iloc[-1])


def test_a_run_is_shown_in_lines_and_as_json(avsieve, cleansed: Path, capsys) -> None:
    assert not avsieve("inspect", cleansed)
    told = capsys.readouterr().out
    assert not avsieve("inspect", cleansed, "--json")
    facts = json.loads(capsys.readouterr().out)
    (line,) = [line for line in told.splitlines() if line.startswith("noisy ")]
    assert line.split()[1] == str(facts["decisions"]["noisy"])
    assert "expected: by the method itself" in told
    assert max(map(len, re.split(r"\n(?:warnings|next):", told)[0].splitlines()[1:])) <= 80
    assert "\x1b" not in told


def test_one_speaker_one_video_and_the_worst_are_shown(avsieve, cleansed: Path, flagged: str, capsys) -> None:
    speaker, video, _ = flagged.split("/")
    assert not avsieve("inspect", cleansed, "--speaker", speaker)
    assert flagged in capsys.readouterr().out
    assert not avsieve("inspect", cleansed, "--video", f"{speaker}/{video}")
    assert flagged in capsys.readouterr().out
    assert not avsieve("inspect", cleansed, "--worst", 1, "--by", "utterance")
    assert len(capsys.readouterr().out.splitlines()) == 2
    assert not avsieve("inspect", cleansed, "--worst", 2, "--by", "video", "--json")
    assert len(json.loads(capsys.readouterr().out)["groups"]) == 2


def test_a_list_has_counts_and_says_what_a_run_would_tell(avsieve, cleansed: Path, capsys) -> None:
    assert not avsieve("inspect", cleansed / "train_all_clean.txt")
    told = capsys.readouterr().out
    assert "flag 0" in told
    assert "a list has no reasons, probabilities" in told
    assert avsieve("inspect", cleansed / "train_all.txt", "--speaker", "x") == 1
    assert "--speaker needs the decisions of a run" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--by", "video"], "--by video says what --worst ranks; give --worst N too"),
        (["--sheet", "a.png", "--video", "a/b"], "--sheet shows the worst of --by"),
        (["--worst", "3", "--sheet", "a.png"], "has no faces"),
        (["--speaker", "nobody"], "speaker 'nobody': no utterance of the run has it"),
    ],
)
def test_what_cannot_be_shown_is_one_line(avsieve, cleansed: Path, capsys, words: list[str], told: str) -> None:
    assert avsieve("inspect", cleansed, *words) == 1
    error = capsys.readouterr().err
    assert error.startswith("error: ")
    assert told in error
    assert error.count("\n") == 1


def test_an_utterance_is_shown_with_why(avsieve, cleansed: Path, flagged: str, capsys) -> None:
    assert not avsieve("show", flagged, "--results", cleansed)
    told = capsys.readouterr().out
    assert "Flagged: " in told
    assert "beside what is usual:" in told
    assert max(map(len, told.splitlines())) <= 84
    assert not avsieve("show", flagged, "--results", cleansed, "--json")
    assert json.loads(capsys.readouterr().out)["clip"]["utterance"] == flagged
    assert avsieve("show", f"{flagged}x", "--results", cleansed) == 1
    assert f"did you mean {flagged}" in capsys.readouterr().err


def test_runs_and_lists_are_compared_in_any_pairing(avsieve, cleansed: Path, tmp_path: Path, capsys) -> None:
    for other in (cleansed, cleansed / "train_all_clean.txt", cleansed / "train_clean.txt"):
        assert not avsieve("compare", cleansed, other)
        assert "agreement 1.0000" in capsys.readouterr().out
    assert not avsieve("compare", cleansed, cleansed, "--out", tmp_path / "out")
    assert (tmp_path / "out" / "changed.csv").read_text().count("\n") == 1
    capsys.readouterr()
    assert not avsieve("compare", cleansed / "train_clean.txt", cleansed, "--json")
    assert json.loads(capsys.readouterr().out)["changed"] == 0


def test_status_tells_that_nothing_has_begun(avsieve, cleansed: Path, tmp_path: Path, capsys) -> None:
    assert not avsieve("status", tmp_path)
    assert "not begun" in capsys.readouterr().out
    assert avsieve("status", cleansed) == 1
    assert "has no stages" in capsys.readouterr().err
    assert avsieve("status", tmp_path, "--quiet-min", 0) == 1
    assert "--quiet-min 0; expected minutes, more than 0" in capsys.readouterr().err


def test_the_audit_of_embeddings_prints_and_keeps_its_figures(avsieve, corpus: Path, cleansed: Path, capsys) -> None:
    assert avsieve("audit", cleansed) == 1
    assert "keeps no embeddings; give those that it was made with" in capsys.readouterr().err
    assert not avsieve("audit", cleansed, "--audio", corpus / "audio.npz", "--visual", corpus / "visual.npz")
    assert "precision measured" in capsys.readouterr().out
    kept = json.loads((cleansed / "audit.json").read_text())
    assert not avsieve("inspect", cleansed, "--json")
    figures = json.loads(capsys.readouterr().out)["figures"]
    (found,) = [f for f in figures if f["origin"].startswith("measured") and f["name"] == "precision"]
    assert found["value"] == kept["measured"]["precision"]["value"]
    (cleansed / "audit.json").unlink()


def test_the_audit_of_a_run_of_embeddings_finds_them_itself(
    avsieve, corpus: Path, cleansed: Path, tmp_path, capsys
) -> None:
    results = tmp_path / "results"
    shutil.copytree(cleansed, P.below(results, P.lists.folder))
    plan = pd.DataFrame({"utterance": pd.read_parquet(cleansed / "decisions.parquet")["utterance"], "subset": "train"})
    plan = plan.assign(speaker=plan["utterance"].str.partition("/")[0], shard="000")
    write_table(P.below(results, P.plan.utterances), plan)
    write_table(P.below(results, P.plan.shard, shard="000"), plan)
    for m in ("audio", "visual"):
        with np.load(corpus / f"{m}.npz") as arrays:
            path = P.below(results, P.embed.embeddings, modality=m, shard="000")
            write_embeddings(path, arrays["utterance"].tolist(), arrays["embedding"])
    assert not avsieve("audit", tmp_path, "--out", tmp_path / "audit.json")
    assert "recall measured" in capsys.readouterr().out
    assert json.loads((tmp_path / "audit.json").read_text())["injected"] > 0
    assert avsieve("audit", tmp_path, "--audio", "x.npz") == 1
    assert "has its embeddings; leave --audio and --visual out" in capsys.readouterr().err


def test_a_reader_that_leaves_early_is_no_error(cleansed: Path) -> None:
    command = f'"{sys.executable}" -m avsieve inspect "{cleansed}" --worst 100000 --by utterance --json | head -n 1'
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=True)
    assert done.stdout == "{\n"
    assert done.stderr == ""
