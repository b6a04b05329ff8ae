from __future__ import annotations

import os
import threading

import numpy as np
import pytest

from avsieve.embedding_files.own_tables import write_embeddings
from avsieve.errors import AvsieveError
from avsieve.fusion.sequence_files import read_modality, read_sequences
from avsieve.fusion.sequences import FRAMES, Reading
from avsieve.storage import packed_rows

RNG = np.random.default_rng(0)
COUNTS = {"a/1/1": 3, "b/1/1": 1, "c/1/1": 5, "d/1/1": 2}
VECTORS = {u: RNG.normal(size=(n, 6)).astype(np.float16) for u, n in COUNTS.items()}


def write(path, utterances, *, segmentation=None, vectors=VECTORS, **columns):
    rows = [u for u in utterances for _ in range(len(vectors[u]))]
    if segmentation:
        columns["segmentation"] = [segmentation] * len(rows)
    write_embeddings(path, rows, np.concatenate([vectors[u] for u in utterances]), **columns)
    return path


@pytest.fixture(params=["memory", "file"])
def shards(request, tmp_path, monkeypatch):
    """Two tables; what is read of them lies in memory, and in a file."""
    monkeypatch.setattr(packed_rows, "HELD_BYTES", 2**28 if request.param == "memory" else 0)
    monkeypatch.setattr("avsieve.embedding_files.sequence_tables._ROWS", 2)  # pieces lie in several batches
    monkeypatch.setattr("avsieve.embedding_files.own_tables._GROUP_BYTES", 48)  # and in several row groups
    quality = np.arange(8, dtype=np.float32)
    return [
        write(tmp_path / "0.parquet", ["c/1/1", "a/1/1"], quality=quality),
        write(tmp_path / "1.parquet", ["b/1/1", "d/1/1"], quality=quality[:3] + 10),
    ]


def frames(utterances, paths, scratch):
    return read_sequences(utterances, paths, [FRAMES], scratch=scratch, unnamed=FRAMES)[FRAMES]


def test_any_rows_are_read_as_they_were_written(shards, tmp_path):
    names = ["d/1/1", "x/1/1", "a/1/1", "c/1/1", "b/1/1"]
    found = frames(names, shards, tmp_path)
    assert (found.dim, found.counts.tolist()) == (6, [2, 0, 3, 5, 1])
    rows = np.array([3, 1, 0, 3, 2, 4, 0])
    batch = found.read(rows)
    assert batch.vectors.dtype == np.float32
    assert batch.vectors.shape == (7, 5, 6)
    for row, vectors, mask in zip(rows, batch.vectors, batch.mask, strict=True):
        n = COUNTS.get(names[row], 0)
        assert mask.tolist() == [True] * n + [False] * (5 - n)
        assert np.array_equal(vectors[:n], VECTORS[names[row]] if n else np.zeros((0, 6)))
        assert not vectors[n:].any()
    assert batch.quality[4, :3].tolist() == [5, 6, 7]
    assert batch.quality[2, :2].tolist() == [11, 12]
    assert np.isnan(batch.quality[~batch.mask]).all()
    assert np.isnan(batch.start_s).all()
    assert (batch.length_s[batch.mask] == 0).all()  # of faces
    assert sorted(p.name for p in tmp_path.iterdir()) == ["0.parquet", "1.parquet"]


def test_some_items_are_those_of_the_whole(shards, tmp_path):
    own = {FRAMES: frames(list(COUNTS), shards, tmp_path)}
    rows = np.array([2, 3, 2, 0])
    for seed in (None, 1):
        rng, again = (None if seed is None else np.random.default_rng(seed) for _ in range(2))
        found = Reading(FRAMES, 3).read(own, rows, rng)
        # The same by way of a view, and by what any sequences do that know no better.
        view = Reading(FRAMES, 3).read({FRAMES: own[FRAMES].of(np.arange(4))}, rows, again)
        assert np.array_equal(found.vectors, view.vectors)
        assert np.array_equal(found.mask, view.mask)
        for row, vectors, mask in zip(rows, found.vectors, found.mask, strict=True):
            whole = VECTORS[list(COUNTS)[row]].astype(np.float32)
            assert all((whole == vector).all(axis=1).any() for vector in vectors[mask])
    assert found.mask.sum(axis=1).tolist() == [3, 2, 3, 3]


