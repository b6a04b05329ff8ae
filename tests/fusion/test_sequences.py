import numpy as np
import pytest
import torch

from avsieve.errors import AvsieveError, ModelError
from avsieve.fusion.encoding import distinct_rows
from avsieve.fusion.inputs import Inputs, Stream
from avsieve.fusion.neural import NeuralFusion
from avsieve.fusion.sequences import FRAMES, HeldSequences, Reading, Rows, places_of
from avsieve.fusion.stream_batch import StreamBatch

CPU = torch.device("cpu")
COUNTS = np.array([3, 0, 5, 1])
MASK = np.arange(5)[None] < COUNTS[:, None]
# The value of an item tells its row and its place.
VECTORS = np.stack([np.add.outer(10.0 * np.arange(4), np.arange(5)), np.ones((4, 5))], axis=2).astype(np.float32)
HELD = HeldSequences(VECTORS, MASK, start_s=VECTORS[:, :, 0] / 5, quality=VECTORS[:, :, 0])


def test_a_batch_is_padded_to_its_own_longest():
    batch = HELD.read(np.array([3, 0, 1]))
    assert batch.vectors.shape == (3, 3, 2)
    assert batch.mask.tolist() == [[True, False, False], [True, True, True], [False, False, False]]
    assert batch.vectors[1, :, 0].tolist() == [0, 1, 2]
    assert (batch.vectors[~batch.mask] == 0).all()
    assert HELD.read(np.array([1])).vectors.shape == (1, 0, 2)


def test_rows_of_several_sources_come_in_the_order_wanted():
    other = HeldSequences(VECTORS[:2] + 100, MASK[:2])
    rows = Rows([HELD, other], np.array([1, 0, 0, 1]), np.array([0, 2, -1, 1]))
    assert rows.counts.tolist() == [3, 5, 0, 0]
    batch = rows.read(np.array([2, 1, 0]))
    assert batch.mask.sum(axis=1).tolist() == [0, 5, 3]
    assert batch.vectors[1, :, 0].tolist() == [20, 21, 22, 23, 24]
    assert batch.vectors[2, :3, 0].tolist() == [100, 101, 102]
    assert batch.start_s[1, :2].tolist() == pytest.approx([4, 4.2])
    assert np.isnan(batch.start_s[2]).all()


def test_what_is_taken_away_is_gone():
    missing = np.array([True, False, False, True])
    stream = Stream(np.ones((4, 2), np.float32), COUNTS > 0, {FRAMES: HELD}).without(missing)
    assert stream.sequences[FRAMES].counts.tolist() == [0, 0, 5, 0]
    assert stream.of(np.array([2, 0])).sequences[FRAMES].counts.tolist() == [5, 0]


@pytest.mark.parametrize("seed", [None, 0])
def test_one_item_comes_from_each_equal_part_and_none_is_repeated(seed):
    counts = np.array([16, 9, 8, 3, 0])
    places, mask = places_of(counts, 8, None if seed is None else np.random.default_rng(seed))
    assert mask.sum(axis=1).tolist() == [8, 8, 8, 3, 0]
    for row, there, n in zip(places, mask, counts, strict=True):
        own = row[there]
        assert (np.diff(own) > 0).all()
        if n >= 8:
            assert (own * 8 // n == np.arange(8)).all() or n % 8  # in its own part
            assert own[-1] < n
    assert places[2].tolist() == list(range(8))
    assert places[3, :3].tolist() == [0, 1, 2]
    if seed is None:
        assert places[0].tolist() == [1, 3, 5, 7, 9, 11, 13, 15]


def test_training_draws_other_items_than_scoring_and_scoring_always_the_same():
    reading = Reading(FRAMES, 2)
    rows, of = np.repeat(2, 50), {FRAMES: HELD}
    fixed = reading.read(of, rows, None).vectors[:, :, 0]
    assert (fixed == fixed[0]).all()
    drawn = reading.read(of, rows, np.random.default_rng(0)).vectors[:, :, 0]
    assert set(drawn[:, 0]) == {20, 21}
    assert set(drawn[:, 1]) == {22, 23, 24}


def test_a_batch_drops_a_modality_with_its_sequence():
    stream = Stream(np.ones((4, 2), np.float32), COUNTS > 0, {FRAMES: HELD})
    batch = StreamBatch.of(stream, np.arange(4), CPU, Reading(FRAMES)).drop(torch.tensor([True, False, False, False]))
    assert batch.mask.sum(dim=1).tolist() == [0, 0, 5, 1]
    assert float(batch.sequence[0].abs().sum()) == 0
    with pytest.raises(ModelError, match="without the sequence"):
        StreamBatch.of(stream, np.arange(4), CPU).items()


def test_gaps_and_lengths_that_do_not_fit_are_refused():
    with pytest.raises(AvsieveError, match="has gaps"):
        HeldSequences(VECTORS, MASK[:, ::-1])
    with pytest.raises(AvsieveError, match="with a mask of shape"):
        HeldSequences(VECTORS, MASK[:2])
    with pytest.raises(AvsieveError, match=r"of lengths \[1, 2\]"):
        Rows([HELD, HeldSequences(VECTORS[..., :1], MASK)], np.zeros(1, int), np.zeros(1, int))


class MeanOfFaces(NeuralFusion):
    """Add the mean of the faces to the voice."""

    name = "mean_of_faces"
    centred = False
    readings = {"visual": Reading(FRAMES)}  # noqa: RUF012 - as a model of a stranger may have it

    def fuse(self, audio, visual):
        faces, mask = visual.items()
        return audio.pooled + faces.sum(dim=1) / mask.sum(dim=1, keepdim=True).clamp(min=1)


def test_a_network_is_given_the_sequence_that_it_reads_and_says_what_it_lacks():
    audio = Stream(np.ones((4, 2), np.float32), np.ones(4, bool))
    visual = Stream(np.ones((4, 2), np.float32), COUNTS > 0, {FRAMES: HELD})
    inputs = Inputs(["a/1/1", "a/1/2", "a/1/3", "a/1/4"], audio, visual)
    network = MeanOfFaces(2, 2, 2)
    vectors = network.encode(inputs, batch_size=3)[0].vectors
    unit = VECTORS[2] / np.linalg.norm(VECTORS[2], axis=1, keepdims=True)
    expected = np.ones(2) / np.sqrt(2) + unit.mean(axis=0)
    np.testing.assert_allclose(vectors[2], expected / np.linalg.norm(expected), atol=1e-6)
    np.testing.assert_allclose(vectors[1], np.ones(2) / np.sqrt(2), atol=1e-6)
    with pytest.raises(ModelError, match="mean_of_faces reads the sequence frames of visual, found none"):
        network.encode(Inputs(inputs.utterances, audio, audio))


def test_utterances_are_alike_only_if_their_sequences_are():
    stream = Stream(np.ones((4, 2), np.float32), np.ones(4, bool), {FRAMES: HELD})
    inputs = Inputs(["a/1/1", "a/1/2", "a/1/3", "a/1/4"], stream, stream)
    assert distinct_rows(inputs)[1].tolist() == [0, 0, 0, 0]
    assert distinct_rows(inputs, {"visual": Reading(FRAMES)})[1].tolist() == [0, 1, 2, 3]
