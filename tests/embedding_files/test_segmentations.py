"""Tables of several segmentations, as other tools may have written them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from avsieve.embedding_files.parquet import read_columns
from avsieve.embedding_files.sequence_tables import read_rows
from avsieve.errors import AvsieveError
from avsieve.storage.sequence_names import HOPS

NAMES = ["a/v/1", "a/v/1", "a/v/2"]
VECTORS = pa.FixedSizeListArray.from_arrays(pa.array(np.arange(6, dtype=np.float32)), 2)


def written(folder: Path, segmentation: pa.Array, **more: pa.Array) -> Path:
    columns = {"utterance": pa.array(NAMES), "embedding": VECTORS, "segmentation": segmentation, **more}
    pq.write_table(pa.table(columns), folder / "x.parquet")
    return folder / "x.parquet"


@pytest.mark.parametrize("kind", [pa.string(), pa.large_string(), pa.dictionary(pa.int32(), pa.string())])
def test_one_segmentation_is_read_whatever_type_its_name_has(tmp_path: Path, kind: pa.DataType) -> None:
    path = written(tmp_path, pa.array([HOPS, "eighths", HOPS]).cast(kind))
    found = read_columns(path, "utterance", "embedding", segmentation=HOPS)
    assert found.names == ["a/v/1", "a/v/2"]
    np.testing.assert_array_equal(found.matrix, [[0, 1], [4, 5]])


def test_names_that_are_none_are_told(tmp_path: Path) -> None:
    path = written(tmp_path, pa.array([[HOPS], ["eighths"], [HOPS]]))
    with pytest.raises(AvsieveError, match=r"column 'segmentation' holds list.*expected strings"):
        read_columns(path, "utterance", "embedding", segmentation=HOPS)


def test_times_may_be_whole_numbers_that_no_float_holds(tmp_path: Path) -> None:
    path = written(tmp_path, pa.array([HOPS] * 3), start_s=pa.array([0, 2**31 - 1, 3]))
    [rows] = read_rows(path, np.ones(3, bool))
    assert rows.start_s is not None
    np.testing.assert_array_equal(rows.start_s, np.array([0, 2**31, 3], np.float32))
