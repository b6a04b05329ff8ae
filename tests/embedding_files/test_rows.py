"""Rows that hold no embedding are rows with a reason, in every format and every command."""

from __future__ import annotations

import argparse
import json

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from avsieve.cli import cleanse, evaluate
from avsieve.embedding_files import rows
from avsieve.embedding_files.raw import Options
from avsieve.embedding_files.reading import read_tables
from avsieve.embedding_files.table import coverage, coverage_lines
from avsieve.errors import AvsieveError

from . import made

BAD = {"nan": np.nan, "inf": np.inf, "zero": 0.0}
LOST = made.NAMES[3]


def run(module, *words):
    parser = argparse.ArgumentParser()
    module.add_arguments(parser)
    return module.run(parser.parse_args(words))


@pytest.mark.parametrize("save", list(made.SAVE))
@pytest.mark.parametrize("value", list(BAD))
def test_a_row_that_is_no_embedding_is_lost_and_no_other(tmp_path, save, value):
    vectors = made.VECTORS.copy()
    vectors[3] = BAD[value]
    table = read_tables(made.SAVE[save](tmp_path, made.NAMES, vectors))
    assert sorted(table.utterance) == sorted(set(made.NAMES) - {LOST})
    kept = [table.row[n] for n in made.NAMES if n != LOST]
    np.testing.assert_allclose(table.embedding[kept], np.delete(vectors, 3, axis=0), rtol=1e-5)
    assert list(table.rejected) == [LOST]
    # An empty field of a CSV and not-a-number look the same there.
    assert table.rejected[LOST].reason in ("embedding_not_finite", "embedding_missing" if save == "comma" else "")


def null_list(base):
    frame = pd.DataFrame({"utterance": made.NAMES, "embedding": made.VECTORS.tolist()})
    frame.at[3, "embedding"] = None
    frame.to_parquet(base / "t.parquet")


def null_fixed(base):
    mask = pa.array([i == 3 for i in range(72)])
    fixed = pa.FixedSizeListArray.from_arrays(pa.array(made.VECTORS.reshape(-1)), 16, mask=mask)
    pq.write_table(pa.table({"utterance": made.NAMES, "embedding": fixed}), base / "t.parquet", row_group_size=5)


def null_name(base):
    frame = pd.DataFrame({"utterance": made.NAMES, "embedding": made.VECTORS.tolist()})
    frame.at[3, "utterance"] = None
    frame.to_parquet(base / "t.parquet")


def null_number(base):
    frame = pd.DataFrame({"utterance": made.NAMES, "embedding": made.VECTORS.tolist()})
    frame.at[3, "embedding"] = [None, *made.VECTORS[3].tolist()[1:]]
    frame.to_parquet(base / "t.parquet")


def empty_list(base):
    frame = pd.DataFrame({"utterance": made.NAMES, "embedding": made.VECTORS.tolist()})
    frame.at[3, "embedding"] = []
    frame.to_parquet(base / "t.parquet")


def not_there(base):
    made.parquet(base, [n for n in made.NAMES if n != LOST], np.delete(made.VECTORS, 3, axis=0))


@pytest.mark.parametrize(
    ("save", "reason"),
    [
        (null_list, "embedding_missing"),
        (null_fixed, "embedding_missing"),
        (null_name, "embedding_missing"),
        (null_number, "embedding_not_finite"),
        (empty_list, "embedding_missing"),
        (not_there, "embedding_missing"),
    ],
)
def test_both_commands_go_on_without_the_utterance_and_say_so(tmp_path, capsys, save, reason):
    made.lists(tmp_path)
    save(tmp_path)
    table = str(tmp_path / "t.parquet")
    without = [n for n in made.NAMES if n != LOST]
    plain = made.npz(tmp_path, without, np.delete(made.VECTORS, 3, axis=0))
    figures = []
    for audio in (plain, table):
        run(evaluate, "--trials", str(tmp_path / "trials.txt"), "--audio", audio, "--bootstrap", "0", "--json")
        figures.append(json.loads(capsys.readouterr().out))
    assert figures[0]["results"] == figures[1]["results"]
    assert figures[1]["results"]["audio"]["n_missing"] == 2
    assert figures[1]["trials"]["without_embedding"] == {"audio": 1}
    run(cleanse, "--train-list", str(tmp_path / "train.txt"), "--audio", table, "--out", str(tmp_path / "o"))
    shown = capsys.readouterr().out
    assert "audio: 71 of 72 utterances of the list have an embedding" in shown
    decisions = pd.read_parquet(tmp_path / "o/decisions.parquet").set_index("utterance")
    assert decisions.loc[LOST, "audio_embedding"] == reason
    assert (decisions["audio_embedding"] == "ok").sum() == 71
    assert json.loads((tmp_path / "o/summary.json").read_text())["embeddings"] == {"audio": {reason: 1, "ok": 71}}
    if save is null_name:
        assert "1 without a name, of no use: " in shown
        assert "t.parquet, row 4" in shown
    elif save is not not_there:
        assert f"1 x {reason}: {LOST} (" in shown
        assert "row 4: " in shown


