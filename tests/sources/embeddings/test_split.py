from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from avsieve.embedding_files.own_tables import read_embeddings
from avsieve.embedding_files.places import table_files
from avsieve.errors import AvsieveError
from avsieve.sources.embeddings import fetch, plan
from avsieve.sources.embeddings.contract import Embeddings
from avsieve.sources.embeddings.split import split
from avsieve.storage.tables import read_table
from tests.sources.blocks import settings

NAMES = [f"id{s}/v{v}/0000{u}" for s in (1, 2, 3) for v in (1, 2) for u in (1, 2)]


def table(path: Path, names: list[str], dim: int = 4, kind: type = np.float32) -> str:
    matrix = np.random.default_rng(len(names)).normal(size=(len(names), dim)).astype(kind)
    np.savez(path, utterance=np.array(names), embedding=matrix)
    return str(path)


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    lines = [f"{n.partition('/')[0]} {n}.wav 1.0\n" for n in NAMES[:8]]
    (tmp_path / "l.txt").write_text("".join(lines))
    return tmp_path


def planned(corpus: Path, **tables: str) -> pd.DataFrame:
    return plan.plan(settings(Embeddings, train_list=corpus / "l.txt", **tables))


def test_the_list_gives_the_order_and_test_tables_the_trials(corpus: Path) -> None:
    audio, visual = table(corpus / "a.npz", NAMES[:8]), table(corpus / "v.npz", NAMES[8:11])
    rows = planned(corpus, audio=audio, test_audio=table(corpus / "t.npz", NAMES[9:]), test_visual=visual)
    assert rows["utterance"].tolist() == NAMES
    assert rows["subset"].tolist() == ["train"] * 8 + ["test"] * 4


def test_one_table_may_hold_everybody(corpus: Path) -> None:
    everybody = table(corpus / "a.npz", NAMES[::-1])
    rows = planned(corpus, audio=everybody, test_audio=everybody)
    assert rows.loc[rows["subset"] == "test", "utterance"].tolist() == NAMES[8:]


def test_names_that_are_no_utterances_are_told(corpus: Path) -> None:
    with pytest.raises(AvsieveError, match=r"source\.embeddings\.test_audio: .*'speaker one'"):
        planned(corpus, test_audio=table(corpus / "t.npz", ["speaker one"]))


def test_each_shard_has_its_rows_in_order_and_in_their_precision(corpus: Path) -> None:
    rows = pd.DataFrame({"utterance": NAMES, "shard": ["000"] * 4 + ["002"] * 8})
    tables = [table(corpus / "a.npz", NAMES[1:8], kind=np.float16), table(corpus / "t.npz", NAMES[8:], kind=np.float16)]
    statuses = list(split(rows, ["000", "001", "002"], "audio", tables, corpus / "out"))
    assert [len(s) for s in statuses] == [4, 0, 8]
    names, matrix = read_embeddings(corpus / "out/000.parquet")
    assert names == NAMES[1:4]
    assert matrix.dtype == np.float16
    assert np.array_equal(matrix, np.load(tables[0])["embedding"][:3])
    assert read_embeddings(corpus / "out/001.parquet")[1].shape == (0, 4)
    assert read_table(corpus / "out/000.status.parquet")["code"].tolist() == ["embedding_missing", "ok", "ok", "ok"]


def test_vectors_that_say_nothing_are_left_out(corpus: Path) -> None:
    matrix = np.ones((12, 4))
    matrix[0], matrix[1, 2] = 0, np.nan
    np.save(corpus / "a.npy", matrix)
    (corpus / "n.txt").write_text("\n".join(NAMES))
    name = f"{corpus / 'a.npy'}:{corpus / 'n.txt'}"
    assert table_files(name) == [str(corpus / "a.npy"), str(corpus / "n.txt")]
    status = next(split(pd.DataFrame({"utterance": NAMES, "shard": "000"}), ["000"], "visual", [name], corpus / "out"))
    assert [r["code"] for r in status.rows[:3]] == ["embedding_not_finite", "embedding_not_finite", "ok"]
    assert read_embeddings(corpus / "out/000.parquet")[1].dtype == np.float32


def test_a_modality_without_tables_has_no_rows(corpus: Path) -> None:
    status = next(split(pd.DataFrame({"utterance": NAMES, "shard": "000"}), ["000"], "visual", [], corpus / "out"))
    assert len(status) == 0
    assert read_embeddings(corpus / "out/000.parquet")[0] == []


def test_tables_that_do_not_fit_are_told(corpus: Path) -> None:
    rows = pd.DataFrame({"utterance": NAMES, "shard": "000"})
    a, b = table(corpus / "a.npz", NAMES[:8]), table(corpus / "b.npz", NAMES[8:], dim=5)
    with pytest.raises(AvsieveError, match="expected one model for all files"):
        next(split(rows, ["000"], "audio", [a, b], corpus / "out"))
    with pytest.raises(AvsieveError, match=r"c\.npz: utterance .* has another embedding in the earlier file .*a\.npz"):
        next(split(rows, ["000"], "audio", [a, table(corpus / "c.npz", NAMES[7:])], corpus / "out"))
    other = table(corpus / "d.npz", ["id9/v/1"])
    with pytest.raises(AvsieveError, match="none of its 1 embeddings is of an utterance"):
        next(split(rows, ["000"], "audio", [other], corpus / "out"))


def test_fetching_says_that_there_are_no_clips() -> None:
    with pytest.raises(AvsieveError, match="there are no clips"):
        fetch.fetch(pd.DataFrame(), Embeddings())
