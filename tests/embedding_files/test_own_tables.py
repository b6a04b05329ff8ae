from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from avsieve.embedding_files.own_tables import read_embeddings, write_embeddings
from avsieve.errors import AvsieveError


@pytest.mark.parametrize("dtype", [np.float16, np.float32])
def test_embeddings_come_back_as_they_were(tmp_path: Path, dtype: type) -> None:
    x = np.random.default_rng(0).normal(size=(5, 7)).astype(dtype)
    write_embeddings(tmp_path / "e.parquet", [f"a/v/{i}" for i in range(5)], x, duration_s=np.arange(5.0))
    ids, y = read_embeddings(tmp_path / "e.parquet")
    assert ids == [f"a/v/{i}" for i in range(5)]
    assert y.dtype == dtype
    assert np.array_equal(x, y)
    assert pq.read_table(tmp_path / "e.parquet")["duration_s"].to_pylist() == [0, 1, 2, 3, 4]


def test_no_rows_keep_their_dimension(tmp_path: Path) -> None:
    write_embeddings(tmp_path / "e.parquet", [], np.empty((0, 7), np.float32))
    assert read_embeddings(tmp_path / "e.parquet")[1].shape == (0, 7)


def test_lists_of_variable_length_type_are_read_when_their_lengths_agree(tmp_path: Path) -> None:
    pq.write_table(pa.table({"utterance": ["a", "b"], "embedding": [[1.0, 2.0], [3.0, 4.0]]}), tmp_path / "e.parquet")
    assert read_embeddings(tmp_path / "e.parquet")[1].tolist() == [[1, 2], [3, 4]]
    pq.write_table(pa.table({"utterance": ["a", "b"], "embedding": [[1.0, 2.0], [3.0]]}), tmp_path / "f.parquet")
    with pytest.raises(AvsieveError, match="different lengths"):
        read_embeddings(tmp_path / "f.parquet")


def test_counts_that_disagree_are_refused(tmp_path: Path) -> None:
    with pytest.raises(AvsieveError, match="1 utterances but embeddings of shape"):
        write_embeddings(tmp_path / "e.parquet", ["a"], np.zeros((2, 3), np.float32))


def test_our_own_tables_have_no_nulls(tmp_path: Path) -> None:
    pq.write_table(pa.table({"utterance": ["a", "b"], "embedding": [[1.0, 2.0], None]}), tmp_path / "e.parquet")
    with pytest.raises(AvsieveError, match=r"row 2 has null .* run the stage that wrote it again"):
        read_embeddings(tmp_path / "e.parquet")
    pq.write_table(pa.table({"utterance": [None, "b"], "embedding": [[1.0, 2.0]] * 2}), tmp_path / "e.parquet")
    with pytest.raises(AvsieveError, match="row 1 has null"):
        read_embeddings(tmp_path / "e.parquet")
