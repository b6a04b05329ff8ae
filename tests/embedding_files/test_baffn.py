"""BAFFN's own files, in the layouts that its code reads: voices in a pickle, faces by image beside a list of labels."""

from __future__ import annotations

import argparse
import json
import pickle
from pathlib import Path
from types import ModuleType

import numpy as np
import pandas as pd
import pytest

from avsieve.cli import cleanse, evaluate
from avsieve.embedding_files.own_tables import read_embeddings
from avsieve.sources.embeddings import check, plan
from avsieve.sources.embeddings.contract import Embeddings
from avsieve.sources.embeddings.split import split
from avsieve.storage.tables import read_table

RNG = np.random.default_rng(0)
UTTERANCES = [f"id1{s:04d}/vid{v}/0000{u}" for s in range(6) for v in range(3) for u in (1, 2)]
IMAGES = [f"id1{s:04d}/vid{v}/0000{k}75.jpg" for s in range(6) for v in range(3) for k in (3, 4, 5)]
PEOPLE = {s: RNG.normal(size=(2, 16)) for s in range(6)}


def near(name: str, modality: int) -> np.ndarray:
    return (PEOPLE[int(name[3:7])][modality] + 0.4 * RNG.normal(size=16)).astype(np.float32)


VOICES = {u: near(u, 0) for u in UTTERANCES}
FACES = {image: near(image, 1)[None] for image in IMAGES} | {"id10000/other/0000375.jpg": near("id10000", 1)[None]}
LABELS = {
    "bracketed": f"[{','.join(FACES)}]",
    "printed": str(list(FACES)),
    "printed by NumPy": str(np.array(list(FACES))),
    "a line each": "\n".join(FACES) + "\n",
}


@pytest.fixture(params=list(LABELS))
def files(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[str, str]:
    """Return the names of voices and faces."""
    with_endings = {f"{u}.wav": v for u, v in VOICES.items()}  # as the page says; its code has names without
    (tmp_path / "TTA.pk").write_bytes(pickle.dumps(with_endings if request.param == "printed" else VOICES, 2))
    np.save(tmp_path / "face.npy", np.array(list(FACES.values())))
    (tmp_path / "label.txt").write_text(LABELS[request.param])
    (tmp_path / "train.txt").write_text("".join(f"{u[:7]} {u}.wav 4.0\n" for u in UTTERANCES))
    return str(tmp_path / "TTA.pk"), f"{tmp_path / 'face.npy'}:{tmp_path / 'label.txt'}"


def call(module: ModuleType, *words: str) -> int:
    parser = argparse.ArgumentParser()
    module.add_arguments(parser)
    return module.run(parser.parse_args(words))


def test_they_are_cleansed_and_what_joins_nothing_is_told(
    files: tuple[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    call(
        cleanse, "--train-list", str(tmp_path / "train.txt"), "--audio", files[0], "--visual", files[1],
        "--out", str(tmp_path / "out"),
    )  # fmt: skip
    text = capsys.readouterr().out
    assert "visual: 36 of 36 utterances of the list have an embedding" in text
    assert "visual: 55 names of images, which join 36 utterances: 54 by their video; 1 join none" in text
    found = pd.read_parquet(tmp_path / "out/decisions.parquet")
    assert found["visual_embedding"].tolist() == found["audio_embedding"].tolist() == ["ok"] * 36


def test_they_are_evaluated(files: tuple[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pairs = [(a, b) for i, a in enumerate(UTTERANCES) for b in UTTERANCES[:i] if a[:12] != b[:12]]
    (tmp_path / "t.txt").write_text("".join(f"{int(a[:7] == b[:7])} {a}.wav {b}.wav\n" for a, b in pairs))
    call(
        evaluate, "--trials", str(tmp_path / "t.txt"), "--audio", files[0], "--visual", files[1], "--bootstrap", "0",
        "--json",
    )  # fmt: skip
    found = json.loads(capsys.readouterr().out)
    assert found["trials"]["without_embedding"] == {"audio": 0, "visual": 0}
    assert found["results"]["fused"]["eer"] < 0.05


def test_the_source_takes_them(files: tuple[str, str], tmp_path: Path) -> None:
    source = Embeddings(train_list=str(tmp_path / "train.txt"), audio=files[0], visual=files[1])
    rows = plan.plan(source)
    assert rows["utterance"].tolist() == UTTERANCES
    findings = check.check(source, "both").findings
    assert {f.level for f in findings} == {"ok", "note"}
    assert any("55 names of images, which join 36 utterances" in f.text for f in findings)
    next(split(rows.assign(shard="000"), ["000"], "visual", [files[1]], tmp_path / "split"))
    names, matrix = read_embeddings(tmp_path / "split/000.parquet")
    assert names == UTTERANCES
    assert set(read_table(tmp_path / "split/000.status.parquet")["code"]) == {"ok"}
    faces = [FACES[image][0] / np.linalg.norm(FACES[image]) for image in IMAGES[:3]]
    for row in (0, 1):  # both utterances of the video
        np.testing.assert_allclose(matrix[row], np.mean(faces, axis=0), atol=1e-6)