def test_several_threads_read_at_once(shards, tmp_path):
    found = frames(list(COUNTS), shards, tmp_path)
    wrong = []

    def read(seed):
        rng = np.random.default_rng(seed)
        for _ in range(50):
            rows = rng.integers(0, 4, 6)
            batch = found.read(rows)
            for row, vectors in zip(rows, batch.vectors, strict=True):
                own = VECTORS[list(COUNTS)[row]]
                if not np.array_equal(vectors[: len(own)], own):
                    wrong.append(row)

    threads = [threading.Thread(target=read, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_a_table_holds_several_segmentations_and_one_that_tells_none_holds_hops(tmp_path):
    rows, names = ["a/1/1"] * 5 + ["b/1/1"] * 3, ["hops"] * 2 + ["eighths"] * 3 + ["hops"] + ["eighths"] * 2
    vectors = RNG.normal(size=(8, 4)).astype(np.float32)
    start = [0, 2, 0, 1, 2, 0, 0, 1]
    write_embeddings(tmp_path / "0.parquet", rows, vectors, segmentation=names, start_s=start, length_s=[2.0] * 8)
    write_embeddings(tmp_path / "1.parquet", ["c/1/1"], vectors[:1])
    utterances, paths = ["b/1/1", "a/1/1", "c/1/1"], [tmp_path / "0.parquet", tmp_path / "1.parquet"]
    found = read_sequences(utterances, paths, ["eighths", "hops"], scratch=tmp_path)
    assert {name: own.counts.tolist() for name, own in found.items()} == {"eighths": [2, 3, 0], "hops": [1, 2, 1]}
    batch = found["eighths"].read(np.array([1, 0]))
    np.testing.assert_array_equal(batch.vectors[0], vectors[2:5].astype(np.float16))
    assert batch.start_s[0].tolist() == [0, 1, 2]
    assert batch.length_s[1, :2].tolist() == [2, 2]
    assert np.isnan(found["hops"].read(np.array([2])).start_s).all()
    assert list(read_sequences(utterances, paths, ["hops"], scratch=tmp_path)) == ["hops"]
    with pytest.raises(AvsieveError, match=r"0\.parquet: no segmentation centre, found hops, eighths; add it to audio"):
        read_sequences(utterances, paths, ["centre"], scratch=tmp_path)


def test_nobody_has_a_sequence_where_the_tables_are_empty(tmp_path):
    write_embeddings(tmp_path / "0.parquet", [], np.zeros((0, 5), np.float16))
    found = frames(["a/1/1"], [tmp_path / "0.parquet"], tmp_path)
    assert (found.dim, found.counts.tolist()) == (5, [0])
    assert found.read(np.array([0, 0])).vectors.shape == (2, 0, 5)
    assert Reading(FRAMES, 3).read({FRAMES: found}, np.array([0]), None).vectors.shape == (1, 3, 5)


def test_tables_that_do_not_fit_are_refused_with_the_file_and_the_utterance(tmp_path):
    good = write(tmp_path / "good.parquet", list(COUNTS))
    write_embeddings(tmp_path / "scattered.parquet", ["a/1/1", "b/1/1", "a/1/1"], np.ones((3, 6), np.float16))
    write_embeddings(tmp_path / "other.parquet", ["z/1/1"], np.ones((1, 7), np.float16))
    backwards = {"segmentation": ["hops"] * 2, "start_s": [2.0, 0.0]}
    write_embeddings(tmp_path / "backwards.parquet", ["e/1/1"] * 2, np.ones((2, 6), np.float16), **backwards)
    write_embeddings(tmp_path / "large.parquet", ["f/1/1"] * 2, np.array([[1] * 6, [1e6] * 6], np.float32))
    names = [*COUNTS, "e/1/1", "f/1/1"]
    for paths, words in (
        (["scattered"], r"scattered\.parquet: the rows of a/1/1 \(frames\) are scattered; expected them one behind"),
        (["good", "other"], r"other\.parquet: embeddings of length 7, those before have 6"),
        (["good", "good"], r"good\.parquet: utterance a/1/1 \(frames\) is in an earlier table too"),
        (["large"], r"large\.parquet: row 2 is no finite half-precision embedding"),
    ):
        with pytest.raises(AvsieveError, match=words):
            frames(names, [tmp_path / f"{name}.parquet" for name in paths], tmp_path)
    with pytest.raises(AvsieveError, match=r"backwards\.parquet: rows of an utterance are not in the order"):
        read_sequences(names, [tmp_path / "backwards.parquet"], ["hops"], scratch=tmp_path)
    with pytest.raises(AvsieveError, match="utterance a/1/1 is listed twice"):
        frames(["a/1/1", "a/1/1"], [good], tmp_path)


def test_a_full_disk_is_told_with_the_folder_and_what_is_needed(tmp_path, monkeypatch):
    monkeypatch.setattr(packed_rows, "HELD_BYTES", 0)
    path = write(tmp_path / "0.parquet", list(COUNTS))

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.pwrite", full)
    with pytest.raises(AvsieveError, match=r"No space left on device while .* a scratch file of 0\.0 GB there"):
        frames(list(COUNTS), [path], tmp_path)


def test_sequences_of_another_length_than_the_whole_are_refused(tmp_path):
    segments = write(tmp_path / "s.parquet", list(COUNTS))
    write_embeddings(tmp_path / "a.parquet", list(COUNTS), np.ones((4, 5), np.float32))
    with pytest.raises(AvsieveError, match=r"embeddings of length 6 \(hops\), those of whole utterances have 5"):
        read_modality("audio", list(COUNTS), [tmp_path / "a.parquet"], [segments], ["hops"], scratch=tmp_path)


def test_all_pieces_of_a_batch_are_announced_before_the_first_is_read(tmp_path, monkeypatch):
    monkeypatch.setattr(packed_rows, "HELD_BYTES", 0)
    found = frames(list(COUNTS), [write(tmp_path / "0.parquet", list(COUNTS))], tmp_path)
    begins = np.cumsum([0, *COUNTS.values()])[:-1] * 12
    asked = []
    pread = os.preadv
    monkeypatch.setattr(os, "posix_fadvise", lambda _, offset, size, how: asked.append((offset, size, how)))
    monkeypatch.setattr(os, "preadv", lambda *given: asked.append("read") or pread(*given))
    found.read(np.array([3, 0]))
    wanted = [(int(begins[i]), 12 * list(COUNTS.values())[i], os.POSIX_FADV_WILLNEED) for i in (0, 3)]
    assert asked == [*wanted, "read", "read"]
    asked.clear()
    found.read(np.array([1]))
    assert asked == ["read"]
