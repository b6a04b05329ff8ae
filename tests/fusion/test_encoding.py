import numpy as np
import pytest

from avsieve.fusion import encoding, packed_sequences
from avsieve.fusion.encoding import bounded_batches, distinct_rows
from avsieve.fusion.inputs import Inputs, Stream
from avsieve.fusion.packed_sequences import Facts, PackedSequences
from avsieve.fusion.sequences import FRAMES, HeldSequences, Reading
from avsieve.fusion.stream_batch import StreamBatch
from avsieve.storage.packed_rows import PackedRows

from .made_up import make_people, new_model

A, V = 6, 8
LONG = 2000


def packed(counts, dim, scratch, seed=0):
    """Return sequences of so many random items each, with times, as a run reads them."""
    rng = np.random.default_rng(seed)
    counts = np.asarray(counts, np.int64)
    rows = PackedRows(int(counts.sum()), dim, scratch)
    rows.write(0, rng.standard_normal((rows.rows, dim)).astype(np.float16))
    begins = np.cumsum(counts) - counts
    start_s = np.concatenate([np.arange(n, dtype=np.float32) for n in counts])
    nothing = np.array([np.nan], np.float32)
    return PackedSequences(rows, Facts(start_s, nothing, nothing), begins, counts)


def clips(counts, scratch):
    """Return utterances with so many faces each, and eight parts of the voice."""
    rng = np.random.default_rng(1)
    n = len(counts)
    voices, faces = rng.standard_normal((n, A), np.float32), rng.standard_normal((n, V), np.float32)
    parts = {"eighths": packed([8] * n, A, scratch, seed=2)}
    there = np.ones(n, bool)
    names = [f"a/{i}/0" for i in range(n)]
    return Inputs(names, Stream(voices, there, parts), Stream(faces, there, {FRAMES: packed(counts, V, scratch)}))


COUNTS = [3, 9, LONG, 1, 4, 700, 12, 2, 5, 8, 1500, 6, 3, 3, 10, 7, 0, 11, 640, 2]


@pytest.fixture
def small(monkeypatch):
    """Bounds that the clips here reach: 800 faces in a batch."""
    monkeypatch.setattr(encoding, "MOST_NUMBERS", 800 * V)
    monkeypatch.setattr(encoding, "_WINDOW", 2)
    monkeypatch.setattr(packed_sequences, "_AT_ONCE", 50)


def test_batches_hold_no_more_than_the_bound_and_every_row_once(small, tmp_path):
    inputs = clips(COUNTS, tmp_path)
    rows = np.array([19, *range(18)])
    batches = list(bounded_batches(inputs, {"visual": Reading(FRAMES)}, rows, 6))
    assert sorted(np.concatenate(batches).tolist()) == list(range(19))
    counts = np.array(COUNTS)[rows]
    for batch in batches:
        assert len(batch) <= 6
        assert len(batch) == 1 or len(batch) * counts[batch].max() <= 800
    assert max(len(batch) for batch in batches) == 6
    assert [counts[batch].tolist() for batch in batches if counts[batch].max() > 100] == [[700], [1500], [LONG]]


def test_without_sequences_or_with_a_fixed_number_batches_follow_the_rows(tmp_path):
    inputs = clips(COUNTS, tmp_path)
    for readings in ({}, {"visual": Reading(FRAMES, 5), "audio": Reading("eighths", 8)}):
        batches = list(bounded_batches(inputs, readings, np.arange(20), 7))
        assert [batch.tolist() for batch in batches] == [[*range(7)], [*range(7, 14)], [*range(14, 20)]]


@pytest.mark.parametrize("name", ["vut_video_mean", "vut_video_scalar", "vut_video_fixed", "rjca"])
def test_encoding_keeps_batches_small_and_gives_each_utterance_its_own_embedding(small, tmp_path, monkeypatch, name):
    inputs = clips(COUNTS, tmp_path)
    model = new_model(name, A, V, length=16)
    seen = []
    of = StreamBatch.of
    monkeypatch.setattr(StreamBatch, "of", lambda *given: seen.append(of(*given)) or seen[-1])
    together = model.encode(inputs)[0].vectors
    sequences = [batch.sequence for batch in seen if batch.sequence is not None]
    assert max(s.numel() for s in sequences if len(s) > 1) <= 800 * V
    # Padded to the longest clip, all of them would be 20 x 2,000 faces.
    assert max(s.numel() for s in sequences) <= LONG * V
    alone = [model.encode(inputs.of(np.array([i])))[0].vectors[0] for i in range(len(inputs))]
    np.testing.assert_allclose(together, np.stack(alone), atol=1e-6)


def test_what_is_compared_and_read_stays_small_where_one_clip_is_long(small, tmp_path, monkeypatch):
    inputs = clips(COUNTS, tmp_path)
    shapes, pieces = [], []
    read, read_rows = Reading.read, PackedRows.read

    def noted(self, *given):
        found = read(self, *given)
        shapes.append(found.vectors.shape)
        return found

    def noted_rows(self, begins, counts):
        pieces.append(counts)
        return read_rows(self, begins, counts)

    monkeypatch.setattr(Reading, "read", noted)
    monkeypatch.setattr(PackedRows, "read", noted_rows)
    chosen, place = distinct_rows(inputs, {"visual": Reading(FRAMES)})
    assert chosen.tolist() == place.tolist() == list(range(20))
    assert all(n == 1 or n * longest <= 800 for n, longest, _ in shapes)
    assert all(len(counts) == 1 or counts[:-1].sum() < 50 for counts in pieces)  # the last piece begins below 50


def test_alike_utterances_are_told_whatever_they_are_compared_beside(small, monkeypatch):
    monkeypatch.setattr(encoding, "_COMPARED", 2)
    people, _ = make_people("p", 2)
    rng = np.random.default_rng(0)
    faces = rng.standard_normal((5, 30, 16)).astype(np.float32)
    counts = np.array([2, 30, 2, 30, 2])
    faces[4] = faces[0]
    faces[3] = faces[1]
    rows = np.zeros(5, np.int64)
    sequences = HeldSequences(faces, np.arange(30)[None] < counts[:, None])
    visual = Stream(people.visual.pooled[rows], np.ones(5, bool), {FRAMES: sequences})
    inputs = Inputs(list("abcde"), people.audio.of(rows), visual)
    chosen, place = distinct_rows(inputs, {"visual": Reading(FRAMES)})
    assert chosen.tolist() == [0, 1, 2]
    assert place.tolist() == [0, 1, 2, 1, 0]
