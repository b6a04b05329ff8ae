from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from torch import Tensor, nn

from avsieve.errors import ConfigError
from avsieve.training.augment import KINDS, Augmenter, Masked, SoundFolder, convolve, mask_bands, microphone, mix, speed

N = 16_000


def tone(hz: float = 440.0) -> np.ndarray:
    return np.sin(2 * np.pi * hz * np.arange(N) / N).astype(np.float32)


def hiss(n: int = N) -> np.ndarray:
    return np.random.default_rng(5).standard_normal(n).astype(np.float32)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "a").mkdir()
    soundfile.write(tmp_path / "a" / "long.wav", hiss(3 * N) * 0.1, 16_000)
    soundfile.write(tmp_path / "short.flac", hiss(N // 4) * 0.1, 16_000)
    return tmp_path


@pytest.mark.parametrize("kind", KINDS)
def test_every_treatment_keeps_length_and_type_and_repeats(kind: str, folder: Path) -> None:
    augmenter = Augmenter((kind,), music=folder)
    one, two = (augmenter(tone(), np.random.default_rng(3), hiss) for _ in range(2))
    assert one.shape == (N,)
    assert one.dtype == np.float32
    assert np.isfinite(one).all()
    assert np.array_equal(one, two)


def test_folders_replace_what_is_made_up(folder: Path) -> None:
    augmenter = Augmenter(("room", "noise"), noise=folder, rooms=folder, stack=1.0)
    assert augmenter(tone(), np.random.default_rng(0), hiss).shape == (N,)


def test_noise_is_mixed_at_its_ratio() -> None:
    noise = mix(tone(), hiss(), 10.0) - tone()
    assert 10 * np.log10(np.mean(tone() ** 2) / np.mean(noise**2)) == pytest.approx(10, abs=0.01)


def test_a_room_of_one_pulse_changes_nothing() -> None:
    assert np.allclose(convolve(tone(), np.array([1.0, 0.0])), tone(), atol=1e-5)


def test_a_microphone_scales_a_tone_and_does_not_move_it() -> None:
    power = np.abs(np.fft.rfft(microphone(tone(), np.random.default_rng(0))))
    assert power.argmax() == 440
    assert power.argmax() == np.abs(np.fft.rfft(tone())).argmax()


@pytest.mark.parametrize(("factor", "hz"), [(0.9, 396), (1.1, 484)])
def test_speed_moves_pitch_and_length(factor: float, hz: int) -> None:
    played = speed(tone(), factor)
    assert len(played) == pytest.approx(N / factor, abs=1)
    peak = np.abs(np.fft.rfft(played, 10 * N)).argmax() / 10
    assert peak == pytest.approx(hz, abs=1)


def test_a_folder_without_recordings_or_at_another_rate_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no recording"):
        SoundFolder(tmp_path)
    soundfile.write(tmp_path / "cd.wav", hiss(), 44_100)
    with pytest.raises(ConfigError, match=r"cd\.wav: 44100 Hz; expected 16000 Hz"):
        SoundFolder(tmp_path).piece(10, np.random.default_rng(0))


def test_babble_comes_from_a_folder_of_speech_if_there_is_one(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "hum.wav", tone(), 16_000)

    def never(n: int) -> np.ndarray:
        raise AssertionError("other speakers of the list were asked")

    heard = Augmenter(("babble",), speech=tmp_path)(hiss(), np.random.default_rng(0), never)
    assert heard.shape == hiss().shape
    assert not np.allclose(np.corrcoef(heard, hiss())[0, 1], 1, atol=1e-4)


def test_unknown_treatments_and_music_without_a_folder_are_refused() -> None:
    with pytest.raises(ConfigError, match="augmentation echo: not known"):
        Augmenter(("echo",))
    with pytest.raises(ConfigError, match="needs a folder of music"):
        Augmenter(("music",))


@pytest.mark.parametrize("axis", [1, 2])
def test_a_band_of_each_row_is_masked_and_no_more_than_the_share(axis: int) -> None:
    draws = torch.rand(50, 2, generator=torch.Generator().manual_seed(0))
    masked = mask_bands(torch.ones(50, 80, 200), axis, 0.1, draws) == 0
    lines = masked.all(dim=3 - axis)  # lines that are hidden whole
    assert torch.equal(masked, lines[:, :, None].expand_as(masked) if axis == 1 else lines[:, None].expand_as(masked))
    width = lines.sum(dim=1)
    assert 0 < width.max() < 0.1 * masked.shape[axis]
    changes = (lines[:, 1:] != lines[:, :-1]).sum(dim=1)
    assert changes.max() <= 2  # one band, not several


def test_features_are_masked_in_training_only() -> None:
    class Encoder(nn.Module):
        def fbank(self, waves: Tensor) -> Tensor:
            return torch.ones(len(waves), 80, 100)

        def embed(self, features: Tensor) -> Tensor:
            return features.mean(dim=(1, 2))[:, None]

        def forward(self, waves: Tensor) -> Tensor:
            return self.embed(self.fbank(waves))

    masked = Masked(Encoder(), 0.3)
    assert (masked.eval()(torch.zeros(8, 10)) == 1).all()
    masked.train()
    masked.begin(1, 0, 1)
    whole = masked(torch.zeros(8, 10))
    assert (whole < 1).any()
    shares = []
    for rank in range(2):
        masked.begin(1, rank, 2)
        shares.append(masked(torch.zeros(4, 10)))
    assert torch.equal(torch.cat(shares), whole)  # a row is masked the same whichever process has it


def test_an_encoder_without_features_is_trained_unmasked_or_refused() -> None:
    waves = torch.randn(3, 10)
    assert torch.equal(Masked(nn.Identity(), 0.0).train()(waves), waves)
    with pytest.raises(ConfigError, match=r"mask is 0\.1, and Identity has no filter banks to mask; expected 0"):
        Masked(nn.Identity(), 0.1)
