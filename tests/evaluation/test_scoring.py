import numpy as np
import pytest

from avsieve.errors import AvsieveError
from avsieve.evaluation.scoring import BLOCK, Part, align, cosines, mean_of_cosines

RNG = np.random.default_rng(0)


def test_cosines_equal_those_of_single_pairs_across_blocks():
    vectors = RNG.standard_normal((50, 7)).astype(np.float32)
    n = 2 * BLOCK + 3
    enrol, test = RNG.integers(0, 50, n), RNG.integers(0, 50, n)
    lengths = np.linalg.norm(vectors, axis=1)
    expected = [vectors[e] @ vectors[t] / lengths[e] / lengths[t] for e, t in zip(enrol, test, strict=True)]
    np.testing.assert_allclose(cosines(Part.of(vectors), enrol, test), expected, atol=1e-6)


def test_align_orders_rows_and_marks_the_missing():
    rows, present = align(["b", "x", "a"], ["a", "b", "c"], np.arange(6, dtype=np.float32).reshape(3, 2))
    assert rows.tolist() == [[2, 3], [0, 0], [0, 1]]
    assert present.tolist() == [True, False, True]


def test_align_copes_with_a_table_without_rows():
    rows, present = align(["b"], [], np.zeros((0, 3), dtype=np.float32))
    assert rows.shape == (1, 3)
    assert not present.any()


def test_a_trial_that_lacks_one_modality_is_scored_by_the_other():
    audio = Part.of(np.eye(3, dtype=np.float32), np.array([True, True, False]))
    visual = Part.of(np.ones((3, 2), dtype=np.float32), np.array([True, True, True]))
    enrol, test = np.array([0, 0]), np.array([1, 2])
    assert mean_of_cosines([audio, visual], enrol, test) == pytest.approx([0.5, 1.0])


def test_a_trial_that_lacks_everything_has_no_score():
    audio = Part.of(np.eye(2, dtype=np.float32), np.array([True, False]))
    assert np.isnan(mean_of_cosines([audio], np.array([0]), np.array([1]))).all()


def test_a_zero_vector_is_as_good_as_none():
    part = Part.of(np.array([[0.0, 0.0], [3.0, 4.0]], dtype=np.float32))
    assert part.present.tolist() == [False, True]
    assert part.vectors[1] == pytest.approx([0.6, 0.8])


def test_scoring_with_nothing_is_refused():
    with pytest.raises(AvsieveError, match="at least one modality"):
        mean_of_cosines([], np.array([0]), np.array([0]))
