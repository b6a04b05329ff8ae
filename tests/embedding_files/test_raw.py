from __future__ import annotations

import numpy as np
import pytest

from avsieve.embedding_files.raw import Raw, some, stack
from avsieve.errors import AvsieveError


def test_half_precision_stays_where_all_vectors_have_it() -> None:
    half = stack("t", ["a", "b"], [np.ones(3, np.float16)] * 2)
    mixed = stack("t", ["a", "b"], [np.ones(3, np.float16), np.ones(3, np.float64)])
    assert (half.matrix.dtype, mixed.matrix.dtype) == (np.float16, np.float32)


def test_rows_without_a_vector_are_missing_and_named() -> None:
    raw = stack("t", ["a", "b", "c"], [[1.0, 2.0], None, []], unit="line", numbers=[4, 7, 9])
    assert raw.matrix.tolist() == [[1, 2]]
    assert list(raw.missing) == [1, 2]
    assert raw.where(2) == "line 9"
    assert Raw(["a"], np.zeros((1, 1))).where(0) == "row 1"


def test_one_vector_that_has_another_length_is_named() -> None:
    with pytest.raises(AvsieveError, match=r"t: embeddings of different lengths: row 3 \(c\) has 1 numbers, 2 others"):
        stack("t", ["a", "b", "c"], [[1.0, 2.0], [3.0, 4.0], [5.0]])


def test_several_rows_of_an_utterance_are_taken_only_where_they_are_wanted() -> None:
    vectors = [np.ones((2, 3), np.float32), np.ones((1, 3), np.float32)]
    raw = stack("t", ["a", "b"], vectors, several=True)
    assert raw.names == ["a", "a", "b"]
    assert raw.matrix.shape == (3, 3)
    with pytest.raises(AvsieveError, match=r"numbers of shape \(2, 3\); expected one vector of an utterance"):
        stack("t", ["a", "b"], vectors)


def test_numbers_that_are_no_floats_are_refused() -> None:
    with pytest.raises(AvsieveError, match="holds int64 numbers; expected floats"):
        stack("t", ["a"], [np.arange(3)])
    with pytest.raises(AvsieveError, match="holds no numbers; expected floats"):
        stack("t", ["a"], [["x", "y"]])


def test_a_few_of_many_names_are_told() -> None:
    assert some("abcdefg") == "a, b, c, d, e and 2 more"
    assert some([]) == "none"
