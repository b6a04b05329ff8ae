from __future__ import annotations

import numpy as np
import pytest

from avsieve.sound.mixing import at_ratio, convolve, from_direct_sound, in_room, mix

N = 16_000


def tone(hz: float = 440.0) -> np.ndarray:
    return np.sin(2 * np.pi * hz * np.arange(N) / N).astype(np.float32)


def hiss(n: int = N) -> np.ndarray:
    return np.random.default_rng(5).standard_normal(n).astype(np.float32)


def test_noise_is_mixed_at_its_ratio() -> None:
    noise = mix(tone(), hiss(), 10.0) - tone()
    assert 10 * np.log10(np.mean(tone() ** 2) / np.mean(noise**2)) == pytest.approx(10, abs=0.01)


def test_a_room_of_one_pulse_changes_nothing() -> None:
    assert np.allclose(convolve(tone(), np.array([1.0, 0.0])), tone(), atol=1e-5)


def test_published_levels_are_measured_above_a_floor() -> None:
    # AVCleanse: 10 log10(mean square + 1e-4). Digital silence gets the noise that speech at -40 dB would get.
    noise = 0.1 * hiss()
    power = float(np.mean(np.square(noise)))
    added = at_ratio(np.zeros(N, np.float32), noise, 10.0)
    assert np.mean(np.square(added)) == pytest.approx(1e-4 / 10 * power / (power + 1e-4), rel=1e-4)
    assert np.isfinite(at_ratio(tone(), np.zeros(N, np.float32), 10.0)).all()


def test_a_published_room_is_the_whole_response_at_energy_one() -> None:
    response = np.zeros(400)
    response[100] = 3.0
    assert np.allclose(in_room(tone(), response)[100:], tone()[:-100], atol=1e-5)
    assert np.allclose(in_room(tone(), response)[:100], 0, atol=1e-5)
    spread = np.random.default_rng(0).standard_normal(8000) * 5
    direct = np.convolve(tone(), spread / np.sqrt((spread**2).sum()))[:N]
    assert np.allclose(in_room(tone(), spread), direct, atol=1e-4)


def test_a_response_begins_with_its_direct_sound() -> None:
    assert from_direct_sound(np.array([0.0, 0.1, -2.0, 0.5])).tolist() == [-2.0, 0.5]
