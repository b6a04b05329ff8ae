import numpy as np
import pytest

from avsieve.embeddings import load_embeddings, write_embeddings
from avsieve.errors import AvsieveError

NAMES = ["a/b/1", "a/b/2"]
VECTORS = np.arange(6, dtype=np.float32).reshape(2, 3)


def test_npz_and_parquet_give_the_same_embeddings(tmp_path):
    np.savez(tmp_path / "x.npz", utterance=np.array([f"{n}.wav" for n in NAMES]), embedding=VECTORS.astype(np.float64))
    write_embeddings(tmp_path / "x.parquet", NAMES, VECTORS)
    for path in (tmp_path / "x.npz", tmp_path / "x.parquet"):
        names, vectors = load_embeddings(path)
        assert names == NAMES
        assert vectors.dtype == np.float32
        np.testing.assert_array_equal(vectors, VECTORS)


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"utterance": np.array(NAMES)}, "no array .'embedding'.; found .'utterance'."),
        ({"utterance": np.array(NAMES, dtype=object), "embedding": VECTORS}, "not an npz of plain arrays"),
        ({"utterance": np.array(NAMES[:1]), "embedding": VECTORS}, "expected .N,. and .N, D."),
        ({"utterance": np.arange(2), "embedding": VECTORS}, "expected strings and floats"),
        ({"utterance": np.array(["a/b/1", "a/b/1.wav"]), "embedding": VECTORS}, "a/b/1 occurs more than once"),
        ({"utterance": np.array(NAMES), "embedding": VECTORS * np.nan}, "embedding of a/b/1 is not finite"),
    ],
)
def test_an_npz_that_cannot_be_used_is_refused(tmp_path, arrays, message):
    np.savez(tmp_path / "x.npz", **arrays)
    with pytest.raises(AvsieveError, match=message):
        load_embeddings(tmp_path / "x.npz")


def test_something_else_named_npz_is_refused(tmp_path):
    (tmp_path / "x.npz").write_bytes(b"no zip at all")
    with pytest.raises(AvsieveError, match="not an npz"):
        load_embeddings(tmp_path / "x.npz")
    with pytest.raises(AvsieveError, match="no such file"):
        load_embeddings(tmp_path / "y.npz")
