from __future__ import annotations

import logging
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader

from avsieve.errors import ConfigError, ListError
from avsieve.joint.reading import SignalReading
from avsieve.joint.signal_batch import SignalBatch
from avsieve.joint.signal_batches import ListedSignals, SignalBatches, SignalItems
from avsieve.joint.signal_reading import Augmentation, Example, Others
from avsieve.joint.signals import Signals
from avsieve.lists.train_list import write_train_list
from avsieve.storage.indexed_tar import TarWriter

from .conftest import TIMES, Tiny, add_faces, add_voice, ramp

READING = SignalReading(crop_s=0.5, faces=2, choice="crop")
FIELDS = ("waves", "samples", "faces", "face_mask", "face_times")


def noisy(example: Example, rng: np.random.Generator, others: Others) -> Example:
    """Adds noise and another's voice."""
    assert example.wave is not None
    n = len(example.wave)
    return example._replace(wave=example.wave + others(n) + rng.standard_normal(n).astype(np.float32))


def batches_of(tiny: Tiny, reading: SignalReading = READING, **values: Any) -> SignalBatches:
    listed = ListedSignals(tiny.train_list, tiny.signals(), need=reading.need)
    every: dict[str, Any] = {"steps": 6, "batch": 4, "seed": 1, "reading": reading}
    return SignalBatches(listed, **every | values)


def same(a: SignalBatch, b: SignalBatch) -> bool:
    return all(torch.equal(getattr(a, name), getattr(b, name)) for name in FIELDS)


def test_a_batch_is_a_function_of_the_step(tiny: Tiny) -> None:
    first = [batches_of(tiny, augmentation=noisy)[step] for step in range(6)]
    again = batches_of(tiny, augmentation=noisy)
    for step in reversed(range(6)):
        (batch,), labels = again[step]
        assert same(batch, first[step][0][0])
        assert torch.equal(labels, first[step][1])
    (batch,), labels = first[0]
    assert (batch.waves.shape, batch.waves.dtype) == ((4, 8000), torch.float32)
    assert (batch.faces.shape, batch.faces.dtype) == ((4, 2, 3, 112, 112), torch.uint8)
    assert (batch.samples.dtype, batch.face_times.dtype, labels.dtype) == (torch.int64, torch.float32, torch.int64)
    assert not same(batch, batches_of(tiny, seed=2)[0][0][0])
    with pytest.raises(IndexError):
        again[6]


@pytest.mark.parametrize("workers", [0, 2])
def test_worker_processes_change_nothing(tiny: Tiny, workers: int) -> None:
    batches = batches_of(tiny, steps=3, augmentation=noisy)
    loader = DataLoader(batches, batch_size=None, sampler=range(3), num_workers=workers)
    read = list(loader)
    assert len(read) == 3
    for step, ((batch,), labels) in enumerate(read):
        (expected,), classes = batches_of(tiny, augmentation=noisy)[step]
        assert same(batch, expected)
        assert torch.equal(labels, classes)


def test_processes_share_a_batch(tiny: Tiny) -> None:
    (whole,), labels = batches_of(tiny, augmentation=noisy)[3]
    for rank in range(2):
        mine = batches_of(tiny, augmentation=noisy)
        mine.share(rank, 2)
        (part,), own = mine[3]
        assert same(part, whole.rows(slice(2 * rank, 2 * rank + 2)))
        assert torch.equal(own, labels[2 * rank : 2 * rank + 2])


def test_voice_face_and_label_are_of_one_utterance_and_each_comes_once(tiny: Tiny) -> None:
    batches = batches_of(tiny, steps=3)
    seen: Counter[int] = Counter()
    for step in range(3):
        (batch,), labels = batches[step]
        speakers = torch.div(batch.waves[:, 0] * 32768, 1000, rounding_mode="floor") - 1
        assert torch.equal(speakers.long(), labels)
        # The ramp tells the time of the crop in 128ths of a second, and the face its own in 25ths.
        begin = (batch.waves[:, 0] * 32768 % 1000) / 128
        told = begin + batch.face_times[:, 0]
        red = batch.faces[:, 0, 0, 56, 56].float() / 25
        assert (told - red).abs().max() < 0.15
        seen.update(labels.tolist())
    assert seen == dict.fromkeys(range(4), 3)


