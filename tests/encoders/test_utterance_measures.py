import numpy as np
import pytest

from avsieve.encoders.utterance_measures import clipped, consistency, snr_db

RATE = 16_000


def speech_like(seconds=4.0, seed=0):
    """A tone that is there for a third of a second and gone for a sixth, again and again."""
    t = np.arange(int(seconds * RATE)) / RATE
    rng = np.random.default_rng(seed)
    return np.where((2 * t) % 1 < 0.67, np.sin(2 * np.pi * 220 * t), 0.0) + 1e-4 * rng.standard_normal(len(t))


def as_int16(x, peak=0.5):
    return np.round(x / np.abs(x).max() * peak * 32767).astype(np.int16)


@pytest.mark.parametrize("snr", [0, 10, 20])
def test_the_noise_in_the_pauses_is_measured(snr):
    x = speech_like()
    noise = np.random.default_rng(1).standard_normal(len(x))
    tone = np.mean(x[x != 0] ** 2) / 0.67  # while it is there
    noisy = as_int16(x + noise * np.sqrt(tone / 10 ** (snr / 10)), 0.5)
    # Loud frames hold both.
    assert snr_db(noisy) == pytest.approx(10 * np.log10(10 ** (snr / 10) + 1), abs=1.5)


def test_the_level_does_not_matter_and_silence_is_no_error():
    x = speech_like()
    assert snr_db(as_int16(x, 0.9)) == pytest.approx(snr_db(as_int16(x, 0.3)), abs=1.5)
    assert snr_db(np.zeros(RATE, np.int16)) == 0
    assert np.isnan(snr_db(np.zeros(500, np.int16)))


def test_clipping_is_found_at_any_level_and_peaks_are_none():
    t = np.arange(RATE) / RATE
    tone = np.sin(2 * np.pi * 220 * t) * (0.5 + 0.5 * t)
    cut = np.clip(tone, -0.4, 0.4)
    expected = float((np.abs(tone) >= 0.4).mean())
    assert expected > 0.2
    for peak in (1.0, 0.3):
        assert clipped(as_int16(cut, peak)) == pytest.approx(expected, rel=0.1)
    assert clipped(as_int16(tone, 0.5)) < 0.01
    assert clipped(np.zeros(RATE, np.int16)) == 0


def test_consistency_is_the_mean_cosine_of_pairs():
    rng = np.random.default_rng(0)
    vectors = rng.standard_normal((5, 8)) + 1
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    pairs = (unit @ unit.T)[np.triu_indices(5, 1)]
    assert consistency(vectors) == pytest.approx(pairs.mean())
    assert consistency(np.ones((2, 3))) == pytest.approx(1)
    assert np.isnan(consistency(np.ones((1, 3))))
    assert np.isnan(consistency(np.r_[np.ones((1, 3)), np.zeros((1, 3))]))
