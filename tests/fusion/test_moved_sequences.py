from __future__ import annotations

import numpy as np
import pytest

from avsieve.fusion.moved_sequences import MovedSequences
from avsieve.fusion.sequences import HeldSequences

COUNTS = np.array([3, 1, 0, 4])
MASK = np.arange(4)[None] < COUNTS[:, None]
RNG = np.random.default_rng(0)
HELD = HeldSequences(3 * RNG.normal(size=(4, 4, 16)), MASK, start_s=np.tile(np.arange(4.0), (4, 1)))
DIRECTIONS = RNG.normal(size=(4, 16))
DIRECTIONS /= np.linalg.norm(DIRECTIONS, axis=1, keepdims=True)
ROWS = np.array([3, 0, 2, 1])


def moved(similarity: float = 0.4, only: tuple[int, ...] = (-1, -1, -1, -1)) -> MovedSequences:
    return MovedSequences(HELD, np.full(4, similarity), DIRECTIONS, np.array(only))


def test_each_item_has_the_cosine_that_it_should_and_keeps_its_length_and_time():
    before, after = HELD.read(ROWS), moved().read(ROWS)
    assert np.array_equal(after.mask, before.mask)
    assert np.array_equal(after.start_s[after.mask], before.start_s[before.mask])
    a, b = before.vectors[before.mask].astype(np.float64), after.vectors[after.mask].astype(np.float64)
    lengths = np.linalg.norm(a, axis=1)
    assert (a * b).sum(1) / lengths / np.linalg.norm(b, axis=1) == pytest.approx(np.full(8, 0.4), abs=1e-5)
    assert np.linalg.norm(b, axis=1) == pytest.approx(lengths, rel=1e-5)
    assert not after.vectors[~after.mask].any()


def test_the_items_of_an_utterance_move_in_one_direction():
    own = np.array([3])
    shift = moved().read(own).vectors[0] - 0.4 * HELD.read(own).vectors[0]
    shift /= np.linalg.norm(shift, axis=1, keepdims=True)
    # Each is orthogonal to its own item, and so not quite the same.
    assert (shift @ DIRECTIONS[3] > 0.8).all()


def test_of_some_a_single_item_is_left_as_it_was():
    own = moved(only=(2, -1, -1, -1))
    assert own.counts.tolist() == [1, 1, 0, 4]
    batch = own.read(np.array([0, 3]))
    assert batch.mask.tolist() == [[True, False, False, False], [True] * 4]
    assert np.array_equal(batch.vectors[0, 0], HELD.read(np.array([0])).vectors[0, 2])
    assert batch.start_s[0, 0] == 2
    assert not np.allclose(batch.vectors[1], HELD.read(np.array([3])).vectors[0])
    places = own.read_at(np.array([0]), np.array([[0, 1]]), np.array([[True, True]]))
    assert places.mask.tolist() == [[True, False]]


def test_a_zero_direction_and_nothing_at_all_move_nothing():
    still = MovedSequences(HELD, np.full(4, 0.4), np.zeros((4, 16)), np.full(4, -1))
    assert np.array_equal(still.read(ROWS).vectors, HELD.read(ROWS).vectors)
    assert still.read(np.array([2])).vectors.shape == (1, 0, 16)