def test_what_is_padded_is_masked(tiny: Tiny) -> None:
    reading = SignalReading(crop_s=5.0, faces=10, choice="even", short="pad")
    (batch,), _ = batches_of(tiny, reading)[0]
    assert batch.samples.tolist() == [64_000] * 4
    assert not batch.waves[:, 64_000:].any()
    assert batch.face_mask.tolist() == [[True] * 8 + [False] * 2] * 4
    assert not batch.faces[:, 8:].any()
    assert torch.allclose(batch.face_times[0, :8], torch.tensor(TIMES) / 25)


@pytest.mark.parametrize(("channels", "plane"), [("rgb", 0), ("bgr", 2)])
def test_planes_come_in_the_order_that_is_asked_for(tiny: Tiny, channels: str, plane: int) -> None:
    reading = SignalReading(crop_s=1.0, faces=8, choice="even", channels=channels)  # type: ignore[arg-type]
    (batch,), _ = batches_of(tiny, reading)[0]
    assert np.abs(batch.faces[0, :, plane, 56, 56].numpy().astype(int) - TIMES).max() <= 3


@pytest.fixture
def lacking(tiny: Tiny, tmp_path: Path) -> Tiny:
    """Two more people in a third shard: one without faces, one without a voice; and one whom no shard has."""
    with TarWriter(tmp_path / "2.wav.tar") as wavs, TarWriter(tmp_path / "2.faces.tar") as faces:
        add_voice(wavs, "id4/v/1", ramp(4.0, 4))
        add_faces(faces, "id5/v/1", TIMES)
    utterances = [*tiny.utterances, "id4/v/1", "id5/v/1", "id6/v/1"]
    write_train_list(tmp_path / "list.txt", utterances, ["4.0"] * len(utterances))
    return Tiny(
        tmp_path / "list.txt", [*tiny.wavs, tmp_path / "2.wav.tar"], [*tiny.faces, tmp_path / "2.faces.tar"], utterances
    )


