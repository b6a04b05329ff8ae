"""Pickles as data: what is read, and that nothing else is."""

from __future__ import annotations

import io
import pickle
from collections import OrderedDict, defaultdict

import numpy as np
import pytest

from avsieve.storage.data_pickle import DataOnly, RefusedError, WithObjects, plain


def read(value, kind=DataOnly, protocol=4):
    return plain(kind(io.BytesIO(pickle.dumps(value, protocol)), encoding="latin1").load())


@pytest.mark.parametrize("protocol", range(6))
def test_numbers_text_containers_and_arrays_are_read(protocol):
    array = np.arange(6, dtype=">f4").reshape(2, 3)
    value = {"a": 1, "b": "text", "c": b"bytes", "d": [1.5, None, True], "e": np.float32(0.5), "f": array}
    found = read(OrderedDict(value), protocol=protocol)
    np.testing.assert_array_equal(found.pop("f"), array)
    value.pop("f")
    assert found == value
    assert read(defaultdict(list, {"a": [1]}), protocol=protocol) == {"a": [1]}


def test_arrays_of_objects_are_read_only_where_they_are_wanted():
    value = np.array(["id1/v/1", None], dtype=object)
    assert read(value, WithObjects) == ["id1/v/1", None]
    with pytest.raises(RefusedError, match="an array of 'O8'; only plain numbers are read, no objects"):
        read(value)


def test_what_else_a_pickle_asks_for_is_refused_by_name():
    for kind in (DataOnly, WithObjects):
        with pytest.raises(
            RefusedError, match=r"asks for pathlib\.\w+Path; only dictionaries of NumPy arrays are read"
        ):
            read(__import__("pathlib").Path("x"), kind)
