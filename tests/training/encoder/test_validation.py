from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from avsieve.errors import ConfigError
from avsieve.training.devices import Machine, start
from avsieve.training.encoder.audio_data import Speech
from avsieve.training.encoder.validation import Validation, split
from avsieve.training.validation import first_of_videos

from .conftest import TinySpeech
from .recipes import watch_of


@pytest.fixture
def speech(tiny_speech: TinySpeech) -> Speech:
    return Speech(tiny_speech.train_list, [tiny_speech.tar])


def test_training_and_validation_share_no_speaker_and_lose_none(speech: Speech) -> None:
    training, held = split(speech, 0.65)
    assert set(training.speakers) == {"id0", "id3"}
    assert set(held.speakers) == {"id1", "id2"}
    assert sorted([*training.utterances, *held.utterances]) == sorted(speech.utterances)
    assert training.labels.tolist() == [0] * 3 + [1] * 3
    assert (training.classes, held.classes) == (2, 2)
    assert np.array_equal(held.wave(0), speech.wave(speech.utterances.index(held.utterances[0])))


@pytest.mark.parametrize("share", [0.01, 0.6, 0.99])
def test_a_share_that_leaves_too_few_speakers_is_refused(speech: Speech, share: float) -> None:
    with pytest.raises(ConfigError, match=r"holds out \d of 4 speakers; expected at least 2"):
        split(speech, share)


def test_one_utterance_stands_for_a_video(speech: Speech) -> None:
    names = list(speech.utterances)
    speech.utterances = [names[0], "id0/v0/00002", *names[2:]]  # the same video twice
    assert [speech.utterances[i] for i in first_of_videos(speech)][:2] == ["id0/v0/00001", "id0/v2/00001"]


class Known(nn.Module):
    """Embeds an input, a class and some noise, as what it is; only in evaluation mode."""

    dim = 2

    def forward(self, inputs: Tensor) -> Tensor:
        assert not self.training
        return torch.stack([inputs.cos(), inputs.sin()], dim=1)


def test_an_encoder_that_tells_the_speakers_apart_has_no_errors_and_a_blind_one_half(speech: Speech) -> None:
    fabric, encoder = start(Machine("cpu")), Known().train()
    _, held = split(speech, 0.65)
    watch = watch_of(validation=0.65)
    told = Validation(held, lambda i: torch.tensor(1.5 * held.labels[i] + 0.01 * i), watch, batch=4)
    assert told.eer(fabric, encoder) == 0
    assert encoder.training
    blind = Validation(held, lambda i: torch.tensor(float(i % 3)), watch)
    assert blind.eer(fabric, encoder) > 0.3


def test_the_error_rate_is_the_larger_one_where_both_are_closest(speech: Speech) -> None:
    # AVCleanse's. Each speaker has one utterance that looks like the other's: of 6 pairs of a speaker 4 are rejected,
    # of 9 others 4 are accepted.
    _, held = split(speech, 0.65)
    validation = Validation(held, lambda i: torch.tensor(0.0 if i in (0, 1, 3) else 1.5), watch_of(validation=0.65))
    assert validation.eer(start(Machine("cpu")), Known()) == pytest.approx(2 / 3)


def test_speakers_of_one_video_each_cannot_be_compared(speech: Speech) -> None:
    held = speech.of_speakers({"id1", "id2"})
    held.utterances = [u.replace("v1", "v0").replace("v2", "v0") for u in held.utterances]
    with pytest.raises(ConfigError, match="none of the 2 speakers held out has two videos"):
        Validation(held, lambda i: torch.zeros(1), watch_of(validation=0.5))
