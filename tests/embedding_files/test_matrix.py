"""Every format in every command: the figures are those of the plain table."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from types import ModuleType

import numpy as np
import pandas as pd
import pytest

from avsieve.cli import cleanse, evaluate
from avsieve.embedding_files.formats import FORMATS, KNOWN
from avsieve.embedding_files.own_tables import read_embeddings
from avsieve.embedding_files.raw import Options
from avsieve.embedding_files.reading import read_tables
from avsieve.embedding_files.registry import READERS
from avsieve.sources.embeddings import check, plan
from avsieve.sources.embeddings.contract import Embeddings
from avsieve.sources.embeddings.split import split

from . import made


def call(module: ModuleType, *words: str) -> int:
    parser = argparse.ArgumentParser(description=module.DESCRIPTION)
    module.add_arguments(parser)
    return module.run(parser.parse_args(words))


@pytest.fixture(params=list(made.SAVE))
def source(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    made.lists(tmp_path)
    return made.SAVE[request.param](tmp_path, made.NAMES, made.VECTORS)


def test_every_format_has_a_reader_and_stands_in_the_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert READERS.keys() == FORMATS.keys()
    for module in (cleanse, evaluate):
        with pytest.raises(SystemExit):
            call(module, "--help")
        text = " ".join(capsys.readouterr().out.split())
        assert all(entry.text in text for entry in FORMATS.values())
        assert all(option in text for option in ("--names-key", "--vectors-key", "--strip-prefix"))
    assert KNOWN in Embeddings.model_fields["audio"].description


def test_it_is_read_as_it_was(source: str) -> None:
    table = read_tables(source)
    order = [table.row[name] for name in made.NAMES]
    np.testing.assert_allclose(table.embedding[order], made.VECTORS, rtol=1e-5)
    assert not table.rejected


def test_evaluate_gives_the_same_figures(source: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = []
    for audio in (made.npz(tmp_path, made.NAMES, made.VECTORS), source):
        call(evaluate, "--trials", str(tmp_path / "trials.txt"), "--audio", audio, "--bootstrap", "0", "--json")
        found.append(json.loads(capsys.readouterr().out)["results"]["audio"])
    assert found[0] == found[1]
    assert found[1]["n_missing"] == 0


def test_evaluate_takes_segments_and_a_cohort(source: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    others = [f"c{i}/v/{u}" for i in range(9) for u in range(2)]
    np.savez(
        tmp_path / "cohort.npz", utterance=np.array(others), embedding=np.random.default_rng(1).normal(size=(18, 16))
    )
    (tmp_path / "cohort.txt").write_text("".join(f"{n.split('/')[0]} {n}.wav 2.0\n" for n in others))
    tables = [source, str(tmp_path / "cohort.npz")]
    call(
        evaluate, "--trials", str(tmp_path / "trials.txt"), "--audio", *tables, "--audio-segments", *tables,
        "--protocol", "both", "--cohort", str(tmp_path / "cohort.txt"), "--top", "5", "--bootstrap", "0", "--json",
    )  # fmt: skip
    found = json.loads(capsys.readouterr().out)["results"]
    assert list(found) == ["audio", "audio as_norm", "audio segments", "audio segments as_norm"]
    # A segment an utterance is the utterance.
    assert found["audio segments"]["eer"] == pytest.approx(found["audio"]["eer"])


def test_cleanse_writes_the_same_list(source: str, tmp_path: Path) -> None:
    written = []
    for audio in (made.npz(tmp_path, made.NAMES, made.VECTORS), source):
        call(cleanse, "--train-list", str(tmp_path / "train.txt"), "--audio", audio, "--out", str(tmp_path / "out"))
        written.append((tmp_path / "out/train_all_clean.txt").read_text())
    assert written[0] == written[1]
    assert pd.read_parquet(tmp_path / "out/decisions.parquet")["audio_embedding"].tolist() == ["ok"] * 72


def test_the_source_plans_checks_and_splits(source: str, tmp_path: Path) -> None:
    listed = tmp_path / "half.txt"
    listed.write_text("".join(f"{u[:7]} {u}.wav 4.0\n" for u in made.NAMES[:36]))
    rows = plan.plan(Embeddings(train_list=str(listed), audio=source, test_audio=source))
    assert rows["subset"].tolist() == ["train"] * 36 + ["test"] * 36
    facts = check.check(Embeddings(train_list=str(listed), audio=source, test_audio=[source]), "both")
    assert {f.level for f in facts.findings} == {"ok"}
    assert facts.utterances == 72
    status = next(split(rows.assign(shard="000"), ["000"], "audio", [source, source], tmp_path / "split"))
    assert status.counts() == {"ok": 72}
    names, matrix = read_embeddings(tmp_path / "split/000.parquet")
    assert names == made.NAMES
    np.testing.assert_allclose(matrix, made.VECTORS, rtol=1e-5)


def test_several_files_are_one_table_and_prefixes_and_keys_are_told(tmp_path: Path) -> None:
    a = [f"/data/vox/{n}.m4a" for n in made.NAMES[:40]]
    np.savez(tmp_path / "a.npz", files=np.array(a), xvector=made.VECTORS[:40, None])
    b = {"files": [f"/data/vox/{n}.WAV" for n in made.NAMES[40:]], "xvector": made.VECTORS[40:].tolist()}
    pd.DataFrame(b).to_parquet(tmp_path / "b.parquet")
    options = Options("files", "xvector", "/data/vox/")
    table = read_tables([tmp_path / "a.npz", tmp_path / "b.parquet"], options)
    assert table.utterance == made.NAMES
    np.testing.assert_array_equal(table.embedding, made.VECTORS)
