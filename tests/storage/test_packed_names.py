from __future__ import annotations

import numpy as np
import pytest

from avsieve.storage.packed_names import PackedNames

NAMES = ["id1/v/1", "", "ü/v/1", "id1/v/1", "a/v/" + 300 * "x"]


@pytest.mark.parametrize("repeated", [False, True])
def test_packed_names_are_a_list_of_names(repeated: bool) -> None:
    names = PackedNames(NAMES, repeated=repeated)
    assert names == NAMES
    assert names != NAMES[:-1]
    assert (len(names), names[2], names[-1], names[np.int64(3)]) == (5, "ü/v/1", NAMES[-1], "id1/v/1")
    assert names[1:4] == NAMES[1:4]
    assert names.taken(np.array([4, 0, 0])) == [NAMES[4], NAMES[0], NAMES[0]]
    assert names.taken(np.array([], np.int64)) == []
    assert PackedNames(names, repeated=True) == NAMES
    assert "ü/v/1" in names
    assert names.index("a/v/" + 300 * "x") == 4
    for beyond in (5, -6):
        with pytest.raises(IndexError):
            _ = names[beyond]


def test_names_that_repeat_are_held_once() -> None:
    names = PackedNames(["x" * 1000] * 1000, repeated=True)
    assert names._texts.nbytes < 10_000
