from __future__ import annotations

import numpy as np

from avsieve.storage.kept_arrays import kept


def test_copies_are_what_was_given_and_lie_elsewhere() -> None:
    given = [np.arange(5, dtype=np.uint64), np.array([], np.uint32), np.arange(3, dtype=np.uint8)]
    copies = kept(*given)
    for array, copy in zip(given, copies, strict=True):
        assert np.array_equal(array, copy)
        assert array.dtype == copy.dtype
    given[0][:] = 0
    assert copies[0].tolist() == [0, 1, 2, 3, 4]
    assert kept(np.array([], np.int64))[0].tolist() == []
