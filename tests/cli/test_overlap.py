from __future__ import annotations

import json
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest

from avsieve.cli import overlap as verb
from avsieve.embedding_files.own_tables import write_embeddings
from avsieve.storage import paths as P
from avsieve.storage.atomic import write_json
from avsieve.storage.tables import read_table
from tests.inspection.conftest import made  # noqa: F401
from tests.inspection.test_json import keys_of
from tests.overlap.conftest import Two, corpora  # noqa: F401


@pytest.fixture(scope="module")
def tables(corpora: Two, tmp_path_factory: pytest.TempPathFactory) -> Path:  # noqa: F811
    folder = tmp_path_factory.mktemp("tables")
    for name, shard in zip("ab", corpora.shards, strict=True):
        lines = (f"{s} {u}.wav\n" for s, u in zip(shard.speaker, shard.utterance, strict=True))
        (folder / f"{name}.txt").write_text("".join(lines), "utf-8")
        for m, E in shard.embeddings.items():
            np.savez(folder / f"{name}.{m}.npz", utterance=np.array(shard.utterance), embedding=E)
    return folder


def test_lists_with_embeddings_are_compared_printed_and_written(
    avsieve, tables: Path, tmp_path, repository, capsys
) -> None:
    words = ["overlap", tables / "a.txt", tables / "b.txt"]
    for name in "ab":
        words += [f"--audio-{name}", tables / f"{name}.audio.npz", f"--visual-{name}", tables / f"{name}.visual.npz"]
    assert avsieve(*words, "--out", tmp_path / "o", "--json") == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["format"] == "avsieve.overlap/1"
    likely = [p for p in facts["pairs"] if p["probability"] >= 0.5]
    assert sum(p["speaker_a"][1:] == p["speaker_b"][1:] for p in likely) >= 10
    assert (tmp_path / "o" / "exclude.txt").read_text("utf-8").split() == facts["excluded"]
    text = (repository / "docs" / "formats.md").read_text("utf-8").partition("## What the commands print as JSON")[2]
    assert [key for key in keys_of(facts) if f"`{key}`" not in text] == []


def test_what_is_missing_is_told_with_the_remedy(avsieve, tables: Path, tmp_path, capsys) -> None:
    def says(*words: object) -> str:
        assert avsieve("overlap", *words) == 1
        return str(capsys.readouterr().err)

    a, b = tables / "a.txt", tables / "b.txt"
    assert "give them: --audio-a FILE, --visual-a FILE, or both" in says(a, b)
    assert "no such file" in says(tmp_path / "no", b)
    assert "name the results of a run, or a list with its embeddings" in says(tmp_path, b)
    given = ("--audio-a", tables / "a.audio.npz", "--audio-b", tables / "a.audio.npz")
    assert "names must match" in says(a, b, *given)
    assert "ending '.gif'; expected .png or .jpg" in says(a, b, *given, "--sheet", tmp_path / "x.gif")


@pytest.fixture
def runs(made: Path, tmp_path: Path) -> tuple[Path, Path]:  # noqa: F811
    """Return a run, and a copy of it, with embeddings of the same people: everybody is in both."""
    found = []
    for name in "ab":
        results = tmp_path / name / "results"
        shutil.copytree(made / "results", results)
        plan = read_table(P.below(results, P.plan.utterances))
        speakers = sorted(plan["speaker"].unique())
        for m, key in (("audio", "checkpoint_sha256"), ("visual", "encoder_sha256")):
            people = np.random.default_rng(len(m)).standard_normal((len(speakers), 48))
            noise = np.random.default_rng(ord(name)).standard_normal((len(plan), 48))
            E = (people[plan["speaker"].map(speakers.index)] + 0.6 * noise).astype(np.float32)
            for shard in plan["shard"].unique():
                rows = (plan["shard"] == shard).to_numpy()
                path = P.below(results, P.embed.embeddings, modality=m, shard=shard)
                write_embeddings(path, plan["utterance"][rows].tolist(), E[rows])
                write_json(path.with_suffix(".json"), {key: m[0] * 64})
        found.append(results)
    return found[0], found[1]


def test_runs_need_no_embeddings_and_show_faces_of_both(avsieve, runs: tuple[Path, Path], tmp_path, capsys) -> None:
    assert avsieve("overlap", *runs, "--sheet", tmp_path / "pairs.png") == 0
    said = capsys.readouterr().out
    assert "faces of" in said
    picture = cv2.imread(str(tmp_path / "pairs.png"))
    assert picture is not None
    assert (picture < 250).any()
    assert avsieve("overlap", *runs, "--audio-a", "x.npz") == 1
    assert "has its embeddings; leave --audio-a out" in capsys.readouterr().err


def test_runs_of_different_models_are_refused_and_the_other_modality_is_named(avsieve, runs, capsys) -> None:
    for path in P.below(runs[1], P.embed.folder, modality="audio").glob("*.json"):
        write_json(path, {"checkpoint_sha256": "2" * 64})
    assert avsieve("overlap", *runs) == 1
    said = capsys.readouterr().err
    assert "are of the model aaaaaaaaaaaa, those of" in said
    assert "--by visual" in said
    assert avsieve("overlap", *runs, "--by", "visual") == 0


def test_probabilities_are_checked(avsieve, capsys) -> None:
    assert avsieve("overlap", "a", "b", "--at", "1.5") == 2
    assert "expected a probability above 0, up to 1" in capsys.readouterr().err
    assert verb.VERB.help
