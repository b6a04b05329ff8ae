from __future__ import annotations

import pytest
import torch

from avsieve.joint.signal_batch import SignalBatch


@pytest.fixture
def batch() -> SignalBatch:
    """Four utterances: both modalities, a voice, faces, nothing."""
    samples = torch.tensor([5, 3, 0, 0])
    mask = torch.tensor([[True, True], [False, False], [True, False], [False, False]])
    waves = torch.ones(4, 5) * (torch.arange(5) < samples[:, None])
    faces = torch.full((4, 2, 3, 4, 4), 7, dtype=torch.uint8) * mask[:, :, None, None, None]
    return SignalBatch(waves, samples, faces, mask, mask * 0.5)


def test_who_has_what_follows_from_samples_and_mask(batch: SignalBatch) -> None:
    assert batch.has_audio.tolist() == [True, True, False, False]
    assert batch.has_visual.tolist() == [True, False, True, False]
    assert torch.equal(batch.audio_mask, batch.waves > 0)
    assert len(batch) == 4


def test_a_modality_that_is_taken_away_leaves_nothing_and_the_other_as_it_was(batch: SignalBatch) -> None:
    missing = torch.tensor([True, False, True, False])
    heard = batch.drop_audio(missing)
    assert heard.samples.tolist() == [0, 3, 0, 0]
    assert heard.waves.sum(dim=1).tolist() == [0, 3, 0, 0]
    assert torch.equal(heard.faces, batch.faces)
    seen = batch.drop_visual(missing)
    assert not seen.has_visual.any()
    assert not seen.faces.any()
    assert not seen.face_times.any()
    assert torch.equal(seen.waves, batch.waves)
    assert batch.has_visual.any()  # frozen: the batch itself is as before


def test_rows_are_a_batch_of_their_own(batch: SignalBatch) -> None:
    part = batch.rows(slice(1, 3))
    assert part.samples.tolist() == [3, 0]
    assert part.face_mask.tolist() == [[False, False], [True, False]]


def test_it_goes_to_another_device_and_is_not_copied_where_it_is(batch: SignalBatch) -> None:
    assert batch.to(torch.device("cpu")) is batch
    assert batch.to(torch.device("meta")).faces.device.type == "meta"
