from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from avsieve.errors import ConfigError
from avsieve.training.encoder.augment import KINDS, microphone, speed

from .recipes import augmenter_of

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
def test_every_augmentation_keeps_length_and_type_and_repeats(kind: str, folder: Path) -> None:
    augmenter = augmenter_of((kind,), music=folder)
    one, two = (augmenter(tone(), np.random.default_rng(3), hiss) for _ in range(2))
    assert one.shape == (N,)
    assert one.dtype == np.float32
    assert np.isfinite(one).all()
    assert np.array_equal(one, two)


def test_folders_replace_what_is_made_up(folder: Path) -> None:
    augmenter = augmenter_of(("room", "noise"), noise=folder, rooms=folder, stack=1.0)
    assert augmenter(tone(), np.random.default_rng(0), hiss).shape == (N,)


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


def test_babble_comes_from_a_folder_of_speech_if_there_is_one(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "hum.wav", tone(), 16_000)

    def never(n: int) -> np.ndarray:
        raise AssertionError("other speakers of the list were asked")

    heard = augmenter_of(("babble",), speech=tmp_path)(hiss(), np.random.default_rng(0), never)
    assert heard.shape == hiss().shape
    assert not np.allclose(np.corrcoef(heard, hiss())[0, 1], 1, atol=1e-4)


def test_unknown_augmentations_and_music_without_a_folder_are_refused() -> None:
    with pytest.raises(ConfigError, match="augmentation echo: not known"):
        augmenter_of(("echo",))
    with pytest.raises(ConfigError, match="needs a folder of music"):
        augmenter_of(("music",))


def voices(folder: Path, level: float = 0.1) -> Path:
    """Eight voices of equal level that are orthogonal, so that each can be told from the sum."""
    folder.mkdir()
    for i in range(8):
        soundfile.write(folder / f"{i}.wav", level * tone(1000 + 500 * i), 16_000, subtype="FLOAT")
    return folder


def ratio_db(wave: np.ndarray, noise: np.ndarray) -> float:
    return float(10 * np.log10(np.mean(np.square(wave)) / np.mean(np.square(noise))))


def test_every_voice_of_a_published_babble_has_a_ratio_of_its_own(tmp_path: Path) -> None:
    augmenter = augmenter_of(("babble",), speech=voices(tmp_path / "s"), gain_db=0, mixing="voxceleb_trainer")
    wave, counts, each, whole = hiss() * 0.3, set(), [], []
    for seed in range(60):
        crowd = augmenter(wave, np.random.default_rng(seed), hiss) - wave
        parts = [2 * np.dot(crowd, tone(1000 + 500 * i)) / N for i in range(8)]
        heard = [a for a in parts if a > 1e-4]
        counts.add(len(heard))
        each += [ratio_db(wave, a * tone()) for a in heard]
        whole.append(ratio_db(wave, crowd))
    assert counts == set(range(3, 9))
    # Each voice is between 13 and 20 dB below the speech (up to the floor of the levels), all over the range ...
    assert 12.9 < min(each) < 13.5
    assert 19.5 < max(each) < 20.2
    assert len({round(x, 4) for x in each}) > 0.9 * len(each)
    # ... and so their sum is some 5 to 9 dB louder.
    assert 5 < min(whole) < 9
    assert 10 < max(whole) < 15


def test_without_the_published_mixing_the_sum_of_the_voices_has_the_ratio(tmp_path: Path) -> None:
    augmenter = augmenter_of(("babble",), speech=voices(tmp_path / "s"), gain_db=0)
    wave = hiss() * 0.3
    whole = [ratio_db(wave, augmenter(wave, np.random.default_rng(s), hiss) - wave) for s in range(60)]
    assert 13 <= min(whole) < 14
    assert 19 < max(whole) <= 20


@pytest.mark.parametrize(("kind", "low", "high"), [("music", 5, 15), ("noise", 0, 15)])
@pytest.mark.parametrize("mixing", ["level", "voxceleb_trainer"])
def test_music_and_noise_have_the_ratios_of_the_recipe(
    folder: Path, kind: str, low: float, high: float, mixing: str
) -> None:
    augmenter = augmenter_of((kind,), noise=folder, music=folder, gain_db=0, mixing=mixing)
    wave = hiss() * 0.1
    found = [ratio_db(wave, augmenter(wave, np.random.default_rng(s), hiss) - wave) for s in range(200)]
    assert low - 0.1 < min(found) < low + 0.5
    assert high - 0.5 < max(found) < high + 0.1


def test_every_crop_is_louder_or_softer_unless_the_gain_is_switched_off() -> None:
    def level(gain_db: float, seed: int) -> float:
        augmented = augmenter_of(("none",), gain_db=gain_db)(tone(), np.random.default_rng(seed), hiss)
        return ratio_db(augmented, tone())

    six = [level(6.0, seed) for seed in range(50)]
    assert -6 <= min(six) < -4
    assert 4 < max(six) <= 6
    assert {level(0.0, seed) for seed in range(5)} == {0.0}
    assert max(abs(level(2.0, seed)) for seed in range(50)) <= 2


def test_an_unknown_mixing_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"mixing is 'theirs'; expected level or voxceleb_trainer"):
        augmenter_of(("none",), mixing="theirs")
