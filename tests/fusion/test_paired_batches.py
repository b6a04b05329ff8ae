import numpy as np
import pytest
import torch

from avsieve.errors import ConfigError
from avsieve.fusion.examples import Examples
from avsieve.fusion.inputs import Inputs, Stream
from avsieve.fusion.paired_batches import PairedBatches, dropped
from avsieve.fusion.pairs import labels_of
from avsieve.fusion.sequences import FRAMES, HeldSequences, Reading
from avsieve.fusion.stream_batch import StreamBatch

from .made_up import both, make_people, new_model

PEOPLE, SPEAKERS = make_people("p", 5)  # 45 utterances
LABELS = labels_of(SPEAKERS)[1]
ROWS = np.arange(len(PEOPLE))


def batches(batch=8, epochs=3, drop=0.0, seed=0):
    network = new_model("gated", 24, 16, dim=8).network
    return PairedBatches(
        network, PEOPLE, Examples(ROWS, ROWS, LABELS), batch=batch, epochs=epochs, drop=drop, seed=seed
    )


def test_every_epoch_has_every_example_once_in_an_order_of_its_own():
    found = batches()
    assert (found.epoch_steps, len(found)) == (5, 15)
    orders = []
    for epoch in range(3):
        steps = [found[step] for step in range(5 * epoch, 5 * epoch + 5)]
        assert [len(labels) for _, labels in steps] == [9] * 5
        rows = torch.cat([audio.pooled for (audio, _), _ in steps]).numpy()
        assert sorted(map(tuple, rows)) == sorted(map(tuple, PEOPLE.audio.pooled))
        orders.append(rows)
    assert (orders[0] != orders[1]).any()
    with pytest.raises(IndexError):
        found[15]


def test_a_batch_follows_from_seed_and_step_alone():
    (audio, _), labels = batches(drop=0.5)[7]
    walked = batches(drop=0.5)
    for step in (14, 0, 7):
        (again, _), same = walked[step]
    assert torch.equal(audio.pooled, again.pooled)
    assert torch.equal(audio.present, again.present)
    assert torch.equal(labels, same)
    assert not torch.equal(labels, batches(drop=0.5, seed=1)[7][1])


def test_sizes_differ_by_one_at_most():
    sizes = [len(labels) for _, labels in (batches(batch=7, epochs=1)[step] for step in range(6))]
    assert sum(sizes) == 45
    assert set(sizes) == {7, 8}
    assert len(batches(batch=64, epochs=1)[0][1]) == 45


def test_processes_share_a_batch_and_their_losses_count_by_their_rows():
    (audio, visual), labels = batches(drop=0.5)[3]
    parts, weights = [], []
    for rank in range(2):
        mine = batches(drop=0.5)
        mine.share(rank, 2)
        parts.append(mine[3])
        weights.append(mine.weight(3))
    assert weights == pytest.approx([8 / 9, 10 / 9])
    assert torch.equal(torch.cat([part for _, part in parts]), labels)
    for side, number in ((audio, 0), (visual, 1)):
        assert torch.equal(torch.cat([inputs[number].pooled for inputs, _ in parts]), side.pooled)
        assert torch.equal(torch.cat([inputs[number].present for inputs, _ in parts]), side.present)
    with pytest.raises(ConfigError, match="batches of 9 examples for 10 processes; expected at least one for each"):
        batches().share(0, 10)


def test_items_of_sequences_are_drawn_by_step_whatever_the_number_of_processes(monkeypatch):
    rng = np.random.default_rng(0)
    faces = HeldSequences(rng.standard_normal((45, 6, 16)).astype(np.float32), np.ones((45, 6), bool))
    visual = Stream(PEOPLE.visual.pooled, PEOPLE.visual.present, {FRAMES: faces})
    inputs = Inputs(PEOPLE.utterances, PEOPLE.audio, visual)
    network = new_model("gated", 24, 16, dim=8).network
    monkeypatch.setattr(type(network), "readings", {"visual": Reading(FRAMES, 2)})

    def made(rank=0, world=1):
        found = PairedBatches(network, inputs, Examples(ROWS, ROWS, LABELS), batch=45, epochs=2, drop=0.3, seed=0)
        assert found.ahead
        found.share(rank, world)
        return [found[step][0][1] for step in range(2)]

    whole, parts = made(), [made(rank, 2) for rank in range(2)]
    for step in range(2):
        for name in ("sequence", "mask", "start_s"):
            shared = torch.cat([getattr(part[step], name) for part in parts])
            torch.testing.assert_close(shared, getattr(whole[step], name), equal_nan=True, rtol=0, atol=0)
    assert set(map(tuple, whole[0].sequence[:, 0].tolist())) != set(map(tuple, whole[1].sequence[:, 0].tolist()))


def test_batches_are_read_ahead_where_embeddings_lie_in_a_file(tmp_path):
    assert not batches().ahead
    pooled = np.memmap(tmp_path / "faces", np.float32, "w+", shape=PEOPLE.visual.pooled.shape)
    pooled[:] = PEOPLE.visual.pooled
    inputs = Inputs(PEOPLE.utterances, PEOPLE.audio, Stream(pooled, PEOPLE.visual.present))
    network = new_model("gated", 24, 16, dim=8).network
    found = PairedBatches(network, inputs, Examples(ROWS, ROWS, LABELS), batch=8, epochs=3, drop=0.0, seed=0)
    assert found.ahead
    assert torch.equal(found[3][0][1].pooled, batches()[3][0][1].pooled)


def test_one_modality_is_dropped_where_both_are_there():
    has_audio, has_visual = torch.tensor([1, 1, 1, 1, 0]).bool(), torch.tensor([1, 1, 1, 0, 1]).bool()
    draw = torch.tensor([0.1, 0.4, 0.6, 0.1, 0.4], dtype=torch.float64)
    audio, visual = dropped(*both(torch.ones(5, 2), torch.ones(5, 3), has_audio, has_visual), 0.5, draw)
    assert audio.present.tolist() == [False, True, True, True, False]
    assert visual.present.tolist() == [True, False, True, False, True]
    assert audio.pooled[0].tolist() == [0, 0]


def test_rows_of_a_batch_keep_what_they_have():
    batch = StreamBatch(torch.arange(6.0).reshape(3, 2), torch.tensor([True, False, True]))
    part = batch.rows(slice(1, 3))
    assert part.pooled.tolist() == [[2, 3], [4, 5]]
    assert part.present.tolist() == [False, True]
    assert part.sequence is None
    assert batch.to(torch.device("cpu")) is batch
