from __future__ import annotations

import pickle

import numpy as np
import pytest

from avsieve.cleansing.imports import read_any
from avsieve.embeddings import write_embeddings
from avsieve.errors import AvsieveError

NAMES = ["id1/v/00001", "id1/v/00002"]
VECTORS = np.arange(6, dtype=np.float32).reshape(2, 3)


class Malice:
    def __reduce__(self):
        return (print, ("executed",))


def save_npz(base):
    np.savez(base / "e.npz", utterance=np.array([f"{n}.wav" for n in NAMES]), embedding=VECTORS)
    return base / "e.npz"


def save_parquet(base):
    write_embeddings(base / "e.parquet", NAMES, VECTORS)
    return base / "e.parquet"


def save_npy(base):
    np.save(base / "e.npy", VECTORS)
    (base / "names.txt").write_text("1 id1/v/00001.wav\n1 id1/v/00002.wav\n")
    return f"{base / 'e.npy'}:{base / 'names.txt'}"


def save_pickle(base):
    (base / "e.pkl").write_bytes(pickle.dumps(dict(zip(NAMES, VECTORS, strict=True))))
    return base / "e.pkl"


@pytest.mark.parametrize("save", [save_npz, save_parquet, save_npy, save_pickle])
def test_every_format_gives_names_without_suffix_and_vectors(tmp_path, save):
    names, vectors = read_any(save(tmp_path))
    assert names == NAMES
    np.testing.assert_array_equal(vectors, VECTORS)


@pytest.mark.parametrize("value", [{"a": Malice()}, Malice()])
def test_a_pickle_that_wants_code_is_refused_and_nothing_runs(tmp_path, capsys, value):
    (tmp_path / "bad.pk").write_bytes(pickle.dumps(value))
    with pytest.raises(AvsieveError, match="only dictionaries of NumPy arrays"):
        read_any(tmp_path / "bad.pk")
    assert "executed" not in capsys.readouterr().out


def test_an_array_of_objects_is_refused(tmp_path):
    np.save(tmp_path / "bad.npy", np.array([{"a": 1}], dtype=object), allow_pickle=True)
    (tmp_path / "names.txt").write_text("a\n")
    with pytest.raises(AvsieveError, match="arrays of objects are not read"):
        read_any(f"{tmp_path / 'bad.npy'}:{tmp_path / 'names.txt'}")


def test_two_embeddings_of_one_utterance_are_refused_by_name(tmp_path):
    np.savez(tmp_path / "e.npz", utterance=np.array(["id1/v/1", "id1/v/1"]), embedding=VECTORS)
    with pytest.raises(AvsieveError, match="id1/v/1 has several embeddings"):
        read_any(tmp_path / "e.npz")
