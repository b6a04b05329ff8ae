import numpy as np
import pytest

from avsieve.embedding_files.own_tables import write_embeddings
from avsieve.errors import AvsieveError
from avsieve.evaluation import segments as module
from avsieve.evaluation.scoring import cosines
from avsieve.evaluation.segments import evenly, read_segments

RNG = np.random.default_rng(0)
COUNTS = {"a/1/1": 7, "a/1/2": 5, "b/1/1": 3, "b/1/2": 1, "c/1/1": 12}
ROWS = [u for u, n in COUNTS.items() for _ in range(n)]
VECTORS = RNG.standard_normal((len(ROWS), 6)).astype(np.float32)


def of(utterance, frames):
    """Return an utterance's unit vectors, and those that AVCleanse would take of them."""
    own = VECTORS[[u == utterance for u in ROWS]]
    own = own / np.linalg.norm(own, axis=1, keepdims=True)
    if frames is None:
        return own
    if len(own) < frames:
        return np.concatenate([own, np.repeat(own[-1:], frames - len(own), axis=0)])
    return own[np.rint(np.linspace(0, len(own) - 1, frames)).astype(int)]


@pytest.mark.parametrize("frames", [None, 5, 2])
@pytest.mark.parametrize("block", [1, 8192])
def test_scores_equal_the_mean_over_all_pairs(tmp_path, frames, block, monkeypatch):
    monkeypatch.setattr(module, "_BLOCK", block)
    write_embeddings(tmp_path / "0.parquet", ROWS[:12], VECTORS[:12])
    write_embeddings(tmp_path / "1.parquet", ROWS[12:], VECTORS[12:])
    names = ["c/1/1", "a/1/1", "b/1/2", "x/1/1", "b/1/1", "a/1/2"]
    part = read_segments(names, [tmp_path / "0.parquet", tmp_path / "1.parquet"], frames)
    assert part.present.tolist() == [n != "x/1/1" for n in names]
    enrol, test = (side.ravel() for side in np.meshgrid(np.arange(6), np.arange(6)))
    found = cosines(part, enrol, test)
    for e, t, score in zip(enrol, test, found, strict=True):
        if 3 in (e, t):
            assert np.isnan(score)
        else:
            pairs = of(names[e], frames) @ of(names[t], frames).T
            assert score == pytest.approx(pairs.mean(), abs=1e-6)


def test_rows_that_are_not_wanted_do_not_matter(tmp_path):
    write_embeddings(tmp_path / "0.parquet", ROWS, VECTORS)
    part = read_segments(["b/1/1"], [tmp_path / "0.parquet"])
    np.testing.assert_allclose(part.vectors[0], of("b/1/1", None).mean(axis=0), atol=1e-6)


def test_an_utterance_in_two_files_and_files_of_two_models_are_refused(tmp_path):
    write_embeddings(tmp_path / "0.parquet", ROWS, VECTORS)
    write_embeddings(tmp_path / "1.parquet", ROWS[:2], VECTORS[:2])
    write_embeddings(tmp_path / "2.parquet", ["z/1/1"], np.ones((1, 3), np.float32))
    with pytest.raises(AvsieveError, match="utterance a/1/1 is in an earlier file too"):
        read_segments(["a/1/1"], [tmp_path / "0.parquet", tmp_path / "1.parquet"])
    with pytest.raises(AvsieveError, match="embeddings of length 3, those before have 6"):
        read_segments(["a/1/1"], [tmp_path / "0.parquet", tmp_path / "2.parquet"])


def test_evenly_spaced_places_have_both_ends_and_repeat_the_last_one_where_there_are_few():
    assert evenly(np.array([9, 5, 3, 1]), 5).tolist() == [
        [0, 2, 4, 6, 8], [0, 1, 2, 3, 4], [0, 1, 2, 2, 2], [0, 0, 0, 0, 0],
    ]  # fmt: skip
    assert evenly(np.array([4]), 1).tolist() == [[0]]