def test_coverage_counts_each_side():
    table = read_like(["a/1/1", "a/1/2", "z/1/1"])
    table.rejected["a/1/3"] = table.reason_of("none")
    assert coverage(["a/1/1", "a/1/2", "a/1/3", "a/1/4"], table) == (2, 4, 1, 1)
    head = coverage_lines("audio", ["a/1/1", "a/1/2", "a/1/3", "a/1/4"], table)[0]
    assert head == (
        "audio: 2 of 4 utterances of the list have an embedding; 1 are not in the table; 1 of the table are not in the "
        "list"
    )


def read_like(names):
    from avsieve.embedding_files.table import EmbeddingTable

    return EmbeddingTable(list(names), np.ones((len(names), 2), np.float32))


def test_vectors_of_any_length_keep_their_direction(tmp_path):
    vectors = made.VECTORS.astype(np.float32)
    scaled = vectors * np.logspace(-30, 30, len(vectors), dtype=np.float64)[:, None].astype(np.float32)
    np.savez(tmp_path / "t.npz", utterance=np.array(made.NAMES), embedding=scaled)
    found = read_tables(tmp_path / "t.npz").embedding
    lengths = np.sqrt(np.einsum("ij,ij->i", found, found))
    assert np.isfinite(lengths).all()
    cosines = np.einsum("ij,ij->i", found / lengths[:, None], vectors / np.linalg.norm(vectors, axis=1)[:, None])
    np.testing.assert_allclose(cosines, 1, atol=1e-5)


@pytest.mark.parametrize("bad", [[], [0], [71], [0, 1, 2], [3, 40, 71], list(range(72))])
@pytest.mark.parametrize("writeable", [True, False])
def test_rows_are_taken_out_in_place(monkeypatch, bad, writeable):
    monkeypatch.setattr(rows, "_BLOCK", 7)
    matrix = made.VECTORS.copy()
    matrix.flags.writeable = writeable
    np.testing.assert_array_equal(rows.without(matrix, bad), np.delete(made.VECTORS, bad, axis=0))


def test_a_large_table_is_not_copied(tmp_path):
    import tracemalloc

    n, dim = 60_000, 192
    names = np.array([f"id{i // 100:05d}/vid{i // 10:06d}/{i:05d}" for i in range(n)])
    matrix = np.ones((n, dim), np.float16)
    matrix[5] = np.nan
    np.savez(tmp_path / "t.npz", utterance=names, embedding=matrix)
    size = matrix.nbytes
    del matrix
    tracemalloc.start()
    table = read_tables(tmp_path / "t.npz")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(table.utterance) == n - 1
    assert table.embedding.dtype == np.float16
    texts = n * 1000  # names as an array, as text, as ids, and where each is
    assert peak < size + texts
    assert texts < 2.7 * size


def test_names_that_occur_twice(tmp_path):
    names, vectors = [*made.NAMES, made.NAMES[7]], np.concatenate([made.VECTORS, made.VECTORS[7:8]])
    table = read_tables(made.npz(tmp_path, names, vectors))
    assert table.utterance == made.NAMES
    assert table.notes == [f"1 names occur again with the same vector, such as {made.NAMES[7]}; one is taken"]
    vectors[-1, 0] += 1
    with pytest.raises(AvsieveError, match=f"t.npz: utterance {made.NAMES[7]} has several embeddings, which differ"):
        read_tables(made.npz(tmp_path, names, vectors))
    assert len(read_tables(made.npz(tmp_path, names, vectors), Options(several=True)).utterance) == 73


def test_an_utterance_that_failed_in_one_file_may_be_in_another(tmp_path):
    vectors = made.VECTORS.copy()
    vectors[3] = np.nan
    first, second = made.npz(tmp_path, made.NAMES, vectors), made.parquet(tmp_path, [LOST], made.VECTORS[3:4])
    table = read_tables([first, second])
    assert len(table.utterance) == 72
    assert not table.rejected
    assert table.notes[0].startswith("1 utterances have unusable rows beside good ones")
