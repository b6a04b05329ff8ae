from __future__ import annotations

from typing import Any

import pytest

from avsieve.config.model import parse_config
from avsieve.errors import ConfigError
from avsieve.training.encoder.presets import AUDIO, VISUAL, keys_of, with_preset
from avsieve.training.encoder.settings import TrainAudio, TrainVisual


def training(**values: Any) -> Any:
    return parse_config({"training": values}).training


def test_the_preset_is_the_published_recipe() -> None:
    # systems.md 1.2: what AVCleanse's code trains with.
    audio = training(audio={"preset": "avcleanse", "music": "musan/music"}).audio
    assert (audio.arch, audio.batch, audio.crop_s, audio.margin, audio.scale) == ("ecapa1024", 400, 2.015, 0.2, 30)
    assert audio.augment == ["none", "room", "babble", "music", "noise"]
    assert (audio.gain_db, audio.mixing, audio.stack, audio.mask, audio.speeds) == (0, "voxceleb_trainer", 0, 0.1, [1])
    visual = training(visual={"preset": "avcleanse"}).visual
    assert (visual.arch, visual.batch, visual.margin, visual.scale) == ("iresnet18", 400, 0.4, 64)
    assert (visual.flip, visual.grey, visual.smooth, visual.blur, visual.erase) == (0.5, 0.2, 1, 0, 0)
    assert (visual.noise, visual.jitter, visual.shift, visual.channels) == (0, 0, 0, "bgr")
    for both in (audio, visual):
        assert (both.optimiser, both.lr, both.weight_decay, both.epochs) == ("adam", 1e-3, 2e-5, 99)
        assert (both.schedule, both.lr_decay, both.epoch_steps, both.warmup) == ("exponential", 0.97, 0, 0)
        assert (both.margin_from, both.margin_until, both.clip) == (0, 0, 0)


def test_what_is_given_stands_against_the_preset() -> None:
    audio = training(audio={"preset": "avcleanse", "music": "m", "margin": 0.3, "batch": 100}).audio
    assert (audio.margin, audio.batch, audio.scale) == (0.3, 100, 30)
    assert training(audio={"preset": "avcleanse", "music": "m", "steps": 50}).audio.epochs == 0
    assert training(audio={"preset": "avcleanse", "music": "m", "steps": 50, "epochs": 3}).audio.epochs == 3


def test_music_without_a_folder_of_music_is_refused_before_anything_runs() -> None:
    for audio in (
        {"preset": "avcleanse"},
        {"augment": ["none", "music"]},
        {"large_margin": {"steps": 5, "augment": ["music"]}},
    ):
        with pytest.raises(ConfigError, match=r"training\.audio: augment holds music.* set training\.audio\.music"):
            training(audio=audio)
    assert training(audio={"preset": "avcleanse", "augment": ["none", "noise"]}).audio.music is None


def test_without_a_preset_the_defaults_stand() -> None:
    assert training(audio={"preset": "none"}).audio == TrainAudio()
    with pytest.raises(ConfigError, match=r"training\.audio\.preset is 'theirs'"):
        training(audio={"preset": "theirs"})


def test_without_a_preset_the_shipped_models_train_as_they_did() -> None:
    defaults = training()
    assert (defaults.audio.gain_db, defaults.audio.mixing, defaults.visual.channels) == (6, "level", "auto")


def test_every_key_of_a_preset_is_one_of_the_configuration() -> None:
    for block, presets in ((TrainAudio, AUDIO), (TrainVisual, VISUAL)):
        assert keys_of(presets) <= set(block.model_fields)
        assert "steps" in keys_of(presets)
    assert with_preset(AUDIO, {}) == {}