def test_utterances_with_one_modality_are_in_or_out_as_asked(lacking: Tiny, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        both = ListedSignals(lacking.train_list, lacking.signals())
        either = ListedSignals(lacking.train_list, lacking.signals(), need="either")
    assert both.utterances == lacking.utterances[:12]
    assert either.utterances == lacking.utterances[:14]
    assert either.labels.tolist()[-2:] == [4, 5]
    assert both.classes == either.classes == 7
    assert "3 of 15 utterances have no voice or no face and are left out" in caplog.text
    assert "1 of 15 utterances have neither voice nor face" in caplog.text


def test_a_missing_modality_is_zero_and_told(lacking: Tiny) -> None:
    reading = SignalReading(crop_s=0.5, faces=2, choice="crop", need="either")
    batches = batches_of(lacking, reading, batch=14, steps=1)
    (batch,), labels = batches[0]
    assert {int(label) for label in labels[~batch.has_audio]} == {5}
    assert {int(label) for label in labels[~batch.has_visual]} == {4}
    assert not batch.waves[~batch.has_audio].any()
    assert not batch.faces[~batch.has_visual].any()
    # The faces of the one without a voice are those of half a second.
    times = batch.face_times[~batch.has_audio][batch.face_mask[~batch.has_audio]]
    assert ((times >= 0) & (times < 0.5)).all()


def test_list_and_shards_that_do_not_fit_are_refused(tiny: Tiny) -> None:
    with pytest.raises(ListError, match="6 of 12 utterances have no voice or no face in 2 shards of voices and 1 of"):
        ListedSignals(tiny.train_list, Signals(tiny.wavs, tiny.faces[:1]), max_missing=0.4)


def test_batches_of_whole_voices_and_of_another_need_are_refused(tiny: Tiny) -> None:
    with pytest.raises(ConfigError, match="give crop_s"):
        batches_of(tiny, SignalReading(crop_s=None))
    listed = ListedSignals(tiny.train_list, tiny.signals())
    with pytest.raises(ConfigError, match="need is 'either', and 'both' when the list was read"):
        SignalBatches(listed, steps=1, batch=2, reading=SignalReading(need="either"), seed=0)


def test_a_babble_is_of_other_speakers(tiny: Tiny) -> None:
    def alone(example: Example, rng: np.random.Generator, others: Others) -> Example:
        return example._replace(wave=others(8000))

    augmentation: Augmentation = alone
    (batch,), labels = batches_of(tiny, augmentation=augmentation, batch=12)[0]
    heard = torch.div(batch.waves[:, 0] * 32768, 1000, rounding_mode="floor").long() - 1
    assert (heard != labels).all()
    assert len(set(heard.tolist())) == 4


@pytest.fixture
def unequal(tmp_path: Path) -> Signals:
    """Utterances of 1 to 6 s, and damaged versions of the first: a piece of its voice, and one face."""
    with TarWriter(tmp_path / "w.tar") as wavs, TarWriter(tmp_path / "f.tar") as faces:
        for k, seconds in enumerate((3.0, 1.0, 6.0, 2.0, 5.0, 4.0)):
            add_voice(wavs, f"a/v/{k}", ramp(seconds, k))
            add_faces(faces, f"a/v/{k}", TIMES[: k + 1])
        add_voice(wavs, "a/v/0@short.0_5", ramp(0.5, 7))
        add_faces(faces, "a/v/0@one_frame", [31])
    return Signals([tmp_path / "w.tar"], [tmp_path / "f.tar"])


NAMES = [f"a/v/{k}" for k in range(6)]


@pytest.mark.parametrize("workers", [0, 2])
def test_whole_utterances_come_once_those_of_similar_length_together(unequal: Signals, workers: int) -> None:
    read = list(SignalItems(unequal, NAMES, SignalReading(crop_s=None, faces=3), batch=2).read(workers))
    assert [rows.tolist() for rows, _ in read] == [[1, 3], [0, 5], [4, 2]]
    for rows, batch in read:
        assert batch.samples.tolist() == [[3, 1, 6, 2, 5, 4][row] * 16_000 for row in rows]
        assert batch.waves.shape[1] == batch.samples.max()
        assert batch.face_mask.sum(dim=1).tolist() == [min(3, row + 1) for row in rows]


def test_a_batch_holds_so_many_seconds_filled_up(unequal: Signals) -> None:
    reading = SignalReading(crop_s=None)
    rows = [rows.tolist() for rows, _ in SignalItems(unequal, NAMES, reading, batch_s=8.0).read()]
    assert rows == [[1, 3], [0, 5], [4], [2]]  # of 1, 2, 3, 4, 5 and 6 s: twice 2 s, twice 4 s, then each alone
    assert len(list(SignalItems(unequal, NAMES, reading, batch_s=0.5).read())) == 6


def test_a_centre_crop_is_the_same_every_time(unequal: Signals) -> None:
    reading = SignalReading(crop_s=2.0, faces=2, choice="random", short="pad")
    wanted = SignalItems(unequal, NAMES, reading)
    (rows, batch), (_, again) = wanted[0], wanted[0]
    assert same(batch, again)
    assert rows.tolist() == list(range(6))
    begins = torch.round(batch.waves[:, 0] * 32768) - 1000 * torch.arange(1, 7)
    assert begins.tolist() == [64, 0, 256, 0, 192, 128]  # in 128ths of a second: half of what is over 2 s
    assert batch.samples.tolist() == [32_000, 16_000] + [32_000] * 4


def test_voice_and_face_can_be_of_two_versions_or_missing(unequal: Signals) -> None:
    pairs = [
        ("a/v/0", "a/v/1"), ("a/v/0@short.0_5", "a/v/0"), ("a/v/0", "a/v/0@one_frame"), ("", "a/v/2"), ("a/v/3", ""),
        ("", ""),
    ]  # fmt: skip
    found: dict[int, tuple[int, int]] = {}
    for rows, batch in SignalItems(unequal, pairs, SignalReading(crop_s=None, faces=3), batch=4).read():
        found |= {row: (int(batch.samples[k]), int(batch.face_mask[k].sum())) for k, row in enumerate(rows.tolist())}
    assert found == {0: (48_000, 2), 1: (8_000, 1), 2: (48_000, 1), 3: (0, 3), 4: (32_000, 0), 5: (0, 0)}


def test_voices_and_faces_can_lie_in_different_shards(unequal: Signals, tiny: Tiny) -> None:
    wanted = [("a/v/0", "id1/v0/00001")]
    read = list(SignalItems(unequal, wanted, SignalReading(crop_s=None, faces=9), faces=tiny.signals()).read())
    assert read[0][1].samples.tolist() == [48_000]
    assert read[0][1].face_mask.sum().item() == 8


def test_what_no_shard_has_is_missing_up_to_a_limit(unequal: Signals, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        (_, batch), *_ = SignalItems(unequal, [*NAMES, "b/v/1"], SignalReading(crop_s=1.0), batch=7).read()
    assert batch.has_audio.tolist() == [True] * 6 + [False]
    assert "1 of 7 voices are in no shard: they count as missing" in caplog.text
    with pytest.raises(ListError, match=r"2 of 3 voices are in no shard \(b/v/1, \.\.\.\); expected at most 50%"):
        SignalItems(unequal, ["a/v/1", "b/v/1", "c/v/1"], SignalReading())
