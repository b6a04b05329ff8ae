from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from avsieve.embedding_files import item_tables
from avsieve.embedding_files.raw import Options
from avsieve.errors import AvsieveError
from avsieve.fusion.sequence_files import read_sequences
from avsieve.sources.embeddings import split_sequences as module
from avsieve.sources.embeddings.split_sequences import split_sequences
from avsieve.storage import packed_rows
from avsieve.storage.sequence_names import FRAMES
from avsieve.storage.tables import read_table

NAMES = [f"id{s}/v/0000{u}" for s in (1, 2, 3) for u in (1, 2)]
PLAN = pd.DataFrame({"utterance": NAMES, "shard": ["002", "000", "000", "002", "000", "000"]})
SHARDS = ["000", "001", "002"]


@pytest.fixture(autouse=True, params=["memory", "file"])
def place(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows are held in memory or in a file, and tables are read and written in one or many pieces."""
    if request.param == "file":
        monkeypatch.setattr(packed_rows, "HELD_BYTES", 0)
        monkeypatch.setattr(item_tables, "_ROWS", 3)
        monkeypatch.setattr(item_tables, "_NAMED_ROWS", 4)
        monkeypatch.setattr(module, "rows_of_group", lambda dim, itemsize: 2)
        monkeypatch.setattr(module, "_COMPARED", 1)


def vectors(n: int, dim: int = 4) -> np.ndarray:
    return np.random.default_rng(n).normal(size=(n, dim))


def table(path: Path, names: list[Any], matrix: Any = None, **columns: Any) -> str:
    matrix = vectors(len(names)) if matrix is None else matrix
    given = pa.array(list(matrix), pa.list_(pa.float64())) if isinstance(matrix, np.ndarray) else matrix
    pq.write_table(pa.table({"utterance": names, "embedding": given, **columns}), path)
    return str(path)


def read(folder: Path, what: str = "frames") -> pd.DataFrame:
    return pd.concat([read_table(folder / f"{shard}.{what}.parquet") for shard in SHARDS], ignore_index=True)


def of(found: pd.DataFrame) -> np.ndarray:
    return np.stack(found["embedding"].to_numpy())


def test_rows_in_any_order_are_sorted_by_time_and_go_to_their_shards(tmp_path: Path) -> None:
    times = [(NAMES[k % 5], 0.4 * (k // 5)) for k in range(20)]
    order = np.random.default_rng(1).permutation(20)
    matrix = vectors(20)
    path = table(
        tmp_path / "f.parquet", [times[i][0] for i in order], matrix[order], start_s=[times[i][1] for i in order],
        quality=[float(i) for i in order],
    )  # fmt: skip
    split_sequences(PLAN, SHARDS, {FRAMES: [path]}, tmp_path / "out")
    found = read_table(tmp_path / "out/000.frames.parquet")
    assert found["utterance"].tolist() == [name for name in (NAMES[1], NAMES[2], NAMES[4]) for _ in range(4)]
    assert found["start_s"].tolist() == pytest.approx([0, 0.4, 0.8, 1.2] * 3)
    assert found["frame"].tolist() == ["0000", "0010", "0020", "0030"] * 3
    rows = found["quality"].astype(int).to_numpy()
    assert np.array_equal(of(found), matrix[rows].astype(np.float16))
    assert len(read_table(tmp_path / "out/001.frames.parquet")) == 0
    assert len(read_table(tmp_path / "out/002.frames.parquet")) == 8


def test_the_files_are_those_of_a_run_with_clips_and_models_read_them(tmp_path: Path) -> None:
    path = table(tmp_path / "s.parquet", [NAMES[0]] * 3, start_s=[2.0, 0.0, 1.0], length_s=[1.0] * 3)
    split_sequences(PLAN, SHARDS, {"hops": [path]}, tmp_path / "out")
    schema = pq.read_schema(tmp_path / "out/000.segments.parquet")
    assert {field.name: str(field.type) for field in schema} == {
        "utterance": "string", "embedding": "fixed_size_list<element: halffloat>[4]", "segmentation": "string",
        "segment": "int32", "start_s": "double", "length_s": "double",
    }  # fmt: skip
    faces = table(tmp_path / "f.parquet", [NAMES[0]] * 3)
    split_sequences(PLAN, SHARDS, {FRAMES: [faces]}, tmp_path / "out")
    schema = pq.read_schema(tmp_path / "out/000.frames.parquet")
    assert {field.name: str(field.type) for field in schema} == {
        "utterance": "string", "embedding": "fixed_size_list<element: halffloat>[4]", "frame": "string",
        "quality": "float",
    }  # fmt: skip
    paths = [tmp_path / f"out/{shard}.segments.parquet" for shard in SHARDS]
    batch = read_sequences(NAMES, paths, ["hops"], scratch=tmp_path)["hops"].read(np.array([1, 0]))
    assert batch.mask.tolist() == [[False] * 3, [True] * 3]
    assert batch.start_s[1].tolist() == [0, 1, 2]


def test_without_times_rows_follow_the_numbers_of_their_faces_or_stay_as_they_come(tmp_path: Path) -> None:
    matrix = vectors(4)
    plain = table(tmp_path / "a.parquet", [NAMES[0], NAMES[1], NAMES[0], NAMES[0]], matrix)
    split_sequences(PLAN, SHARDS, {FRAMES: [plain]}, tmp_path / "out")
    found = read_table(tmp_path / "out/002.frames.parquet")
    assert found["frame"].tolist() == ["0000", "0001", "0002"]
    assert np.array_equal(of(found), matrix[[0, 2, 3]].astype(np.float16))
    named = table(tmp_path / "b.parquet", [NAMES[0]] * 4, matrix, frame=["10000", "0020", "0010", "9990"])
    split_sequences(PLAN, SHARDS, {FRAMES: [named]}, tmp_path / "out")
    found = read_table(tmp_path / "out/002.frames.parquet")
    assert found["frame"].tolist() == ["0010", "0020", "9990", "10000"]
    assert np.array_equal(of(found), matrix[[2, 1, 3, 0]].astype(np.float16))


def test_segmentations_come_from_one_table_or_from_several(tmp_path: Path) -> None:
    both = table(tmp_path / "b.parquet", [NAMES[0]] * 4, segmentation=["hops", "eighths", "hops", "other"])
    centre = table(tmp_path / "c.parquet", NAMES[:2])
    tables = {"hops": [both], "eighths": [both], "centre": [centre]}
    split_sequences(PLAN, SHARDS, tables, tmp_path / "out")
    found = read_table(tmp_path / "out/002.segments.parquet")
    assert found["segmentation"].tolist() == ["hops", "hops", "eighths", "centre"]
    assert found["segment"].tolist() == [0, 1, 0, 0]
    told = json.loads((tmp_path / "out/000.segments.json").read_text())
    assert told["sequences"]["centre"] == {"rows": 2, "utterances": 2, "without": 4}
    assert (told["dim"], len(told["sha256"])) == (4, 2)
    with pytest.raises(
        AvsieveError, match=r"c\.parquet: no column 'segmentation', but it is named for hops and centre"
    ):
        split_sequences(PLAN, SHARDS, {"hops": [centre], "centre": [centre]}, tmp_path / "out")
    with pytest.raises(AvsieveError, match=r"b\.parquet: no segmentation parts, found eighths, hops, other; name one"):
        split_sequences(PLAN, SHARDS, {"parts": [both]}, tmp_path / "out")


def test_others_and_the_nameless_are_counted_and_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    path = table(tmp_path / "f.parquet", ["id9/v/1", None, f"data/{NAMES[3]}.wav", "id9/v/2"])
    split_sequences(PLAN, SHARDS, {FRAMES: [path]}, tmp_path / "out", Options(strip_prefix="data/"))
    assert read(tmp_path / "out")["utterance"].tolist() == [NAMES[3]]
    assert "2 rows are of no utterance of the plan, and 1 have no name" in caplog.text
    assert "frames: 1 rows of 1 of 6 utterances of the plan" in caplog.text
    with pytest.raises(
        AvsieveError, match=r"no row of frames is of an utterance of the list \(the list's first: id1/v/"
    ):
        split_sequences(PLAN[:1], SHARDS, {FRAMES: [table(tmp_path / "g.parquet", ["id9/v/1"])]}, tmp_path / "out")


def test_rows_that_hold_no_embedding_are_left_out_with_a_reason(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    matrix: list[Any] = [list(row) for row in vectors(7)]
    matrix[0], matrix[2][1], matrix[4], matrix[6][0] = [0.0] * 4, np.nan, None, np.inf
    path = table(
        tmp_path / "f.parquet", [NAMES[0]] * 6 + [NAMES[3]], pa.array(matrix, pa.list_(pa.float32())), quality=range(7)
    )
    split_sequences(PLAN, SHARDS, {FRAMES: [path]}, tmp_path / "out")
    found = read(tmp_path / "out")
    assert found["quality"].tolist() == [1, 3, 5]
    assert found["frame"].tolist() == ["0000", "0001", "0002"]
    assert np.isfinite(of(found)).all()
    assert f"3 x embedding_not_finite, such as {path}, row 1, {NAMES[0]}" in caplog.text
    assert f"1 x embedding_missing, such as {path}, row 5, {NAMES[0]}" in caplog.text
    nothing = table(tmp_path / "z.parquet", NAMES[:2], np.zeros((2, 4)))
    with pytest.raises(AvsieveError, match=r"z\.parquet: no embedding that can be used \(.*row 1"):
        split_sequences(PLAN, SHARDS, {FRAMES: [nothing]}, tmp_path / "out")


def test_numbers_beyond_half_precision_keep_their_direction(tmp_path: Path) -> None:
    matrix = vectors(4) * np.array([1e6, 1e-7, 1.0, 1e30])[:, None]
    split_sequences(PLAN, SHARDS, {FRAMES: [table(tmp_path / "f.parquet", [NAMES[0]] * 4, matrix)]}, tmp_path / "out")
    found = of(read(tmp_path / "out")).astype(np.float64)
    cosines = (found * matrix).sum(1) / np.linalg.norm(found, axis=1) / np.linalg.norm(matrix, axis=1)
    assert cosines == pytest.approx(np.ones(4), abs=1e-5)
    assert np.array_equal(found[2], matrix[2].astype(np.float16))


def test_a_row_that_is_there_twice_counts_once_and_two_of_one_time_are_refused(tmp_path: Path) -> None:
    matrix = np.repeat(vectors(2), 2, axis=0)
    same = table(tmp_path / "a.parquet", [NAMES[0]] * 4, matrix, start_s=[0.0, 0.0, 1.0, 1.0])
    split_sequences(PLAN, SHARDS, {"hops": [same]}, tmp_path / "out")
    assert read(tmp_path / "out", "segments")["start_s"].tolist() == [0, 1]
    # Parts of a short voice may be one and the same piece: their numbers tell them apart.
    parts = table(tmp_path / "b.parquet", [NAMES[0]] * 4, matrix, start_s=[0.0] * 4, segment=[3, 2, 1, 0])
    split_sequences(PLAN, SHARDS, {"eighths": [parts]}, tmp_path / "out")
    assert len(read(tmp_path / "out", "segments")) == 4
    differ = table(tmp_path / "c.parquet", [NAMES[0]] * 3, start_s=[0.0, 1.0, 1.0])
    with pytest.raises(AvsieveError, match=r"c\.parquet, row 3, id1.* \(frames\): two embeddings at 1 s, which differ"):
        split_sequences(PLAN, SHARDS, {FRAMES: [differ]}, tmp_path / "out")


def test_an_utterance_in_two_tables_is_refused(tmp_path: Path) -> None:
    a, b = (table(tmp_path / f"{n}.parquet", own) for n, own in (("a", NAMES[:3]), ("b", NAMES[2:])))
    with pytest.raises(AvsieveError, match=r"b\.parquet: utterance id2/v/00001 \(frames\) is in .*a\.parquet too"):
        split_sequences(PLAN, SHARDS, {FRAMES: [a, b]}, tmp_path / "out")


def test_tables_that_do_not_fit_are_told(tmp_path: Path) -> None:
    def refused(path: str, message: str, *more: str) -> None:
        with pytest.raises(AvsieveError, match=message):
            split_sequences(PLAN, SHARDS, {FRAMES: [path, *more]}, tmp_path / "out")

    good = table(tmp_path / "a.parquet", NAMES[:2])
    longer = table(tmp_path / "b.parquet", NAMES[2:], vectors(4, 5))
    refused(good, r"b\.parquet: embeddings of length 5, those of .*a\.parquet have 4", longer)
    uneven = pa.array([[1.0, 2.0], [1.0]], pa.list_(pa.float32()))
    refused(table(tmp_path / "u.parquet", NAMES[:2], uneven), r"different lengths: row \d \(id1")
    refused(table(tmp_path / "e.parquet", pa.array([], pa.string())), r"e\.parquet: no rows")
    refused(table(tmp_path / "i.parquet", [1, 2]), "column 'utterance' holds int64; expected strings")
    whole = table(tmp_path / "w.parquet", NAMES[:1], pa.array([[1, 2]], pa.list_(pa.int64())))
    refused(whole, "column 'embedding' holds list.*; expected a list of floats")
    refused(
        table(tmp_path / "t.parquet", NAMES[:1], start_s=["0.4"]), "column 'start_s' holds string; expected numbers"
    )
    refused(table(tmp_path / "f.parquet", NAMES[:1], frame=[0.4]), "column 'frame' holds double; expected strings")
    (tmp_path / "n.parquet").write_text("no table")
    refused(str(tmp_path / "n.parquet"), "not a Parquet table")
    refused(str(tmp_path / "no.parquet"), "no such file")
    with pytest.raises(AvsieveError, match="no column 'name'; found utterance, embedding; set names_key"):
        split_sequences(PLAN, SHARDS, {FRAMES: [good]}, tmp_path / "out", Options("name"))
    with pytest.raises(AvsieveError, match=r"name some in source\.embeddings\.audio_segments"):
        split_sequences(PLAN, SHARDS, {}, tmp_path / "out")
    assert not (tmp_path / "out").exists() or not list((tmp_path / "out").iterdir())


def test_every_way_to_store_names_and_vectors_gives_the_same(tmp_path: Path) -> None:
    matrix = vectors(6).astype(np.float16)
    flat = pa.array(matrix.reshape(-1))
    kinds = {
        "fixed": (pa.array(NAMES), pa.FixedSizeListArray.from_arrays(flat, 4)),
        "large": (pa.array(NAMES, pa.large_string()), pa.array(list(matrix), pa.large_list(pa.float32()))),
        "coded": (pa.array(NAMES).dictionary_encode(), pa.array(list(matrix), pa.list_(pa.float64()))),
        "bytes": (pa.array([n.encode() for n in NAMES]), pa.array(list(matrix), pa.list_(pa.float32()))),
    }
    for name, (names, given) in kinds.items():
        path = table(
            tmp_path / f"{name}.parquet", names, given, segmentation=pa.array(["hops"] * 6).dictionary_encode()
        )
        split_sequences(PLAN, SHARDS, {"hops": [path]}, tmp_path / name)
        for shard in SHARDS:
            wanted = (tmp_path / f"fixed/{shard}.segments.parquet").read_bytes()
            assert (tmp_path / f"{name}/{shard}.segments.parquet").read_bytes() == wanted, name
