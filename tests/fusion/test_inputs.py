import numpy as np
import pytest

from avsieve.embedding_files.own_tables import write_embeddings
from avsieve.errors import AvsieveError
from avsieve.fusion.inputs import Inputs, Stream, read_stream
from avsieve.fusion.sequences import HeldSequences


def test_reads_shards_in_the_order_of_the_utterances(tmp_path):
    write_embeddings(tmp_path / "0.parquet", ["b/1/1", "a/1/1"], np.array([[1, 1], [2, 2]], dtype=np.float16))
    write_embeddings(tmp_path / "1.parquet", ["c/1/1"], np.array([[3, 3]], dtype=np.float32))
    side = read_stream(["a/1/1", "x/1/1", "c/1/1"], [tmp_path / "0.parquet", tmp_path / "1.parquet"])
    assert side.pooled.tolist() == [[2, 2], [0, 0], [3, 3]]
    assert side.pooled.dtype == np.float32
    assert side.present.tolist() == [True, False, True]


def test_further_columns_of_numbers_are_measures(tmp_path):
    vectors = np.ones((2, 2), dtype=np.float32)
    write_embeddings(
        tmp_path / "0.parquet", ["a/1/1", "b/1/1"], vectors, n_faces=[3, 4], quality=[0.5, None], note=["", ""]
    )
    write_embeddings(tmp_path / "1.parquet", ["c/1/1"], vectors[:1])
    side = read_stream(["c/1/1", "b/1/1", "a/1/1"], [tmp_path / "0.parquet", tmp_path / "1.parquet"])
    assert set(side.measures) == {"n_faces", "quality"}
    np.testing.assert_array_equal(side.measures["n_faces"], [np.nan, 4, 3])
    np.testing.assert_array_equal(side.measures["quality"], [np.nan, np.nan, 0.5])
    np.testing.assert_array_equal(side.without(np.array([False, True, False])).measures["n_faces"], [np.nan, np.nan, 3])


def test_a_modality_without_any_table_is_absent():
    side = read_stream(["a/1/1"], [])
    assert side.dim == 0
    assert not side.present.any()


def test_shards_of_two_encoders_are_refused(tmp_path):
    write_embeddings(tmp_path / "0.parquet", ["a/1/1"], np.zeros((1, 2), dtype=np.float32))
    write_embeddings(tmp_path / "1.parquet", ["b/1/1"], np.zeros((1, 3), dtype=np.float32))
    with pytest.raises(AvsieveError, match="of length 3, those before have 2"):
        read_stream(["a/1/1"], [tmp_path / "0.parquet", tmp_path / "1.parquet"])


def test_an_utterance_in_two_shards_is_refused(tmp_path):
    for name in ("0", "1"):
        write_embeddings(tmp_path / f"{name}.parquet", ["a/1/1"], np.ones((1, 2), dtype=np.float32))
    with pytest.raises(AvsieveError, match="a/1/1 is in an earlier table too"):
        read_stream(["a/1/1"], [tmp_path / "0.parquet", tmp_path / "1.parquet"])


def test_misshapen_inputs_are_refused():
    side = Stream(np.zeros((2, 3), dtype=np.float32), np.ones(2, dtype=bool))
    with pytest.raises(AvsieveError, match=r"expected \(3, D\)"):
        Stream(np.zeros((2, 3), dtype=np.float32), np.ones(3, dtype=bool))
    three = HeldSequences(np.zeros((3, 1, 3), dtype=np.float32), np.ones((3, 1), dtype=bool))
    with pytest.raises(AvsieveError, match="frames: sequences of 3 utterances for 2"):
        Stream(side.pooled, side.present, {"frames": three})
    with pytest.raises(AvsieveError, match="1 utterances, 2 audio"):
        Inputs(["a/b/c"], side, side)
