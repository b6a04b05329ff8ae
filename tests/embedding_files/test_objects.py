"""Files that ``np.save`` pickled: dictionaries, names and vectors as objects."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from avsieve.embedding_files.raw import Options
from avsieve.embedding_files.reading import read_tables
from avsieve.errors import AvsieveError

from .made import NAMES, VECTORS


def save(path, value):
    np.save(path, value, allow_pickle=True)
    return str(path)


def objects(values):
    array = np.empty(len(values), dtype=object)
    array[:] = list(values)
    return array


DICTIONARIES = {
    "plain": dict(zip(NAMES, VECTORS, strict=True)),
    "with endings": {f"{n}.wav": v for n, v in zip(NAMES, VECTORS, strict=True)},
    "with some endings": {n if i % 2 else f"{n}.wav": v for i, (n, v) in enumerate(zip(NAMES, VECTORS, strict=True))},
    "lists of scalars": {n: list(v) for n, v in zip(NAMES, VECTORS, strict=True)},
    "rows": {n: v[None] for n, v in zip(NAMES, VECTORS, strict=True)},
    "bytes": {n.encode(): v for n, v in zip(NAMES, VECTORS, strict=True)},
    "names and vectors": {"utterance": NAMES, "embedding": VECTORS},
}


@pytest.mark.parametrize("kind", list(DICTIONARIES))
def test_a_dictionary_has_its_names_in_it(tmp_path, kind):
    table = read_tables(save(tmp_path / "d.npy", DICTIONARIES[kind]))
    assert sorted(table.utterance) == sorted(NAMES)
    np.testing.assert_allclose(table.embedding[[table.row[n] for n in NAMES]], VECTORS, atol=1e-6)


def test_names_and_vectors_may_be_objects(tmp_path):
    vectors, names = save(tmp_path / "v.npy", objects(VECTORS[:, None])), save(tmp_path / "n.npy", objects(NAMES))
    table = read_tables(f"{vectors}:{names}")
    np.testing.assert_array_equal(table.embedding[[table.row[n] for n in NAMES]], VECTORS)
    gone = save(tmp_path / "v.npy", objects([None, *VECTORS[1:]]))
    table = read_tables(f"{gone}:{names}")
    assert "null in place of a vector" in table.rejected[NAMES[0]].detail
    with pytest.raises(AvsieveError, match="71 names but 72 vectors"):
        read_tables(f"{vectors}:{save(tmp_path / 'n.npy', objects(NAMES[:-1]))}")


def test_a_dictionary_of_images_joins_the_utterances_of_their_videos(tmp_path):
    held = {
        f"{n.rpartition('/')[0]}/0000{i}75.jpg": v[None] for i, (n, v) in enumerate(zip(NAMES, VECTORS, strict=True))
    }
    table = read_tables(save(tmp_path / "d.npy", held), wanted=[*NAMES, "id9/v/1"])
    assert sorted(table.utterance) == sorted(NAMES)
    assert "72 names of images, which join 72 utterances: 72 by their video; 0 join none" in table.notes[0]
    several = read_tables(tmp_path / "d.npy", Options(several=True), wanted=NAMES[:1])
    np.testing.assert_array_equal(several.embedding, VECTORS[:4])


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ([1, 2], "vectors without names; give both files"),
        (np.array([[{}]], dtype=object), r"an array of objects of shape \(1, 1\); expected names or vectors, \(N,\)"),
        ({"a": Path("x")}, r"the pickle asks for pathlib\.\w+Path; only dictionaries of NumPy arrays"),
        ({"a": {"b": VECTORS[0]}}, "expected 'utterance' and 'embedding', or a vector for each name"),
    ],
)
def test_other_objects_are_told(tmp_path, value, message):
    path = save(tmp_path / "d.npy", objects(value) if isinstance(value, list) else value)
    with pytest.raises(AvsieveError, match=message):
        read_tables(path)


def test_a_dictionary_needs_no_list_of_names(tmp_path):
    (tmp_path / "n.txt").write_text("\n".join(NAMES))
    path = save(tmp_path / "d.npy", DICTIONARIES["plain"])
    with pytest.raises(AvsieveError, match=r"a dictionary, which has its names in it; give it without .*n\.txt"):
        read_tables(f"{path}:{tmp_path / 'n.txt'}")


class Runs:
    def __init__(self, mark):
        self.mark = mark

    def __reduce__(self):
        return os.system, (f"touch {self.mark}",)


def test_nothing_in_it_is_run(tmp_path):
    mark = tmp_path / "ran"
    for value in ({NAMES[0]: Runs(mark)}, objects([Runs(mark)])):
        path = save(tmp_path / "d.npy", value)
        (tmp_path / "n.txt").write_text(NAMES[0])
        for place in (path, f"{path}:{tmp_path / 'n.txt'}"):
            with pytest.raises(AvsieveError, match=r"d\.npy: the pickle asks for posix\.system"):
                read_tables(place)
    assert not mark.exists()
