from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import torch

from avsieve.errors import ListError
from avsieve.training.encoder.audio_data import CropBatches, Speech

from .conftest import TinySpeech
from .recipes import augmenter_of


def test_classes_are_the_ranks_of_the_speakers_present(tiny_speech: TinySpeech) -> None:
    lines = [line for line in tiny_speech.train_list.read_text().splitlines() if not line.startswith("id1")]
    tiny_speech.train_list.write_text("\n".join(reversed(lines)) + "\n")
    speech = Speech(tiny_speech.train_list, [tiny_speech.tar])
    assert speech.classes == 3
    assert dict(zip((u[:3] for u in speech.utterances), speech.labels, strict=True)) == {"id0": 0, "id2": 1, "id3": 2}


def test_utterances_without_sound_are_left_out_up_to_a_limit(tiny_speech: TinySpeech) -> None:
    with tiny_speech.train_list.open("a") as handle:
        handle.write("id9/v/1.wav".join(["id9 ", " 1.0\n"]))
    speech = Speech(tiny_speech.train_list, [tiny_speech.tar])
    assert len(speech) == 12
    assert speech.classes == 5
    with pytest.raises(ListError, match="1 of 13 utterances are in none of 1 shards"):
        Speech(tiny_speech.train_list, [tiny_speech.tar], max_missing=0.0)


def test_a_batch_is_a_function_of_the_step(tiny_speech: TinySpeech) -> None:
    def batches() -> CropBatches:
        speech = Speech(tiny_speech.train_list, [tiny_speech.tar])
        augmenter = augmenter_of(("none", "room", "babble", "noise"))
        return CropBatches(speech, steps=9, batch=4, crop_s=0.5, speeds=(1.0, 0.9), augmenter=augmenter, seed=1)

    forward, backward = batches(), batches()
    first = [forward[s] for s in range(9)]
    for step in reversed(range(9)):
        waves, labels = backward[step]
        assert torch.equal(waves, first[step][0])
        assert torch.equal(labels, first[step][1])
    assert first[0][0].shape == (4, 8000)
    assert first[0][0].dtype == torch.float32
    with pytest.raises(IndexError):
        forward[9]


def test_every_utterance_comes_once_at_each_speed_before_any_comes_again(tiny_speech: TinySpeech) -> None:
    speech = Speech(tiny_speech.train_list, [tiny_speech.tar])
    batches = CropBatches(speech, steps=6, batch=4, crop_s=0.5, speeds=(1.0, 1.1), seed=0)
    labels = Counter(int(x) for step in range(6) for x in batches[step][1])
    assert batches.classes == 8
    assert labels == dict.fromkeys(range(8), 3)


def test_a_short_utterance_is_repeated_to_the_length_of_a_crop(tiny_speech: TinySpeech) -> None:
    speech = Speech(tiny_speech.train_list, [tiny_speech.tar])
    crop = speech.crop(0, 30_000, np.random.default_rng(0))
    assert np.array_equal(crop[:10_800], crop[19_200:])


def test_a_list_with_flags_is_no_training_list(tiny_speech: TinySpeech, tmp_path: Path) -> None:
    text = tiny_speech.train_list.read_text().replace(" 1.200", " 1.200 0.812 0.413 1")
    (tmp_path / "train_all_clean.txt").write_text(text)
    with pytest.raises(ListError, match="6 columns"):
        Speech(tmp_path / "train_all_clean.txt", [tiny_speech.tar])
